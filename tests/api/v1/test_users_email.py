"""PATCH /v1/users/{id} with `email`, on a service that sends emails."""

from dataclasses import replace

import pytest

from models import EmailKind, User
from tests.support.person import PASSWORD
from tests.support.responses import outcome

JANE, NEW = "jane@example.com", "new@example.com"


@pytest.fixture
def client(email_app):
    """Return an anonymous client of a service that sends emails."""
    return email_app.test_client()


@pytest.fixture
def confirm(client):
    body = {"password": PASSWORD}
    path = "/v1/email-verifications/confirm"
    return lambda token: client.post(path, json={**body, "token": token})


@pytest.fixture
def sign_in(client):
    body = {"password": PASSWORD}
    return lambda login: client.post("/v1/sessions", json={**body, "login": login})


@pytest.fixture
def token(jane, edit_row, sent_emails):
    """Return the token sent to jane's new address; her current one is verified."""
    edit_row(jane, email_verified=True)
    jane.patch("/v1/users/me", json={"email": NEW})
    return next(email.token for email in sent_emails() if email.to == NEW)


class TestOwnEmail:
    @pytest.mark.parametrize("path", ["/v1/users/me", "own id"])
    def test_pending(self, jane, edit_row, sent_emails, path):
        """ASVS 6.3.7: the old email is shown until the new one is confirmed; both are notified."""
        edit_row(jane, email_verified=True)
        response = jane.patch(path.replace("own id", jane.path), json={"email": NEW})

        sent = sorted((email.kind, email.to) for email in sent_emails())
        assert (response.status_code, response.json["email"]) == (202, JANE)
        assert "pending_email" not in response.json
        assert sent == [
            (EmailKind.CONFIRM_EMAIL_CHANGE, NEW),
            (EmailKind.EMAIL_CHANGE_REQUESTED, JANE),
        ]

    def test_only_the_new_address_has_the_token(self, jane, token, sent_emails):
        """The notice to the old address cannot be used to confirm the new one."""
        confirm, warn = sorted(sent_emails(), key=lambda email: email.kind)

        assert confirm.token == token
        assert warn.token == ""
        assert token not in warn.text
        assert NEW in warn.text

    def test_until_confirmed(self, jane, token, sign_in, client):
        """Until confirmation the old email signs in and is reserved, and the new one is neither."""
        zoe = {"username": "zoe", "email": NEW, "password": "a stone bridge over the river"}

        assert sign_in(JANE).status_code == 201
        assert outcome(sign_in(NEW)) == (401, "invalid-credentials", [])
        assert client.post("/v1/users", json=zoe).status_code == 201

    def test_confirmed(self, jane, token, confirm, sign_in):
        """After confirmation the new email is shown, verified, and signs in; not the old one."""
        response = confirm(token)

        shown = jane.get("/v1/users/me").json
        assert response.status_code == 204
        assert (shown["email"], shown["email_verified"]) == (NEW, True)
        assert sign_in(NEW).status_code == 201
        assert outcome(sign_in(JANE)) == (401, "invalid-credentials", [])

    def test_notice_to_the_old_address(self, jane, token, confirm, sent_emails):
        """ASVS 6.3.7: the old address is notified, in case of an attacker."""
        confirm(token)

        email = sent_emails()[-1]
        assert (email.kind, email.to, email.token) == (EmailKind.EMAIL_CHANGED, JANE, "")

    def test_taken_before_confirmation(self, jane, client, token, confirm, snapshot):
        """ASVS 2.3.3: an email that another user takes first changes nothing for jane."""
        zoe = {"username": "zoe", "email": NEW, "password": "a stone bridge over the river"}
        client.post("/v1/users", json=zoe)
        before = snapshot()

        assert outcome(confirm(token)) == (409, "email-taken", ["/email"])
        assert snapshot() == before

    @pytest.mark.parametrize("is_verified", [True, False])
    def test_taken(self, jane, eve, edit_row, sent_emails, is_verified):
        """M5: the response is the same for a taken address; a verified owner gets an email."""
        edit_row(eve, email_verified=is_verified)
        free = jane.patch("/v1/users/me", json={"email": NEW})
        taken = jane.patch("/v1/users/me", json={"email": "EVE@example.com"})

        shown = [{**each.json, "updated_at": ""} for each in (free, taken)]
        assert free.status_code == taken.status_code == 202
        assert shown[0] == shown[1]
        to_eve = [email.kind for email in sent_emails() if email.to == "eve@example.com"]
        assert to_eve == [EmailKind.ADDRESS_IN_USE] * is_verified

    def test_second_change_replaces_the_first(self, jane, token, confirm):
        """A second change makes the token of the first invalid."""
        jane.patch("/v1/users/me", json={"email": "other@example.com"})

        assert outcome(confirm(token))[1] == "invalid-token"
        assert jane.get("/v1/users/me").json["email"] == JANE

    def test_current_email_cancels(self, jane, token, confirm):
        """Sending the current email cancels a pending change."""
        response = jane.patch("/v1/users/me", json={"email": JANE})

        assert response.status_code == 200
        assert outcome(confirm(token))[1] == "invalid-token"
        assert jane.get("/v1/users/me").json["email_verified"]

    @pytest.mark.parametrize("email", [[NEW], [NEW, JANE], {}, 0, None, "nonsense", ""])
    def test_types(self, jane, sent_emails, email):
        """CVE-2023-7028: the email must be one string; a list sends nothing."""
        response = jane.patch("/v1/users/me", json={"email": email})

        assert outcome(response) == (422, "invalid-request", ["/email"])
        assert sent_emails() == []

    @pytest.mark.parametrize(
        ("field", "value", "rejection"),
        [
            ("pending_email", NEW, (422, "invalid-request")),
            ("email_verified", True, (403, "forbidden")),
        ],
    )
    def test_verified_flag_is_read_only(self, jane, snapshot, field, value, rejection):
        """ASVS 15.3.3: a user cannot set its email to verified."""
        before = snapshot()

        response = jane.patch("/v1/users/me", json={field: value})

        assert outcome(response) == (*rejection, [f"/{field}"])
        assert snapshot() == before

    def test_if_match(self, jane, sent_emails):
        """A stale ETag is rejected, and no email is sent."""
        response = jane.patch("/v1/users/me", json={"email": NEW}, headers={"If-Match": '"7"'})

        assert outcome(response)[:2] == (412, "version-mismatch")
        assert sent_emails() == []

    def test_five_emails_an_hour(self, jane, sent_emails):
        """ASVS 6.3.1: repeated changes cannot send an unlimited number of emails."""
        new_addresses = [f"new{n}@example.com" for n in range(6)]
        responses = [
            jane.patch("/v1/users/me", json={"email": new_address}) for new_address in new_addresses
        ]

        assert [response.status_code for response in responses] == [202] * 5 + [429]
        assert 1 <= int(responses[-1].headers["Retry-After"]) <= 3600
        assert "new5@example.com" not in {email.to for email in sent_emails()}

    def test_after_a_reset(self, jane, client, token, confirm, sent_emails):
        """A password reset cancels a change that a stolen session has requested."""
        client.post("/v1/password-resets", json={"email": JANE})
        body = {"token": sent_emails()[-1].token, "new_password": "a stone bridge over the river"}
        client.post("/v1/password-resets/confirm", json=body)

        assert outcome(confirm(token))[1] == "invalid-token"
        person = replace(jane, password=body["new_password"]).sign_in()
        assert person.get("/v1/users/me").json["email"] == JANE

    def test_token_for_the_old_address(self, jane, client, token, confirm, sent_emails):
        """A reset token sent to the old address is invalid after the change."""
        client.post("/v1/password-resets", json={"email": JANE})
        reset = sent_emails()[-1].token
        confirm(token)

        body = {"token": reset, "new_password": "a stone bridge over the river"}
        response = client.post("/v1/password-resets/confirm", json=body)
        assert outcome(response) == (422, "invalid-token", ["/token"])


class TestByAdmin:
    def test_at_once(self, john, jane, edit_row, sent_emails):
        """An admin's change applies at once, is not verified, and notifies the old address."""
        edit_row(jane, email_verified=True)
        response = john.patch(jane.path, json={"email": NEW})

        sent = [(email.kind, email.to, email.token) for email in sent_emails()]
        assert (response.json["email"], response.json["email_verified"]) == (NEW, False)
        assert sent == [(EmailKind.EMAIL_CHANGED, JANE, "")]

    def test_own(self, john, sent_emails):
        """An admin's own email has to be confirmed like a user's."""
        response = john.patch(john.path, json={"email": NEW})

        assert response.json["email"] == "john@example.com"
        assert sent_emails()[0].to == NEW


class TestWithoutEmail:
    def test_at_once(self, app, make_app, jane, edit_row):
        """Without email settings a new address applies at once, and is not verified."""
        edit_row(jane, email_verified=True)
        other = replace(jane, client=make_app().test_client())
        response = other.patch("/v1/users/me", json={"email": NEW})

        assert (response.json["email"], response.json["email_verified"]) == (NEW, False)
        with app.app_context():
            assert User.get(jane.id).pending_email is None
