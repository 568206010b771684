"""POST /v1/password-resets/confirm."""

import logging
from dataclasses import replace
from datetime import timedelta

import pytest

from models import EmailKind
from models.clock import now
from models.tables.login_attempts import FREE_ATTEMPTS
from models.tables.one_time_token import OneTimeToken
from tests.support.api_keys import with_key
from tests.support.person import PASSWORD
from tests.support.responses import NEW_PASSWORD, outcome

JANE = "jane@example.com"


@pytest.fixture
def client(email_app):
    """Return an anonymous client of a service that sends emails."""
    return email_app.test_client()


@pytest.fixture
def confirm(client):
    def bring(token, new_password=NEW_PASSWORD):
        body = {"token": token, "new_password": new_password}
        return client.post("/v1/password-resets/confirm", json=body)

    return bring


@pytest.fixture
def token(jane, client, sent_emails):
    """Return the token that was emailed to jane."""
    client.post("/v1/password-resets", json={"email": JANE})
    return sent_emails()[-1].token


@pytest.fixture
def verified(jane, edit_row):
    """The address of jane is verified."""
    edit_row(jane, email_verified=True)


class TestConfirm:
    def test_new_password(self, jane, confirm, token):
        """After a 204 without body the new password signs in, the old one does not."""
        response = confirm(token)

        rejected = jane.client.post("/v1/sessions", json={"login": "jane", "password": PASSWORD})
        assert (response.status_code, response.data) == (204, b"")
        assert outcome(rejected) == (401, "invalid-credentials", [])
        assert replace(jane, password=NEW_PASSWORD).sign_in().token

    @pytest.mark.parametrize("token", ["", None, {}, [], [""], 0, False, True, "null!", "a b", "*"])
    def test_malformed_token(self, jane, confirm, snapshot, token):
        """CVE-2019-18818: a malformed token is rejected and changes nothing."""
        before = snapshot()
        response = confirm(token)

        assert outcome(response) == (422, "invalid-request", ["/token"])
        assert snapshot() == before

    def test_missing(self, jane, client, snapshot):
        """CVE-2019-18818: a missing token is rejected."""
        before = snapshot()
        response = client.post("/v1/password-resets/confirm", json={"new_password": NEW_PASSWORD})

        assert outcome(response) == (422, "invalid-request", ["/token"])
        assert snapshot() == before

    @pytest.mark.parametrize("token", ["null", "0", "rso_", "rso_" + "A" * 54, "a" * 128])
    def test_unknown(self, jane, confirm, snapshot, token):
        """An unknown token changes nothing."""
        before = snapshot()
        response = confirm(token)

        assert outcome(response) == (422, "invalid-token", ["/token"])
        assert snapshot() == before

    @pytest.mark.parametrize("new_password", [None, {}, [], 0, [NEW_PASSWORD]])
    def test_password_types(self, confirm, token, new_password):
        """ASVS 15.3.5: a password is a string, and an error does not consume the token."""
        response = confirm(token, new_password)

        assert outcome(response) == (422, "invalid-request", ["/new_password"])
        assert confirm(token).status_code == 204

    def test_weak(self, confirm, token):
        """A weak password is rejected with a reason, and the token can be used again."""
        response = confirm(token, "fourteen chars")

        assert outcome(response) == (422, "invalid-request", ["/new_password"])
        assert "fourteen chars" not in response.text
        assert confirm(token).status_code == 204

    def test_twice(self, confirm, token):
        """ASVS 6.5.1: a token works once."""
        confirm(token)

        assert outcome(confirm(token, "one more stone bridge")) == (
            422,
            "invalid-token",
            ["/token"],
        )

    def test_expired(self, app, jane, confirm, token):
        """ASVS 6.5.5: a token expires after ten minutes."""
        with app.app_context():
            (row,) = OneTimeToken.query(jane.id)
            left = row.expires_at - now()
            row.update([OneTimeToken.expires_at.set(now())])

        assert timedelta(minutes=9) < left <= timedelta(minutes=10)
        assert outcome(confirm(token))[1] == "invalid-token"

    def test_other_purpose(self, jane, client, confirm, sent_emails):
        """ASVS 6.6.2: an email verification token cannot reset a password."""
        client.post("/v1/email-verifications", json={"email": JANE})

        assert outcome(confirm(sent_emails()[-1].token))[1] == "invalid-token"

    @pytest.mark.parametrize(
        "token_of", [lambda jane: jane.token, lambda jane: with_key(jane).token]
    )
    def test_other_kinds(self, verified, jane, confirm, token_of):
        """ASVS 6.6.2: tokens of sessions and API keys cannot reset a password."""
        assert outcome(confirm(token_of(jane)))[1] == "invalid-token"

    def test_in_the_url(self, jane, client, token):
        """ASVS 14.2.1: a token in a URL is ignored."""
        response = client.post(
            f"/v1/password-resets/confirm?token={token}", json={"new_password": NEW_PASSWORD}
        )

        assert outcome(response) == (422, "invalid-request", ["/token"])

    def test_sessions(self, jane, second_session, confirm, token):
        """CVE-2023-40273: all sessions end, and the reset opens none."""
        phone = second_session(jane)
        confirm(token)

        assert outcome(jane.get("/v1/users/me")) == (401, "unauthenticated", [])
        assert outcome(phone.get("/v1/users/me")) == (401, "unauthenticated", [])

    def test_api_keys(self, verified, jane, confirm, token):
        """API keys stay valid, since they do not depend on the password."""
        machine = with_key(jane)
        confirm(token)

        assert machine.get("/v1/users/me").status_code == 200

    def test_suspended(self, jane, john, confirm, token):
        """GHSA-26c5-ppr8-f33p: a suspended user cannot set a password, nor sign in with it."""
        john.patch(jane.path, json={"status": "suspended"})
        response = confirm(token)

        rejected = jane.client.post(
            "/v1/sessions", json={"login": "jane", "password": NEW_PASSWORD}
        )
        assert outcome(response)[1] == "invalid-token"
        assert outcome(rejected) == (401, "invalid-credentials", [])

    def test_suspended_afterwards(self, jane, john, confirm, token):
        """GHSA-26c5-ppr8-f33p: a user suspended after a reset cannot sign in."""
        confirm(token)
        john.patch(jane.path, json={"status": "suspended"})

        response = jane.client.post(
            "/v1/sessions", json={"login": "jane", "password": NEW_PASSWORD}
        )
        assert outcome(response) == (401, "invalid-credentials", [])

    def test_lockout(self, jane, client, confirm, token):
        """A reset ends a lockout."""
        for _ in range(FREE_ATTEMPTS):
            client.post("/v1/sessions", json={"login": "jane", "password": "wrong"})
        locked = client.post("/v1/sessions", json={"login": "jane", "password": PASSWORD})
        confirm(token)

        assert outcome(locked)[:2] == (429, "too-many-requests")
        assert replace(jane, password=NEW_PASSWORD).sign_in().token

    def test_second_factor(self, jane, edit_row, confirm, token):
        """ASVS 6.4.3: the second factor is still required after a reset."""
        edit_row(jane, has_second_factor=True, email_verified=True)
        confirm(token)

        asked = jane.client.post("/v1/sessions", json={"login": "jane", "password": NEW_PASSWORD})
        assert outcome(asked) == (401, "second-factor-required", [])

    def test_notice(self, verified, confirm, token, sent_emails):
        """ASVS 6.3.7: the user is notified by email."""
        confirm(token)

        email = sent_emails()[-1]
        assert (email.kind, email.to) == (EmailKind.PASSWORD_CHANGED, JANE)
        assert email.token == ""

    def test_verifies_the_email(self, jane, confirm, token):
        """A reset verifies the email that the token was sent to."""
        confirm(token)

        person = replace(jane, password=NEW_PASSWORD).sign_in()
        assert person.get("/v1/users/me").json["email_verified"]

    def test_secrecy(self, app, jane, confirm, token, caplog, snapshot):
        """ASVS 16.2.5: the token is neither logged nor stored, nor repeated in an error."""
        caplog.set_level(logging.DEBUG)
        before = str(snapshot())
        confirm(token)
        response = confirm(token)

        secret = token[26:]
        assert secret not in before + str(snapshot()) + caplog.text + response.text
