"""`/v1/invitations`: invite, list, resend, revoke, accept."""

from dataclasses import replace
from datetime import timedelta

import pytest

from models import EmailKind, Session, SignUp
from models.clock import now
from tests.support.person import NEW_PASSWORD
from tests.support.responses import ABSENT_ID

PATH = "/v1/invitations"
ACCEPT = f"{PATH}/accept"
KEY = {"Idempotency-Key": "3b0f6a52-6a0e-4c43-9a0e-3f2a7c1b9d54"}


@pytest.fixture
def client(email_app):
    """Return an anonymous client of a service that sends emails."""
    return email_app.test_client()


@pytest.fixture
def tokens(client, sent_emails):
    """Return a function that returns the tokens of all invitations, the oldest first."""
    return lambda: [each.token for each in sent_emails() if each.kind == EmailKind.INVITATION]


@pytest.fixture
def invite(john):
    """Return a function that invites an address as john and returns the invitation."""

    def create(email="ada@example.com", **fields):
        response = john.post(PATH, json={"email": email, **fields})
        assert response.status_code == 201, response.json
        return response.json

    return create


@pytest.fixture
def accept(client):
    """Return a function that accepts an invitation."""

    def send(token, *, headers=None, **fields):
        body = {"token": token, "password": NEW_PASSWORD, **fields}
        return client.post(ACCEPT, json=body, headers=headers)

    return send


@pytest.fixture
def age_session(app):
    """Return a function that lets the session of a person begin an hour ago."""

    def age(person):
        past = now() - timedelta(hours=1)
        with app.app_context():
            row = Session.get(person.id, person.session_id)
            row.update([Session.authenticated_at.set(past)])

    return age


class TestCreate:
    def test_shown(self, john, invite):
        """The response describes the invitation, and has no token."""
        created = invite(roles=["user"], app_metadata={"plan": "pro"}, locale="de")

        assert created["email"] == "ada@example.com"
        assert created["status"] == "pending"
        assert created["invited_by"] == john.id
        assert created["app_metadata"] == {"plan": "pro"}
        assert not [name for name in created if "token" in name]

    def test_emailed(self, invite, sent_emails):
        """The owner of the address gets one link, with the token behind the number sign."""
        invite("Ada@Example.com")

        [email] = sent_emails()
        assert email.kind is EmailKind.INVITATION
        assert email.to == "Ada@example.com"
        assert f"/accept-invitation#token={email.token}" in email.text
        assert email.token.startswith("roi_")

    def test_language(self, invite, sent_emails):
        """The email is in the language of the invitation."""
        invite(locale="de-AT")

        [email] = sent_emails()
        assert "Passwort" in email.text

    def test_user_has_the_address(self, john, jane, sent_emails):
        """Only the admin learns that a user has the address: no email is sent."""
        response = john.post(PATH, json={"email": "JANE@example.com"})

        assert response.status_code == 409
        assert response.json["type"] == "/problems/email-taken"
        assert sent_emails() == []

    def test_invited_twice(self, john, invite, sent_emails):
        """An address has one pending invitation, regardless of case."""
        invite()

        response = john.post(PATH, json={"email": "ADA@example.com"})

        assert response.status_code == 409
        assert response.json["type"] == "/problems/already-invited"
        assert len(sent_emails()) == 1

    def test_invited_twice_after_many_attempts(self, john, invite):
        """The quota of the address does not hide that it is invited."""
        invite()

        answers = [john.post(PATH, json={"email": "ada@example.com"}) for _ in range(6)]

        assert {answer.json["type"] for answer in answers} == {"/problems/already-invited"}

    def test_user_has_the_address_after_many_attempts(self, john, jane):
        """Nor that a user has it."""
        answers = [john.post(PATH, json={"email": "jane@example.com"}) for _ in range(6)]

        assert {answer.json["type"] for answer in answers} == {"/problems/email-taken"}

    def test_mailbox_is_not_flooded(self, john, invite):
        """Inviting and revoking in turns is limited for each address."""
        for _ in range(5):
            john.delete(f"{PATH}/{invite()['id']}")

        response = john.post(PATH, json={"email": "ada@example.com"})

        assert response.status_code == 429
        assert int(response.headers["Retry-After"]) > 0

    def test_all_faults_together(self, john):
        """All faulty fields are named at once."""
        body = {"email": "ada@", "roles": ["nobody"], "app_metadata": {"x": "x" * 5000}}

        response = john.post(PATH, json=body)

        assert response.status_code == 422
        pointers = [error["pointer"] for error in response.json["errors"]]
        assert pointers == ["/email", "/app_metadata", "/roles/0"]

    def test_external_id_in_use(self, john, jane):
        """The ID of another user is rejected."""
        john.patch(jane.path, json={"external_id": "crm-1042"})

        response = john.post(PATH, json={"email": "ada@example.com", "external_id": "crm-1042"})

        assert response.status_code == 409
        assert response.json["type"] == "/problems/external-id-taken"

    def test_repeated(self, john, sent_emails):
        """A repeat with the same key is answered like the first request, without another email."""
        body = {"email": "ada@example.com"}
        first = john.post(PATH, json=body, headers=KEY)

        second = john.post(PATH, json=body, headers=KEY)

        assert second.json == first.json
        assert second.headers["Idempotency-Replayed"] == "true"
        assert len(sent_emails()) == 1

    def test_no_email_configured(self, app, john):
        """A service without emails says so."""
        john = replace(john, client=app.test_client())

        response = john.post(PATH, json={"email": "ada@example.com"})

        assert response.status_code == 501

    def test_admin_needs_recent_authentication(self, john, sent_emails, age_session):
        """An old session invites users, but no admins."""
        age_session(john)

        as_user = john.post(PATH, json={"email": "ada@example.com"})
        as_admin = john.post(PATH, json={"email": "eve@example.com", "roles": ["admin"]})

        assert as_user.status_code == 201
        assert as_admin.status_code == 401
        assert as_admin.json["type"] == "/problems/fresh-sign-in-required"
        assert len(sent_emails()) == 1


class TestAccept:
    def test_new_user(self, invite, tokens, accept):
        """The user has what the invitation says, and its address is verified."""
        invite(roles=["user", "auditor"], app_metadata={"plan": "pro"}, external_id="crm-1042")

        response = accept(tokens()[0], username="ada", full_name="Ada Lovelace")

        assert response.status_code == 201
        assert response.headers["Location"] == f"/v1/users/{response.json['id']}"
        assert response.json["email"] == "ada@example.com"
        assert response.json["email_verified"] is True
        assert response.json["roles"] == ["auditor", "user"]
        assert response.json["app_metadata"] == {"plan": "pro"}
        assert response.json["external_id"] == "crm-1042"
        assert response.json["full_name"] == "Ada Lovelace"

    def test_signs_in(self, client, invite, tokens, accept):
        """The new user signs in with the password that it chose."""
        invite()
        accept(tokens()[0])

        login = {"login": "ada@example.com", "password": NEW_PASSWORD}

        assert client.post("/v1/sessions", json=login).status_code == 201

    def test_sign_up_closed(self, make_app, email_settings, john, client, invite, tokens):
        """An invitation is accepted while sign-up is closed."""
        invite()
        closed = make_app(signup=SignUp.CLOSED, email=email_settings).test_client()

        response = closed.post(ACCEPT, json={"token": tokens()[0], "password": NEW_PASSWORD})

        assert response.status_code == 201

    def test_used_up(self, invite, tokens, accept, john):
        """A token is accepted once, and the invitation is gone."""
        id = invite()["id"]
        accept(tokens()[0])

        again = accept(tokens()[0])

        assert again.status_code == 422
        assert again.json["type"] == "/problems/invalid-token"
        assert john.delete(f"{PATH}/{id}").status_code == 404

    def test_repeated(self, invite, tokens, accept):
        """A repeat with the same key is answered like the first request."""
        invite()
        first = accept(tokens()[0], headers=KEY)

        second = accept(tokens()[0], headers=KEY)

        assert second.status_code == 201
        assert second.json == first.json
        assert second.headers["Idempotency-Replayed"] == "true"

    def test_rejection_keeps_the_token(self, invite, tokens, accept, snapshot):
        """A weak password and a bad username are named together, and nothing changes."""
        invite()
        before = snapshot()

        rejected = accept(tokens()[0], password="ada@example.com", username="support")

        assert rejected.status_code == 422
        pointers = {error["pointer"] for error in rejected.json["errors"]}
        assert pointers == {"/password", "/username"}
        assert snapshot() == before
        assert accept(tokens()[0]).status_code == 201

    def test_address_taken_meanwhile(self, client, invite, tokens, accept, register, snapshot):
        """An address that was registered meanwhile stays with its user; nothing else changes."""
        invite()
        register("ada")
        before = snapshot()

        response = accept(tokens()[0])

        assert response.status_code == 409
        assert response.json["type"] == "/problems/email-taken"
        assert snapshot() == before

    @pytest.mark.parametrize("token", ["roi_none", "", "rso_none", f"roi_{'A' * 54}"])
    def test_unknown(self, client, app, accept, token, hashes):
        """A guess is rejected before it costs a hash."""
        response = accept(token)

        assert response.status_code == 422
        assert hashes == []

    def test_token_of_another_purpose(self, client, jane, accept, sent_emails):
        """A token that resets a password is no invitation."""
        client.post("/v1/password-resets", json={"email": "jane@example.com"})
        [email] = sent_emails()

        assert accept(email.token).json["type"] == "/problems/invalid-token"


class TestInviter:
    def test_demoted(self, create_user, invite, john, tokens, accept):
        """An invitation is void while its sender may not invite."""
        create_user("root", roles=["admin"])
        invite()
        john.patch("/v1/users/me", json={"roles": ["user"]})

        response = accept(tokens()[0])

        assert response.status_code == 422
        assert response.json["type"] == "/problems/invalid-token"

    def test_deleted(self, create_user, invite, john, tokens, accept):
        """The same when the sender is deleted."""
        create_user("root", roles=["admin"])
        invite()
        john.delete("/v1/users/me")

        assert accept(tokens()[0]).json["type"] == "/problems/invalid-token"

    def test_suspended(self, create_user, invite, john, tokens, accept):
        """The same when the sender is suspended."""
        root = create_user("root", roles=["admin"])
        invite()
        root.patch(john.path, json={"status": "suspended"})

        assert accept(tokens()[0]).json["type"] == "/problems/invalid-token"

    def test_another_admin_sends_it_again(self, create_user, invite, john, tokens, accept):
        """Another admin takes over the invitation by sending it again."""
        root = create_user("root", roles=["admin"])
        id = invite()["id"]
        [first] = tokens()
        john.patch("/v1/users/me", json={"roles": ["user"]})

        resent = root.post(f"{PATH}/{id}/resend")

        assert resent.json["invited_by"] == root.id
        [second] = set(tokens()) - {first}
        assert accept(first).status_code == 422
        assert accept(second).status_code == 201


class TestList:
    def test_pages(self, john, invite):
        """Invitations are listed newest first, in pages."""
        ids = [invite(f"user{number}@example.com")["id"] for number in range(3)]

        first = john.get(f"{PATH}?limit=2").json
        second = john.get(f"{PATH}?limit=2&cursor={first['next_cursor']}").json

        assert [item["id"] for item in first["items"] + second["items"]] == ids[::-1]
        assert second["next_cursor"] is None

    @pytest.mark.parametrize("reader", ["support", "auditor"])
    def test_readers(self, invite, reader, request):
        """Support and auditors read invitations, as they read users."""
        invite()
        caller = request.getfixturevalue(reader)

        assert len(caller.get(PATH).json["items"]) == 1
        assert caller.post(PATH, json={"email": "eve@example.com"}).status_code == 403


class TestResend:
    def test_new_token(self, john, invite, tokens, accept):
        """The new email has another token, and the older one is void."""
        id = invite()["id"]
        [first] = tokens()

        response = john.post(f"{PATH}/{id}/resend")

        assert response.status_code == 200
        [second] = set(tokens()) - {first}
        assert accept(first).status_code == 422
        assert accept(second).status_code == 201

    def test_user_has_the_address(self, john, invite, register):
        """An invitation whose address a user has by now is not sent again."""
        id = invite()["id"]
        register("ada")

        response = john.post(f"{PATH}/{id}/resend")

        assert response.status_code == 409
        assert response.json["type"] == "/problems/email-taken"

    def test_quota(self, john, invite):
        """One address gets five invitations an hour, the first one included."""
        id = invite()["id"]

        statuses = [john.post(f"{PATH}/{id}/resend").status_code for _ in range(5)]

        assert statuses == [200, 200, 200, 200, 429]

    def test_unknown(self, john, app):
        """There is no invitation with another ID."""
        response = john.post(f"{PATH}/{ABSENT_ID}/resend")

        assert response.status_code == 404
        assert response.json["type"] == "/problems/invitation-not-found"


class TestRevoke:
    def test_void(self, john, invite, tokens, accept):
        """The token is void at once, and the address can be invited again."""
        id = invite()["id"]

        assert john.delete(f"{PATH}/{id}").status_code == 204
        assert accept(tokens()[0]).status_code == 422
        assert john.delete(f"{PATH}/{id}").status_code == 404
        assert invite()["id"] != id
