"""An account gets keys and a second factor after its address is verified (H6)."""

from dataclasses import replace

import pytest

from tests.support.person import Person
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
        body = {"token": sent_emails()[-1].token, "new_password": "seven lanterns on the pier"}

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
