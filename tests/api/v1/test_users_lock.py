"""The lockout after failed attempts, and DELETE /v1/users/{id}/lock."""

import pytest

from models.tables.audit_event import AuditEvent
from models.tables.login_attempts import FIRST_WAIT, FREE_ATTEMPTS
from tests.support.api_keys import with_key
from tests.support.person import PASSWORD
from tests.support.responses import ABSENT_ID, outcome

WRONG = "not the password at all"


@pytest.fixture
def sign_in(client):
    """Return a function that signs in with a fixed request id, for comparing responses."""

    def attempt(login, password=PASSWORD):
        body = {"login": login, "password": password}
        return client.post("/v1/sessions", json=body, headers={"X-Request-Id": "same"})

    return attempt


@pytest.fixture
def lock(sign_in):
    """Return a function that fails attempts until none is free."""

    def guess(*logins):
        return [sign_in(logins[n % len(logins)], WRONG).status_code for n in range(FREE_ATTEMPTS)]

    return guess


class TestLockout:
    def test_one_too_many(self, jane, lock, sign_in):
        """ASVS 6.3.1: attempts beyond the free ones are rejected with `Retry-After`."""
        statuses = lock("jane")
        response = sign_in("jane", WRONG)

        assert statuses == [401] * FREE_ATTEMPTS
        assert outcome(response) == (429, "too-many-requests", [])
        assert 1 <= int(response.headers["Retry-After"]) <= FIRST_WAIT.total_seconds()

    def test_right_password(self, jane, lock, sign_in, hashes):
        """The right password is rejected with the same response, without a hash."""
        lock("jane")
        hashes.clear()
        right, wrong = sign_in("jane", PASSWORD), sign_in("jane", WRONG)

        assert {outcome(right)[:2], outcome(wrong)[:2]} == {(429, "too-many-requests")}
        assert right.json.keys() == wrong.json.keys()
        assert hashes == []

    def test_shared_count(self, jane, lock, sign_in):
        """Username and email share one count, in any case."""
        statuses = lock("jane", "jane@example.com", "JANE", "JANE@Example.com")

        assert statuses == [401] * FREE_ATTEMPTS
        assert [sign_in(login).status_code for login in ("jane", "jane@example.com")] == [429, 429]

    def test_unknown_login(self, client, lock, sign_in):
        """ASVS 6.3.8: an unknown login locks in the same way."""
        statuses = lock("unknown")
        response = sign_in("unknown")

        assert statuses == [401] * FREE_ATTEMPTS
        assert outcome(response) == (429, "too-many-requests", [])
        assert 1 <= int(response.headers["Retry-After"]) <= FIRST_WAIT.total_seconds()

    def test_other_users(self, jane, eve, lock, sign_in):
        """Failed attempts at one user's login do not lock another user out."""
        lock("jane")

        assert sign_in("eve").status_code == 201

    def test_sessions_continue(self, jane, lock):
        """ASVS 6.1.1: failed attempts of strangers end no session."""
        lock("jane")

        assert jane.get("/v1/users/me").status_code == 200


class TestUnlock:
    def test_next_attempt(self, john, jane, lock, sign_in):
        """After a 204 without body the next attempt is accepted."""
        lock("jane")
        response = john.delete(f"{jane.path}/lock")

        assert (response.status_code, response.data) == (204, b"")
        assert sign_in("jane").status_code == 201

    def test_count_is_reset(self, john, jane, lock, sign_in):
        """All free attempts are available again, and no more."""
        lock("jane")
        john.delete(f"{jane.path}/lock")

        assert lock("jane") == [401] * FREE_ATTEMPTS
        assert sign_in("jane").status_code == 429

    def test_event(self, app, john, jane):
        """The event has the admin as actor."""
        john.delete(f"{jane.path}/lock")

        with app.app_context():
            *_, event = AuditEvent.query(jane.id)
        assert (event.type, event.actor_id, event.ip) == ("user.unlocked", john.id, "127.0.0.1")

    def test_not_locked(self, john, jane):
        """Unlocking a user that is not locked succeeds."""
        assert john.delete(f"{jane.path}/lock").status_code == 204
        assert john.delete(f"{jane.path}/lock").status_code == 204

    def test_etag_is_unchanged(self, john, jane):
        """Unlocking does not change the user's ETag."""
        before = john.get(jane.path)
        john.delete(f"{jane.path}/lock")

        after = john.get(jane.path)
        assert after.headers["ETag"] == before.headers["ETag"]
        assert after.json == before.json

    def test_permissions(self, john, jane, eve, client, lock, sign_in):
        """ASVS 8.2.1: only an admin's session may unlock, not the user itself and no key."""
        lock("jane")
        responses = [
            jane.delete("/v1/users/me/lock"),
            jane.delete(f"{jane.path}/lock"),
            eve.delete(f"{jane.path}/lock"),
            with_key(john, roles=["admin"]).delete(f"{jane.path}/lock"),
        ]
        anonymous = client.delete(f"{jane.path}/lock")

        assert {outcome(response)[:2] for response in responses} == {(403, "forbidden")}
        assert outcome(anonymous)[:2] == (401, "unauthenticated")
        assert sign_in("jane").status_code == 429

    def test_unknown_user(self, john):
        """An unknown id is a 404."""
        response = john.delete(f"/v1/users/{ABSENT_ID}/lock")

        assert outcome(response) == (404, "user-not-found", [])
