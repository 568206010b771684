"""The lock after failed sign-ins, and DELETE /v1/users/{id}/lock."""

import pytest

from models.tables.audit_event import AuditEvent
from models.tables.login_attempts import FIRST_WAIT, FREE_ATTEMPTS
from tests.support.api_keys import with_key
from tests.support.person import PASSWORD
from tests.support.responses import ABSENT_ID, outcome

WRONG = "not the password at all"


@pytest.fixture
def sign_in(client):
    """Signs in with a request id that is always the same, so that answers can be compared."""

    def attempt(login, password=PASSWORD):
        body = {"login": login, "password": password}
        return client.post("/v1/sessions", json=body, headers={"X-Request-Id": "same"})

    return attempt


@pytest.fixture
def lock(sign_in):
    """Tries wrong passwords until there is no free try left."""

    def guess(*logins):
        return [sign_in(logins[n % len(logins)], WRONG).status_code for n in range(FREE_ATTEMPTS)]

    return guess


class TestLock:
    def test_one_too_many(self, jane, lock, sign_in):
        """ASVS 6.3.1: after the free tries none is looked at, and `Retry-After` says how long."""
        statuses = lock("jane")
        answer = sign_in("jane", WRONG)

        assert statuses == [401] * FREE_ATTEMPTS
        assert outcome(answer) == (429, "too-many-requests", [])
        assert 1 <= int(answer.headers["Retry-After"]) <= FIRST_WAIT.total_seconds()

    def test_right_password(self, jane, lock, sign_in, hashes):
        """The right password is refused alike, after the same work: none."""
        lock("jane")
        hashes.clear()
        right, wrong = sign_in("jane", PASSWORD), sign_in("jane", WRONG)

        assert {outcome(right)[:2], outcome(wrong)[:2]} == {(429, "too-many-requests")}
        assert right.json.keys() == wrong.json.keys()
        assert hashes == []

    def test_one_count(self, jane, lock, sign_in):
        """User name and address share one count, in whatever case."""
        statuses = lock("jane", "jane@example.com", "JANE", "JANE@Example.com")

        assert statuses == [401] * FREE_ATTEMPTS
        assert [sign_in(login).status_code for login in ("jane", "jane@example.com")] == [429, 429]

    def test_nobody(self, client, lock, sign_in):
        """ASVS 6.3.8: a login that nobody has is locked alike."""
        statuses = lock("nobody")
        answer = sign_in("nobody")

        assert statuses == [401] * FREE_ATTEMPTS
        assert outcome(answer) == (429, "too-many-requests", [])
        assert 1 <= int(answer.headers["Retry-After"]) <= FIRST_WAIT.total_seconds()

    def test_others(self, jane, eve, lock, sign_in):
        """Nobody is locked out by guesses at somebody else."""
        lock("jane")

        assert sign_in("eve").status_code == 201

    def test_sessions_go_on(self, jane, lock):
        """ASVS 6.1.1: strangers who guess cannot sign anybody out."""
        lock("jane")

        assert jane.get("/v1/users/me").status_code == 200


class TestUnlock:
    def test_next_try(self, john, jane, lock, sign_in):
        """After a 204 without body the next try is granted."""
        lock("jane")
        answer = john.delete(f"{jane.path}/lock")

        assert (answer.status_code, answer.data) == (204, b"")
        assert sign_in("jane").status_code == 201

    def test_count_begins_anew(self, john, jane, lock, sign_in):
        """All free tries are there again, and no more."""
        lock("jane")
        john.delete(f"{jane.path}/lock")

        assert lock("jane") == [401] * FREE_ATTEMPTS
        assert sign_in("jane").status_code == 429

    def test_event(self, app, john, jane):
        """The event names the admin."""
        john.delete(f"{jane.path}/lock")

        with app.app_context():
            *_, event = AuditEvent.query(jane.id)
        assert (event.type, event.actor_id, event.ip) == ("user.unlocked", john.id, "127.0.0.1")

    def test_where_there_is_none(self, john, jane):
        """A lock that is not there is lifted all the same."""
        assert john.delete(f"{jane.path}/lock").status_code == 204
        assert john.delete(f"{jane.path}/lock").status_code == 204

    def test_no_edit(self, john, jane):
        """What an editor has read is still what there is."""
        before = john.get(jane.path)
        john.delete(f"{jane.path}/lock")

        after = john.get(jane.path)
        assert after.headers["ETag"] == before.headers["ETag"]
        assert after.json == before.json

    def test_who(self, john, jane, eve, client, lock, sign_in):
        """ASVS 8.2.1: only an admin's session may, not the user itself and no key."""
        lock("jane")
        refusals = [
            jane.delete("/v1/users/me/lock"),
            jane.delete(f"{jane.path}/lock"),
            eve.delete(f"{jane.path}/lock"),
            with_key(john, roles=["admin"]).delete(f"{jane.path}/lock"),
        ]
        anonymous = client.delete(f"{jane.path}/lock")

        assert {outcome(answer)[:2] for answer in refusals} == {(403, "forbidden")}
        assert outcome(anonymous)[:2] == (401, "unauthenticated")
        assert sign_in("jane").status_code == 429

    def test_nobody(self, john):
        """An id that nobody has is a 404."""
        answer = john.delete(f"/v1/users/{ABSENT_ID}/lock")

        assert outcome(answer) == (404, "user-not-found", [])
