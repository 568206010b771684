"""An account gets keys and a second factor after its address is verified (H6)."""

from dataclasses import replace

import pytest

from models.tables.login_attempts import FREE_ATTEMPTS
from tests.support.person import PASSWORD, Person
from tests.support.responses import outcome

WAYS = [
    pytest.param("/v1/users/me/api-keys", {"name": "nightly"}, id="an API key"),
    pytest.param("/v1/users/me/second-factor", None, id="a second factor"),
]


@pytest.fixture
def mailed_jane(email_app, jane) -> Person:
    """Jane on a service that sends emails; her address is not verified."""
    return replace(jane, client=email_app.test_client())


class TestUnverified:
    @pytest.mark.parametrize("path, body", WAYS)
    def test_rejected(self, mailed_jane, snapshot, path, body):
        """Where emails are sent, an account with an unverified address gets nothing that lasts."""
        before = snapshot()

        response = mailed_jane.post(path, json=body)

        assert outcome(response) == (403, "email-not-verified", [])
        assert snapshot() == before

    @pytest.mark.parametrize("path, body", WAYS)
    def test_verified(self, mailed_jane, edit_row, path, body):
        """With a verified address it does."""
        edit_row(mailed_jane, email_verified=True)

        assert mailed_jane.post(path, json=body).status_code == 201

    @pytest.mark.parametrize("path, body", WAYS)
    def test_without_emails(self, jane, path, body):
        """Where no emails can be sent, no address can be verified, and nothing is required."""
        assert jane.post(path, json=body).status_code == 201

    def test_before_the_body(self, mailed_jane):
        """The address is checked before the body is read."""
        response = mailed_jane.post(
            "/v1/users/me/api-keys", data="{", content_type="application/json"
        )

        assert outcome(response)[1] == "email-not-verified"


class TestReset:
    def test_revoke_api_keys(self, mailed_jane, edit_row, sent_emails):
        """A reset revokes the API keys if the request says so."""
        edit_row(mailed_jane, email_verified=True)
        key = mailed_jane.post("/v1/users/me/api-keys", json={"name": "nightly"}).json["key"]
        mailed_jane.client.post("/v1/password-resets", json={"email": "jane@example.com"})
        [token] = filter(None, (email.token for email in sent_emails()))
        body = {"token": token, "new_password": "seven lanterns on the pier"}

        response = mailed_jane.client.post(
            "/v1/password-resets/confirm", json={**body, "revoke_api_keys": True}
        )

        assert response.status_code == 204
        assert replace(mailed_jane, token=key).get("/v1/users/me").status_code == 401

    @pytest.mark.parametrize("value", ["true", 1, None, []])
    def test_invalid(self, mailed_jane, value):
        """`revoke_api_keys` is true or false."""
        body = {"token": "x" * 60, "new_password": "seven lanterns on the pier"}

        response = mailed_jane.client.post(
            "/v1/password-resets/confirm", json={**body, "revoke_api_keys": value}
        )

        assert outcome(response) == (422, "invalid-request", ["/revoke_api_keys"])


class TestVerification:
    """Verifying an address requires the account, not only its mailbox."""

    @pytest.fixture
    def token(self, mailed_jane, sent_emails):
        """Return the token that was emailed to jane."""
        body = {"email": "jane@example.com"}
        mailed_jane.client.post("/v1/email-verifications", json=body)
        return sent_emails()[-1].token

    @pytest.fixture
    def confirm(self, mailed_jane, token):
        """Return a function that sends the token without a session."""

        def post(headers=None, **fields):
            return mailed_jane.client.post(
                "/v1/email-verifications/confirm", json={"token": token, **fields}, headers=headers
            )

        return post

    def test_mailbox_alone(self, mailed_jane, confirm, snapshot):
        """The owner of a mailbox does not verify an account that another person has created."""
        before = snapshot()
        response = confirm()

        assert outcome(response)[:2] == (401, "unauthenticated")
        assert "`password`" in response.json["detail"]
        assert snapshot() == before

    def test_wrong_password(self, mailed_jane, confirm):
        """Nor with a wrong password, which names the field."""
        response = confirm(password="wrong")

        assert outcome(response) == (401, "invalid-credentials", ["/password"])
        assert not mailed_jane.get("/v1/users/me").json["email_verified"]

    def test_password(self, mailed_jane, confirm):
        """With the password of the account it is verified."""
        assert confirm(password=PASSWORD).status_code == 204
        assert mailed_jane.get("/v1/users/me").json["email_verified"]

    def test_session(self, mailed_jane, confirm):
        """In a session of the account no password is needed."""
        assert confirm({"Authorization": f"Bearer {mailed_jane.token}"}).status_code == 204
        assert mailed_jane.get("/v1/users/me").json["email_verified"]

    def test_session_of_another_user(self, mailed_jane, john, confirm):
        """A session of another account proves nothing; the password does."""
        headers = {"Authorization": f"Bearer {john.token}"}

        assert outcome(confirm(headers))[:2] == (401, "unauthenticated")
        assert confirm(headers, password=PASSWORD).status_code == 204

    def test_session_ended_meanwhile(self, mailed_jane, confirm):
        """An ended session proves nothing."""
        mailed_jane.delete("/v1/sessions/current")
        headers = {"Authorization": f"Bearer {mailed_jane.token}"}

        assert outcome(confirm(headers))[:2] == (401, "unauthenticated")

    def test_guessing(self, confirm):
        """ASVS 6.3.1: wrong passwords are limited, apart from the attempts to sign in."""
        guesses = [confirm(password="wrong") for _ in range(FREE_ATTEMPTS)]

        assert {response.status_code for response in guesses} == {401}
        assert confirm(password=PASSWORD).status_code == 429

    def test_during_a_lockout(self, mailed_jane, confirm):
        """ASVS 6.1.1: failed sign-ins of others do not keep the user from verifying."""
        for _ in range(FREE_ATTEMPTS + 1):
            body = {"login": "jane", "password": "wrong"}
            mailed_jane.client.post("/v1/sessions", json=body)

        assert confirm(password=PASSWORD).status_code == 204

    @pytest.mark.parametrize("password", [None, 1, [], {}, "x" * 1025])
    def test_malformed_password(self, confirm, password):
        """The password is a text."""
        assert outcome(confirm(password=password)) == (422, "invalid-request", ["/password"])
