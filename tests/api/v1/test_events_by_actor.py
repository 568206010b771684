"""GET /v1/events: what happened to a user, or what an actor did."""

import pytest

from models import Actor, AuditEvent
from tests.support.api_keys import with_key
from tests.support.responses import ABSENT_ID, next_path, outcome

UNKNOWN_KEY = "0" * 64


@pytest.fixture
def changed(john, jane, eve):
    """John has changed jane and eve; jane has changed herself."""
    john.patch(jane.path, json={"full_name": "Jane R."})
    john.patch(eve.path, json={"full_name": "Eve R."})
    jane.patch(jane.path, json={"full_name": "Jane Roe"})
    return jane


def listed(person, **query):
    """Return the events of all pages."""
    response = person.get("/v1/events", query_string=query)
    while True:
        assert response.status_code == 200, response.text
        yield from response.json["items"]
        if next_path(response) is None:
            return
        response = person.get(next_path(response))


def done(person, **query):
    """Return the types of events and the users they happened to."""
    return [(event["type"], event["user_id"]) for event in listed(person, **query)]


class TestDeletedUser:
    def test_by_user(self, john, jane):
        """M8: what happened to a user is listed after its deletion."""
        john.patch(jane.path, json={"full_name": "Jane R."})
        john.delete(jane.path)

        assert done(john, user=jane.id) == [
            ("user.deleted", jane.id),
            ("user.updated", jane.id),
            ("session.opened", jane.id),
            ("user.registered", jane.id),
        ]

    def test_by_actor(self, app, john, create_user):
        """M8: what an admin did is listed after its deletion."""
        grace = create_user("grace", roles=["admin"])
        grace.patch(john.path, json={"full_name": "John D."})
        john.delete(grace.path)

        assert done(john, actor=grace.id) == [
            ("user.updated", john.id),
            ("session.opened", grace.id),
        ]

    def test_unknown(self, john):
        """A user who never existed has no events: whether there was one cannot be told."""
        assert done(john, user=ABSENT_ID) == []
        assert done(john, actor=ABSENT_ID) == []
        assert done(john, actor=UNKNOWN_KEY) == []


class TestActor:
    def test_user(self, john, eve, changed):
        """M8: what an admin did to others and to itself is one list, newest first."""
        assert done(john, actor=john.id) == [
            ("user.updated", eve.id),
            ("user.updated", changed.id),
            ("session.opened", john.id),
        ]

    def test_only_self(self, john, changed):
        """What a user did to itself is found, without what others did to it."""
        assert done(john, actor=changed.id) == [
            ("user.updated", changed.id),
            ("session.opened", changed.id),
        ]

    def test_on_a_user(self, john, changed):
        """Both together list what the actor did to the user."""
        assert done(john, user=changed.id, actor=john.id) == [("user.updated", changed.id)]
        assert done(john, user=john.id, actor=changed.id) == []

    def test_type(self, john, changed):
        """`type` selects one type of what an actor did."""
        assert done(john, actor=john.id, type="session.opened") == [("session.opened", john.id)]

    def test_api_key(self, john, jane, eve):
        """M8: what an API key did, to its owner and to others, and nothing else."""
        key = with_key(john, roles=["admin"])
        key.patch(jane.path, json={"full_name": "Jane R."})
        key.patch("/v1/users/me", json={"full_name": "John D."})
        john.patch(eve.path, json={"full_name": "Eve R."})

        by_key = [("user.updated", john.id), ("user.updated", jane.id)]
        assert done(john, actor=key.session_id) == by_key
        assert done(john, user=jane.id, actor=key.session_id) == by_key[1:]
        assert done(john, actor=john.id)[0] == ("user.updated", eve.id)
        assert set(by_key) <= set(done(john, actor=john.id))

    def test_revoked_api_key(self, john, jane):
        """What a key did is listed after its revocation, without the events about the key."""
        key = with_key(john, roles=["admin"])
        key.patch(jane.path, json={"full_name": "Jane R."})
        john.delete(f"/v1/users/me/api-keys/{key.session_id}")

        assert done(john, actor=key.session_id) == [("user.updated", jane.id)]

    def test_addresses_are_shown(self, create_user, john, changed):
        """Admins see the address of another admin."""
        grace = create_user("grace", roles=["admin"])

        assert {event["ip"] for event in listed(grace, user=changed.id)} >= {"127.0.0.1"}


class TestPages:
    @pytest.mark.parametrize("limit", [1, 2, 3, 100])
    def test_every_event_once(self, john, changed, limit):
        """Two merged sources show every event exactly once, whatever the limit."""
        assert list(listed(john, actor=john.id, limit=limit)) == list(listed(john, actor=john.id))

    def test_sources_of_different_length(self, app, john, jane, eve):
        """Neither source hides events of the other where one is much longer."""
        actor = Actor(john.id)
        with app.app_context(), AuditEvent.batch_write() as batch:
            for at in range(250):
                subject = eve.id if at % 50 == 0 else jane.id
                batch.save(AuditEvent.create("user.updated", subject, actor))
            for _ in range(3):
                batch.save(AuditEvent.create("user.updated", john.id, actor))

        everything = list(listed(john, actor=john.id, limit=40))

        assert len(everything) == 250 + 3 + 1
        assert len({event["id"] for event in everything}) == len(everything)
        assert [event["id"] for event in everything] == sorted(
            (event["id"] for event in everything), reverse=True
        )

    @pytest.mark.parametrize(
        "other", [{"user": ABSENT_ID}, {"actor": ABSENT_ID}, {"type": "user.updated"}]
    )
    def test_cursor_of_another_query(self, john, changed, other):
        """A cursor is valid for the same user, actor and type only."""
        query = {"actor": john.id, "limit": 1}
        cursor = john.get("/v1/events", query_string=query).json["next_cursor"]

        response = john.get("/v1/events", query_string={**query, **other, "cursor": cursor})

        assert outcome(response) == (400, "invalid-cursor", ["/cursor"])

    def test_cursor_of_another_list(self, john, changed):
        """A cursor of a user's own list is invalid here."""
        cursor = john.get(f"{changed.path}/events?limit=1").json["next_cursor"]
        response = john.get(f"/v1/events?user={changed.id}&cursor={cursor}")

        assert outcome(response) == (400, "invalid-cursor", ["/cursor"])


class TestRejected:
    def test_neither(self, john):
        """Without a user and an actor the response says what is missing."""
        response = john.get("/v1/events?limit=5")

        assert outcome(response) == (422, "invalid-request", ["/actor", "/user"])
        assert response.json["errors"][0]["detail"] == "Send `user` or `actor`, or both."

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("user", "me"),
            ("user", UNKNOWN_KEY),
            ("user", "login#" + UNKNOWN_KEY),
            ("actor", "john"),
            ("actor", UNKNOWN_KEY + "0"),
            ("actor", ""),
            ("type", "user.kissed"),
            ("after", "0"),
        ],
    )
    def test_invalid(self, john, jane, name, value):
        """Malformed IDs, unknown types, and `after`, which is reserved, are rejected by name."""
        query = {"user": jane.id, name: value}
        response = john.get("/v1/events", query_string=query)

        assert outcome(response) == (422, "invalid-request", [f"/{name}"])


class TestIndexes:
    def test_are_sparse(self, app, john, changed):
        """Only events by another user are in the index of actors."""
        with app.app_context():
            indexed = {event.type for event in AuditEvent.by_actor.query(john.id)}
            own = list(AuditEvent.by_actor.query(changed.id))

        assert indexed == {"user.updated"}
        assert own == []


class TestFactors:
    def test_password(self, john, jane):
        """M8: the event of a sign-in says what was verified (ASVS 16.3.1)."""
        event = next(listed(john, user=jane.id, type="session.opened"))

        assert (event["amr"], event["second_factor"]) == (["pwd"], None)

    def test_other_events(self, john, jane):
        """Events that verify nothing have no factors."""
        event = next(listed(john, user=jane.id, type="user.registered"))

        assert (event["amr"], event["second_factor"]) == ([], None)
