"""POST /v1/sessions."""

from datetime import datetime, timedelta

import pytest

from tests.support.person import PASSWORD
from tests.support.responses import outcome


@pytest.fixture
def sign_in(client):
    """Return a function that signs in with a fixed request id, for comparing responses."""

    def attempt(login, password=PASSWORD, **options):
        body = {"login": login, "password": password}
        headers = {"X-Request-Id": "same", **options.pop("headers", {})}
        return client.post("/v1/sessions", json=body, headers=headers, **options)

    return attempt


class TestSignIn:
    @pytest.mark.parametrize(
        "login", ["jane", "JANE", "Jane", "jane@example.com", "JANE@Example.COM"]
    )
    def test_login_is_username_or_email(self, jane, sign_in, login):
        """The username and the email sign in, in any case."""
        response = sign_in(login)

        assert response.status_code == 201
        assert response.json["user"]["id"] == jane.id

    def test_response(self, jane, sign_in):
        """The response has the session, its token, its expiry, a device token and the user."""
        response = sign_in("jane")

        assert set(response.json) == {"id", "token", "expires_at", "device_token", "user"}
        assert response.json["user"] == jane.get("/v1/users/me").json
        assert response.headers["Cache-Control"] == "no-store"

    def test_token(self, jane, sign_in):
        """A token has a prefix, is safe in a header, and is new each time (ASVS 7.2.4)."""
        first, second = sign_in("jane").json["token"], sign_in("jane").json["token"]

        assert first.startswith("rst_")
        assert first.removeprefix("rst_").replace("-", "").replace("_", "").isalnum()
        assert first != second

    def test_id_is_not_the_token(self, jane, sign_in):
        """The id identifies a session and does not authenticate."""
        response = sign_in("jane")

        read = jane.client.get(
            "/v1/users/me", headers={"Authorization": f"Bearer {response.json['id']}"}
        )

        assert response.json["id"] not in response.json["token"]
        assert outcome(read) == (401, "unauthenticated", [])

    def test_token_works(self, jane, sign_in):
        """The token authenticates the next request."""
        token = sign_in("jane").json["token"]

        response = jane.client.get("/v1/users/me", headers={"Authorization": f"Bearer {token}"})

        assert response.json["username"] == "jane"

    def test_expires_at_is_the_idle_limit(self, jane, sign_in):
        """An unused session expires after seven days."""
        response = sign_in("jane")

        end = datetime.fromisoformat(response.json["expires_at"])
        start = datetime.fromisoformat(response.json["user"]["last_login_at"])
        assert abs(end - start - timedelta(days=7)) <= timedelta(seconds=1)

    def test_last_login_at(self, client, john, register, sign_in):
        """`last_login_at` is null until the first sign-in."""
        id = register("ada")
        before = john.get(f"/v1/users/{id}").json

        sign_in("ada", "a stone bridge over the river")

        after = john.get(f"/v1/users/{id}").json
        assert before["last_login_at"] is None
        assert after["last_login_at"] is not None
        assert after["updated_at"] == before["updated_at"]

    def test_failed_sign_in_keeps_last_login_at(self, john, register, sign_in):
        """A wrong password does not change `last_login_at`."""
        id = register("ada")

        sign_in("ada", "not the password at all")

        assert john.get(f"/v1/users/{id}").json["last_login_at"] is None

    def test_earlier_sessions_continue(self, jane, sign_in):
        """Signing in does not end other sessions."""
        sign_in("jane")

        assert jane.get("/v1/users/me").status_code == 200

    def test_token_of_the_client(self, jane, sign_in):
        """A token in the request is not adopted (CVE-2022-38054)."""
        fixed = "rst_" + "A" * 54
        response = sign_in("jane", headers={"Authorization": f"Bearer {fixed}"})

        read = jane.client.get("/v1/users/me", headers={"Authorization": f"Bearer {fixed}"})

        assert response.json["token"] != fixed
        assert outcome(read) == (401, "unauthenticated", [])


class TestFailures:
    @pytest.mark.parametrize(
        "login, password",
        [
            ("unknown", PASSWORD),
            ("unknown@example.com", PASSWORD),
            ("jane", "not the password at all"),
            ("jane@example.com", "not the password at all"),
            ("jane", PASSWORD.upper()),
            ("jane", f"{PASSWORD} "),
            ("jane", ""),
            ("", ""),
            ("", PASSWORD),
            ("jane@", PASSWORD),
            ("@", PASSWORD),
            ("!", PASSWORD),
            ("username#jane", PASSWORD),
            ("email#jane@example.com", PASSWORD),
            ("unknown", "a password of no account"),
            ("jane", "a password of no account"),
        ],
    )
    def test_indistinguishable(self, jane, eve, john, sign_in, login, password):
        """Unknown, wrong and suspended get identical bytes and headers (CVE-2024-41952)."""
        john.patch(eve.path, json={"status": "suspended"})
        suspended = sign_in("eve")

        response = sign_in(login, password)

        assert outcome(response) == (401, "invalid-credentials", [])
        assert response.data == suspended.data
        assert list(response.headers) == list(suspended.headers)

    def test_challenge(self, sign_in):
        """A 401 says how to authenticate (RFC 9110, 15.5.2)."""
        assert sign_in("unknown").headers["WWW-Authenticate"] == "Bearer"

    def test_no_session(self, jane, sign_in, snapshot):
        """A failed sign-in creates no session."""
        before = snapshot()["Session"]

        sign_in("jane", "not the password at all")

        assert snapshot()["Session"] == before

    @pytest.mark.parametrize("missing", ["login", "password"])
    def test_field_is_missing(self, client, missing):
        """Each missing field is named."""
        body = {"login": "jane", "password": PASSWORD}
        del body[missing]

        response = client.post("/v1/sessions", json=body)

        assert outcome(response) == (422, "invalid-request", [f"/{missing}"])
