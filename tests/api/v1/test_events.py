"""GET /v1/users/{id}/events."""

import pytest

from models import ANONYMOUS, AuditEvent
from tests.support.person import PASSWORD
from tests.support.responses import ABSENT_ID, next_path, outcome

PROGRAM = "Lynx/2.9.0"


@pytest.fixture
def active_user(jane):
    """Return jane after three renames, one sign-in and one failed sign-in."""
    for name in ("Jane A.", "Jane B.", "Jane C."):
        jane.patch(jane.path, json={"full_name": name})
    jane.client.post("/v1/sessions", json={"login": "jane", "password": "not her password"})
    return jane


def types(response):
    """Return the event types of a page."""
    return [event["type"] for event in response.json["items"]]


class TestPermissions:
    def test_anonymous(self, client, jane):
        """An anonymous client gets a 401."""
        assert outcome(client.get(f"{jane.path}/events")) == (401, "unauthenticated", [])

    def test_own_events(self, jane):
        """A user reads its events, by its id and as `me`."""
        by_id, as_me = jane.get(f"{jane.path}/events"), jane.get("/v1/users/me/events")

        assert by_id.status_code == 200
        assert by_id.json == as_me.json
        assert by_id.headers["Cache-Control"] == "no-store"

    def test_admin(self, john, jane):
        """An admin reads a user's events."""
        assert types(john.get(f"{jane.path}/events")) == ["session.opened", "user.registered"]

    def test_another_user(self, jane, eve):
        """Other users get a 404 (ASVS 8.2.2)."""
        assert outcome(eve.get(f"{jane.path}/events")) == (404, "user-not-found", [])

    @pytest.mark.parametrize("id", [ABSENT_ID, "unknown", "login%23" + "0" * 64])
    def test_unknown_user(self, john, id):
        """An unknown user is a 404, to an admin too."""
        assert outcome(john.get(f"/v1/users/{id}/events")) == (404, "user-not-found", [])


class TestItems:
    def test_newest_first(self, active_user):
        """The newest event comes first, and the registration last."""
        response = active_user.get(f"{active_user.path}/events")

        assert types(response) == [
            "sign-in.failed",
            "user.updated",
            "user.updated",
            "user.updated",
            "session.opened",
            "user.registered",
        ]
        assert response.json["next_cursor"] is None
        assert "Link" not in response.headers

    def test_own_change(self, jane):
        """An event has the changed fields, actor, client and time, without the new values."""
        headers = {"User-Agent": PROGRAM}
        after = jane.patch(jane.path, json={"full_name": "Jane Roe"}, headers=headers).json
        event = jane.get(f"{jane.path}/events").json["items"][0]

        assert event.pop("id")
        assert event == {
            "user_id": jane.id,
            "type": "user.updated",
            "at": after["updated_at"],
            "actor_id": jane.id,
            "ip": "127.0.0.1",
            "user_agent": PROGRAM,
            "api_key_id": None,
            "members": ["full_name"],
            "reason": None,
            "amr": [],
            "second_factor": None,
            "count": 1,
        }

    def test_failed_sign_in(self, active_user):
        """A failed sign-in has its reason and address, and no actor (ASVS 16.3.1)."""
        event = active_user.get(f"{active_user.path}/events").json["items"][0]

        assert event["type"] == "sign-in.failed"
        assert event["reason"] == "wrong-password"
        assert event["ip"] == "127.0.0.1"
        assert event["actor_id"] is None

    def test_client_of_a_sign_in(self, jane, client):
        """Events of sign-ins, also of failed ones, have what the client calls itself."""
        for password in (PASSWORD, "not her password"):
            body = {"login": "jane", "password": password}
            client.post("/v1/sessions", json=body, headers={"User-Agent": PROGRAM})
        events = jane.get(f"{jane.path}/events").json["items"][:2]

        assert [event["type"] for event in events] == ["sign-in.failed", "session.opened"]
        assert [event["user_agent"] for event in events] == [PROGRAM, PROGRAM]

    @pytest.mark.parametrize("sent, shown", [("x" * 5000, "x" * 400), ("", None)])
    def test_length_of_a_user_agent(self, jane, sent, shown):
        """A user agent is truncated, and an empty one is none."""
        headers = {"User-Agent": sent}
        jane.patch(jane.path, json={"full_name": "Jane Roe"}, headers=headers)

        assert jane.get(f"{jane.path}/events").json["items"][0]["user_agent"] == shown

    def test_change_by_an_admin(self, john, jane):
        """A user sees which admin changed it, but not the admin's address (ASVS 15.3.1)."""
        john.patch(jane.path, json={"full_name": "Jane Roe"})
        event = jane.get(f"{jane.path}/events").json["items"][0]

        assert event["actor_id"] == john.id
        assert (event["ip"], event["user_agent"]) == (None, None)

    def test_change_by_an_admin_as_admins_see_it(self, john, jane):
        """Admins see the address of the admin who changed a user."""
        john.patch(jane.path, json={"full_name": "Jane Roe"})
        event = john.get(f"{jane.path}/events").json["items"][0]

        assert event["actor_id"] == john.id
        assert event["ip"] == "127.0.0.1"

    def test_no_secrets_and_no_values(self, active_user):
        """Passwords, tokens, hashes and new values are not in an event (ASVS 16.2.5)."""
        text = active_user.get(f"{active_user.path}/events").text

        assert PASSWORD not in text
        assert "not her password" not in text
        assert active_user.token not in text
        assert active_user.session_id not in text
        assert "argon2" not in text
        assert "Jane A." not in text


class TestPages:
    @pytest.mark.parametrize("limit", [1, 2, 5, 6, 100])
    def test_every_event_once(self, active_user, limit):
        """Following `Link` shows every event exactly once, whatever the limit."""
        whole = active_user.get(f"{active_user.path}/events").json["items"]
        seen = list(walk(active_user, f"{active_user.path}/events?limit={limit}"))

        assert seen == whole

    def test_next_cursor_is_the_link(self, active_user):
        """`next_cursor` and the `Link` header lead to the same page."""
        first = active_user.get(f"{active_user.path}/events?limit=2")
        by_cursor = active_user.get(
            f"{active_user.path}/events?limit=2&cursor={first.json['next_cursor']}"
        )

        assert types(by_cursor) == ["user.updated", "user.updated"]
        assert active_user.get(next_path(first)).json == by_cursor.json

    def test_events_between_pages(self, active_user):
        """Events added between two pages neither shift nor repeat others."""
        first = active_user.get(f"{active_user.path}/events?limit=4")
        active_user.patch(active_user.path, json={"full_name": "Jane D."})

        assert types(active_user.get(next_path(first))) == ["session.opened", "user.registered"]

    def test_one_call_a_page(self, active_user, database_calls):
        """A page takes one round trip for authentication and one for its items."""
        with database_calls() as calls:
            active_user.get(f"{active_user.path}/events?limit=2")

        assert calls == ["BatchGetItem", "Query"]

    @pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=x"])
    def test_limit_out_of_bounds(self, jane, query):
        """A limit is a whole number from 1 to 100."""
        response = jane.get(f"{jane.path}/events?{query}")

        assert outcome(response) == (422, "invalid-request", ["/limit"])


class TestType:
    def test_filter(self, active_user):
        """`type` selects the events of one type."""
        response = active_user.get(f"{active_user.path}/events?type=session.opened")

        assert types(response) == ["session.opened"]
        assert response.json["next_cursor"] is None

    def test_pages_keep_the_type(self, active_user):
        """`Link` carries the type, so the next pages are filtered too."""
        seen = list(walk(active_user, f"{active_user.path}/events?type=user.updated&limit=1"))

        assert [event["type"] for event in seen] == ["user.updated"] * 3

    def test_old_events(self, app, jane):
        """Old events behind many of other types are found by following the pages."""
        with app.app_context(), AuditEvent.batch_write() as batch:
            for row in filler(jane.id, 120):
                batch.save(row)

        first = jane.get(f"{jane.path}/events?type=user.registered")
        second = jane.get(next_path(first))

        assert types(first) == []
        assert types(second) == ["user.registered"]
        assert second.json["next_cursor"] is None

    def test_unknown(self, jane):
        """An unknown type is rejected instead of returning an empty list."""
        response = jane.get(f"{jane.path}/events?type=user.kissed")

        assert outcome(response) == (422, "invalid-request", ["/type"])


class TestCursor:
    def test_of_another_user(self, john, active_user, eve):
        """A cursor is valid for one user's events only (ASVS 8.2.2)."""
        cursor = john.get(f"{active_user.path}/events?limit=1").json["next_cursor"]
        response = john.get(f"{eve.path}/events?cursor={cursor}")

        assert outcome(response) == (400, "invalid-cursor", ["/cursor"])

    def test_of_another_type(self, active_user):
        """A cursor of the unfiltered list is invalid for a filtered one."""
        cursor = active_user.get(f"{active_user.path}/events?limit=1").json["next_cursor"]
        response = active_user.get(f"{active_user.path}/events?type=user.updated&cursor={cursor}")

        assert outcome(response) == (400, "invalid-cursor", ["/cursor"])

    def test_modified(self, active_user):
        """A cursor with one modified character is invalid."""
        cursor = active_user.get(f"{active_user.path}/events?limit=1").json["next_cursor"]
        response = active_user.get(f"{active_user.path}/events?cursor=x{cursor[1:]}")

        assert outcome(response) == (400, "invalid-cursor", ["/cursor"])


def walk(person, path):
    """Return the events of all pages."""
    while path:
        response = person.get(path)
        assert response.status_code == 200, response.text
        yield from response.json["items"]
        path = next_path(response)


def filler(user_id, count):
    """Write events of another type than the test looks for."""
    return [AuditEvent.create("session.ended", user_id, ANONYMOUS) for _ in range(count)]
