"""GET /v1/users/{id}/events."""

import pytest

from models import ANONYMOUS, AuditEvent
from tests.support.person import PASSWORD
from tests.support.responses import ABSENT_ID, next_path, outcome


@pytest.fixture
def busy(jane):
    """Jane after three changes of her name, one sign-in and one failure to sign in."""
    for name in ("Jane A.", "Jane B.", "Jane C."):
        jane.patch(jane.path, json={"full_name": name})
    jane.client.post("/v1/sessions", json={"login": "jane", "password": "not her password"})
    return jane


def types(response):
    """The types of the events on a page."""
    return [event["type"] for event in response.json["items"]]


class TestWho:
    def test_anonymous(self, client, jane):
        """Events are for those who are signed in."""
        assert outcome(client.get(f"{jane.path}/events")) == (401, "unauthenticated", [])

    def test_the_user_itself(self, jane):
        """A user sees what happened to it, by its id and as `me` alike."""
        by_id, as_me = jane.get(f"{jane.path}/events"), jane.get("/v1/users/me/events")

        assert by_id.status_code == 200
        assert by_id.json == as_me.json
        assert by_id.headers["Cache-Control"] == "no-store"

    def test_admin(self, john, jane):
        """An admin sees what happened to a user."""
        assert types(john.get(f"{jane.path}/events")) == ["session.opened", "user.registered"]

    def test_somebody_else(self, jane, eve):
        """To others there is no such user, and so no event (ASVS 8.2.2)."""
        assert outcome(eve.get(f"{jane.path}/events")) == (404, "user-not-found", [])

    @pytest.mark.parametrize("id", [ABSENT_ID, "nobody", "login%23" + "0" * 64])
    def test_nobody(self, john, id):
        """Where there is no user there are no events, not even for an admin."""
        assert outcome(john.get(f"/v1/users/{id}/events")) == (404, "user-not-found", [])


class TestItems:
    def test_newest_first(self, busy):
        """The newest event comes first, back to the registration."""
        response = busy.get(f"{busy.path}/events")

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
        """An event tells what changed, who did it, from where and when; not to which value."""
        after = jane.patch(jane.path, json={"full_name": "Jane Roe"}).json
        event = jane.get(f"{jane.path}/events").json["items"][0]

        assert event.pop("id")
        assert event == {
            "type": "user.updated",
            "at": after["updated_at"],
            "actor_id": jane.id,
            "ip": "127.0.0.1",
            "api_key_id": None,
            "members": ["full_name"],
            "reason": None,
        }

    def test_failed_sign_in(self, busy):
        """A failure tells why and from where, and that nobody was signed in (ASVS 16.3.1)."""
        event = busy.get(f"{busy.path}/events").json["items"][0]

        assert event["type"] == "sign-in.failed"
        assert event["reason"] == "wrong-password"
        assert event["ip"] == "127.0.0.1"
        assert event["actor_id"] is None

    def test_change_by_an_admin(self, john, jane):
        """A user is told which admin changed it, but not from where (ASVS 15.3.1)."""
        john.patch(jane.path, json={"full_name": "Jane Roe"})
        event = jane.get(f"{jane.path}/events").json["items"][0]

        assert event["actor_id"] == john.id
        assert event["ip"] is None

    def test_change_by_an_admin_as_admins_see_it(self, john, jane):
        """Admins are told from where an admin changed a user."""
        john.patch(jane.path, json={"full_name": "Jane Roe"})
        event = john.get(f"{jane.path}/events").json["items"][0]

        assert event["actor_id"] == john.id
        assert event["ip"] == "127.0.0.1"

    def test_no_secrets_and_no_values(self, busy):
        """Neither passwords, tokens, hashes nor new values are in an event (ASVS 16.2.5)."""
        text = busy.get(f"{busy.path}/events").text

        assert PASSWORD not in text
        assert "not her password" not in text
        assert busy.token not in text
        assert busy.session_id not in text
        assert "argon2" not in text
        assert "Jane A." not in text


class TestPages:
    @pytest.mark.parametrize("limit", [1, 2, 5, 6, 100])
    def test_every_event_once(self, busy, limit):
        """Following `Link` shows every event exactly once, whatever the limit."""
        whole = busy.get(f"{busy.path}/events").json["items"]
        seen = list(walk(busy, f"{busy.path}/events?limit={limit}"))

        assert seen == whole

    def test_next_cursor_is_the_link(self, busy):
        """`next_cursor` and the `Link` header lead to the same page."""
        first = busy.get(f"{busy.path}/events?limit=2")
        by_cursor = busy.get(f"{busy.path}/events?limit=2&cursor={first.json['next_cursor']}")

        assert types(by_cursor) == ["user.updated", "user.updated"]
        assert busy.get(next_path(first)).json == by_cursor.json

    def test_something_happens_meanwhile(self, busy):
        """What happens while somebody turns pages neither shifts nor doubles anything."""
        first = busy.get(f"{busy.path}/events?limit=4")
        busy.patch(busy.path, json={"full_name": "Jane D."})

        assert types(busy.get(next_path(first))) == ["session.opened", "user.registered"]

    def test_one_call_a_page(self, busy, store_calls):
        """A page takes the round trip that reads the caller, and one more."""
        with store_calls() as calls:
            busy.get(f"{busy.path}/events?limit=2")

        assert calls == ["BatchGetItem", "Query"]

    @pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=x"])
    def test_limit_out_of_bounds(self, jane, query):
        """A limit is a whole number from 1 to 100."""
        response = jane.get(f"{jane.path}/events?{query}")

        assert outcome(response) == (422, "invalid-request", ["/limit"])


class TestType:
    def test_only_this_type(self, busy):
        """`type` lets only events of one type pass."""
        response = busy.get(f"{busy.path}/events?type=session.opened")

        assert types(response) == ["session.opened"]
        assert response.json["next_cursor"] is None

    def test_pages_keep_the_type(self, busy):
        """`Link` carries the type, so that following it shows nothing else."""
        seen = list(walk(busy, f"{busy.path}/events?type=user.updated&limit=1"))

        assert [event["type"] for event in seen] == ["user.updated"] * 3

    def test_far_back(self, app, jane):
        """What is far back under events of other types is found by following the pages."""
        with app.app_context(), AuditEvent.batch_write() as batch:
            for row in filler(jane.id, 120):
                batch.save(row)

        first = jane.get(f"{jane.path}/events?type=user.registered")
        second = jane.get(next_path(first))

        assert types(first) == []
        assert types(second) == ["user.registered"]
        assert second.json["next_cursor"] is None

    def test_unknown(self, jane):
        """A type that there is not is refused, not taken for one that never happened."""
        response = jane.get(f"{jane.path}/events?type=user.kissed")

        assert outcome(response) == (422, "invalid-request", ["/type"])


class TestCursor:
    def test_of_another_user(self, john, busy, eve):
        """A cursor of one user's events is none of another's (ASVS 8.2.2)."""
        cursor = john.get(f"{busy.path}/events?limit=1").json["next_cursor"]
        response = john.get(f"{eve.path}/events?cursor={cursor}")

        assert outcome(response) == (400, "invalid-cursor", ["/cursor"])

    def test_of_another_type(self, busy):
        """A cursor of the whole list is none of a filtered one."""
        cursor = busy.get(f"{busy.path}/events?limit=1").json["next_cursor"]
        response = busy.get(f"{busy.path}/events?type=user.updated&cursor={cursor}")

        assert outcome(response) == (400, "invalid-cursor", ["/cursor"])

    def test_changed(self, busy):
        """One character is enough to make a cursor worthless."""
        cursor = busy.get(f"{busy.path}/events?limit=1").json["next_cursor"]
        response = busy.get(f"{busy.path}/events?cursor=x{cursor[1:]}")

        assert outcome(response) == (400, "invalid-cursor", ["/cursor"])


def walk(person, path):
    """The events of page after page, as long as there is a next one."""
    while path:
        response = person.get(path)
        assert response.status_code == 200, response.text
        yield from response.json["items"]
        path = next_path(response)


def filler(user_id, count):
    """Events of a type that nobody asks for."""
    return [AuditEvent.create("session.ended", user_id, ANONYMOUS) for _ in range(count)]
