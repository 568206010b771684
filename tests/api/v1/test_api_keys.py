"""/v1/users/{id}/api-keys: create, list and revoke."""

import logging
from datetime import UTC, datetime, timedelta

import pytest

from models import ApiKey, User
from tests.support.api_keys import with_key
from tests.support.responses import ABSENT_ID, outcome

PATH = "/v1/users/me/api-keys"
FIELDS = {"id", "name", "roles", "scopes", "created_at", "expires_at", "last_used_at"}
ABSENT_KEY = "0" * 64
NIGHTLY = {"name": "nightly"}


def lifetime(answer):
    """Return the lifetime of a key from its JSON."""
    ends, begins = (datetime.fromisoformat(answer[name]) for name in ("expires_at", "created_at"))
    return ends - begins


class TestCreate:
    def test_response(self, jane):
        """The response describes the key, has its `Location`, and is not cacheable."""
        response = jane.post(PATH, json={"name": "nightly", "roles": ["user"]})

        shown = response.json
        assert response.status_code == 201
        assert set(shown) == {*FIELDS, "key"}
        assert (shown["name"], shown["roles"], shown["last_used_at"]) == ("nightly", ["user"], None)
        assert response.headers["Location"] == f"{jane.path}/api-keys/{shown['id']}"
        assert response.headers["Cache-Control"] == "no-store"

    def test_key_authenticates(self, jane):
        """The key authenticates the next request."""
        response = with_key(jane).get("/v1/users/me")

        assert response.status_code == 200
        assert response.json["id"] == jane.id

    def test_shown_once(self, jane, john):
        """ASVS 14.2.1: no other response and no URL contains the key."""
        response = jane.post(PATH, json=NIGHTLY)

        key = response.json["key"]
        later = [jane.get(PATH), john.get(f"{jane.path}/api-keys"), jane.get("/v1/users/me")]
        assert [answer.status_code for answer in later] == [200, 200, 200]
        assert key not in "".join(answer.text for answer in later)
        assert key not in str(response.headers)

    def test_not_logged_nor_stored(self, jane, john, caplog, snapshot):
        """ASVS 16.2.5: neither the log nor a table contains the key, whatever is done with it."""
        caplog.set_level(logging.INFO)
        caplog.set_level(logging.DEBUG, logger="roster")
        machine = with_key(jane)

        machine.get("/v1/users/me")
        machine.patch("/v1/users/me", json={"full_name": "Jane"})
        machine.delete(PATH)
        john.delete(f"{jane.path}/api-keys/{machine.session_id}")
        machine.get("/v1/users/me")

        assert machine.token not in caplog.text
        assert machine.token not in str(snapshot())

    @pytest.mark.parametrize("fields, days", [({}, 90), ({"expires_in_days": 1}, 1)])
    def test_lifetime(self, jane, fields, days):
        """A key has the requested lifetime, 90 days by default."""
        assert lifetime(jane.post(PATH, json={**NIGHTLY, **fields}).json) == timedelta(days=days)

    def test_default_roles(self, create_user):
        """A key has no admin role unless it was requested."""
        owner = create_user("chief", roles=["admin", "user"])

        assert owner.post(PATH, json=NIGHTLY).json["roles"] == ["user"]

    def test_foreign_role(self, jane, snapshot):
        """ASVS 8.2.3: a key cannot have a role that its owner does not have."""
        before = snapshot()

        response = jane.post(PATH, json={**NIGHTLY, "roles": ["admin"]})

        assert outcome(response) == (422, "invalid-request", ["/roles"])
        assert snapshot() == before

    @pytest.mark.parametrize(
        "fields, pointer",
        [
            ({"name": ""}, "/name"),
            ({"name": " nightly"}, "/name"),
            ({"name": "n" * 101}, "/name"),
            ({"name": "nightly\u0007"}, "/name"),
            ({"name": "nightly\n"}, "/name"),
            ({"name": "nightly\u202egnp"}, "/name"),
            ({"name": ["nightly"]}, "/name"),
            ({"name": None}, "/name"),
            ({"roles": "user"}, "/roles"),
            ({"roles": ["root"]}, "/roles/0"),
            ({"roles": ["user", "user"]}, "/roles"),
            ({"roles": None}, "/roles"),
            ({"expires_in_days": 0}, "/expires_in_days"),
            ({"expires_in_days": 367}, "/expires_in_days"),
            ({"expires_in_days": 1.5}, "/expires_in_days"),
            ({"expires_in_days": "90"}, "/expires_in_days"),
            ({"expires_in_days": True}, "/expires_in_days"),
            ({"key": "rsk_mine"}, "/key"),
            ({"id": ABSENT_KEY}, "/id"),
            ({"user_id": ABSENT_ID}, "/user_id"),
            ({"expires_at": "2999-01-01T00:00:00Z"}, "/expires_at"),
        ],
    )
    def test_invalid_field(self, jane, fields, pointer):
        """ASVS 15.3.3, 15.3.5: an unknown field or a value out of bounds is named."""
        response = jane.post(PATH, json={**NIGHTLY, **fields})

        assert outcome(response) == (422, "invalid-request", [pointer])

    def test_name_is_missing(self, jane):
        """A name is required."""
        assert outcome(jane.post(PATH, json={})) == (422, "invalid-request", ["/name"])

    def test_bounds(self, jane):
        """The longest name and the longest lifetime are accepted."""
        response = jane.post(PATH, json={"name": "é" * 100, "expires_in_days": 366})

        assert response.status_code == 201
        assert response.json["name"] == "é" * 100

    def test_maximum(self, jane, monkeypatch):
        """The number of keys per user is limited."""
        monkeypatch.setattr("models.services.api_keys.MAX_API_KEYS", 1)
        with_key(jane)

        assert outcome(jane.post(PATH, json=NIGHTLY))[:2] == (422, "invalid-request")

    def test_too_many_emails(self, jane, make_app):
        """ASVS 2.4.1: creating keys cannot send an unlimited number of emails."""
        jane.client = make_app().test_client()

        # More than the quotas of two windows, in case the first one ends during the test.
        responses = [jane.post(PATH, json=NIGHTLY) for _ in range(45)]

        assert {response.status_code for response in responses} == {201, 429}

    def test_for_another_user(self, jane, eve, john):
        """ASVS 8.2.2: even an admin cannot create a key of another user."""
        body = {"json": NIGHTLY}

        assert outcome(eve.post(f"{jane.path}/api-keys", **body))[:2] == (404, "user-not-found")
        assert outcome(john.post(f"{jane.path}/api-keys", **body))[:2] == (403, "forbidden")

    def test_by_a_key(self, jane, create_user):
        """A key cannot create keys, so revoking it ends all its access."""
        owner = create_user("chief", roles=["admin", "user"])
        machine = with_key(owner, roles=["admin", "user"])

        assert outcome(machine.post(PATH, json=NIGHTLY)) == (403, "forbidden", [])
        assert outcome(machine.post(f"{jane.path}/api-keys", json=NIGHTLY))[0] == 403


class TestList:
    def test_newest_first(self, jane):
        """A user sees its keys, newest first, without their secrets."""
        older = with_key(jane, name="older")
        newer = with_key(jane, name="newer")

        response = jane.get(PATH)
        keys = response.json["items"]
        assert [key["name"] for key in keys] == ["newer", "older"]
        assert [key["id"] for key in keys] == [newer.session_id, older.session_id]
        assert all(set(key) == FIELDS for key in keys)

    def test_empty(self, jane, eve):
        """Keys of other users are not in the list."""
        with_key(eve)

        assert jane.get(PATH).json == {"items": [], "next_cursor": None}

    def test_last_use(self, jane):
        """A key has the time of its last use, null before the first."""
        machine = with_key(jane)
        before = jane.get(PATH).json["items"][0]["last_used_at"]

        machine.get("/v1/users/me")

        assert before is None
        assert jane.get(PATH).json["items"][0]["last_used_at"] is not None

    def test_permissions(self, jane, eve, john):
        """ASVS 8.2.2: the user and admins may list keys; other users get a 404."""
        with_key(jane)
        path = f"{jane.path}/api-keys"

        assert len(john.get(path).json["items"]) == 1
        assert outcome(eve.get(path))[:2] == (404, "user-not-found")
        assert outcome(john.get(f"/v1/users/{ABSENT_ID}/api-keys"))[:2] == (404, "user-not-found")

    def test_of_a_suspended_user(self, jane, john):
        """An admin sees the keys of a suspended user, which work again after reactivation."""
        with_key(jane)
        john.patch(jane.path, json={"status": "suspended"})

        assert len(john.get(f"{jane.path}/api-keys").json["items"]) == 1


class TestRevoke:
    def test_takes_effect_at_once(self, jane):
        """ASVS 7.4.1: a revoked key does not authenticate any more."""
        machine = with_key(jane)
        machine.get("/v1/users/me")

        response = jane.delete(f"{PATH}/{machine.session_id}")

        assert response.status_code == 204
        assert outcome(machine.get("/v1/users/me")) == (401, "unauthenticated", [])
        assert jane.get(PATH).json == {"items": [], "next_cursor": None}

    def test_other_keys(self, jane):
        """Only the named key is revoked."""
        first, second = with_key(jane), with_key(jane)
        jane.delete(f"{PATH}/{first.session_id}")

        assert second.get("/v1/users/me").status_code == 200

    def test_by_an_admin(self, jane, john):
        """ASVS 7.4.5: an admin revokes a user's key."""
        machine = with_key(jane)

        response = john.delete(f"{jane.path}/api-keys/{machine.session_id}")

        assert response.status_code == 204
        assert outcome(machine.get("/v1/users/me"))[0] == 401

    def test_of_another_user(self, jane, eve):
        """ASVS 8.2.2: another user's key is a 404 under either user's id."""
        machine = with_key(jane)

        foreign = eve.delete(f"{jane.path}/api-keys/{machine.session_id}")
        own = eve.delete(f"{PATH}/{machine.session_id}")

        assert outcome(foreign)[:2] == (404, "user-not-found")
        assert outcome(own)[:2] == (404, "api-key-not-found")
        assert machine.get("/v1/users/me").status_code == 200

    @pytest.mark.parametrize("key_id", [ABSENT_KEY, "nope", "0" * 63, "A" * 64, "rsk_nope"])
    def test_unknown(self, jane, key_id):
        """An unknown key is a 404, whatever the format of its id."""
        assert outcome(jane.delete(f"{PATH}/{key_id}")) == (404, "api-key-not-found", [])

    def test_twice(self, jane):
        """The second request to revoke a key is a 404."""
        machine = with_key(jane)
        jane.delete(f"{PATH}/{machine.session_id}")

        assert outcome(jane.delete(f"{PATH}/{machine.session_id}"))[0] == 404

    def test_by_itself(self, jane):
        """A key cannot revoke itself, since the routes of keys require a session."""
        machine = with_key(jane)

        response = machine.delete(f"{PATH}/{machine.session_id}")

        assert outcome(response) == (403, "forbidden", [])
        assert machine.get("/v1/users/me").status_code == 200


class TestRevokeAll:
    def test_by_the_owner(self, jane):
        """All keys are revoked at once, and the list is empty; the session stays."""
        machines = [with_key(jane) for _ in range(3)]

        response = jane.delete(PATH)

        assert (response.status_code, response.data) == (204, b"")
        statuses = {machine.get("/v1/users/me").status_code for machine in machines}
        assert statuses == {401}
        assert jane.get(PATH).json == {"items": [], "next_cursor": None}

    def test_none(self, jane):
        """Without keys it does the same, as often as it is repeated."""
        assert [jane.delete(PATH).status_code for _ in range(2)] == [204, 204]
        assert with_key(jane).get("/v1/users/me").status_code == 200

    def test_by_an_admin(self, jane, john):
        """An admin revokes the keys of a user and keeps its own."""
        machine, own = with_key(jane), with_key(john)

        response = john.delete(f"{jane.path}/api-keys")

        assert response.status_code == 204
        assert machine.get("/v1/users/me").status_code == 401
        assert own.get("/v1/users/me").status_code == 200

    def test_events(self, jane):
        """One event tells of it, without the id of a key."""
        with_key(jane)
        jane.delete(PATH)

        [event] = jane.get("/v1/users/me/events?type=api-keys.revoked").json["items"]
        assert event["api_key_id"] is None


class TestInvalidKeys:
    def test_expired(self, app, jane):
        """ASVS 7.3.2: an expired key does not authenticate while its row still exists."""
        machine = with_key(jane)
        with app.app_context():
            row = ApiKey.get(jane.id, machine.session_id)
            row.update([ApiKey.expires_at.set(datetime.now(UTC))])

        assert outcome(machine.get("/v1/users/me")) == (401, "unauthenticated", [])

    def test_suspended(self, jane, john):
        """ASVS 7.4.2: a suspended user's key is rejected at once."""
        machine = with_key(jane)
        john.patch(jane.path, json={"status": "suspended"})

        assert outcome(machine.get("/v1/users/me")) == (401, "unauthenticated", [])

    def test_deleted(self, jane, john):
        """ASVS 7.4.2: a deleted user's key is rejected at once."""
        machine = with_key(jane)
        john.delete(jane.path)

        assert outcome(machine.get("/v1/users/me")) == (401, "unauthenticated", [])

    def test_sign_out(self, app, jane):
        """Signing out ends sessions, not API keys."""
        machine = with_key(jane)
        jane.delete("/v1/sessions")

        with app.app_context():
            assert User.get(jane.id).session_epoch == 2
        assert machine.get("/v1/users/me").status_code == 200
