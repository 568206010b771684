"""Clients as callers of routes under /v1: what their scopes open, and what none opens."""

import logging

import pytest

from models import ClientScope, OAuthClients, SignUp
from tests.support.person import Person
from tests.support.responses import ABSENT_ID, ADA, outcome

KEY = {"Idempotency-Key": "3a0f8a3c-6f0e-4a55-9d57-1c1f4f0d2b11"}


@pytest.fixture
def call_as(app, client):
    """Return a function that creates a client: `call_as(ClientScope.USERS_READ)`."""

    def create(*scopes: ClientScope) -> Person:
        with app.app_context():
            row, secret = app.extensions["roster"].clients.create("sync", scopes=scopes)
        return Person(client, "sync", id=row.id, token=secret, session_id=row.secrets[0].id)

    return create


@pytest.fixture
def reader(call_as):
    """Return a client that may read users."""
    return call_as(ClientScope.USERS_READ)


@pytest.fixture
def writer(call_as):
    """Return a client that may write users."""
    return call_as(ClientScope.USERS_WRITE)


@pytest.fixture
def auditor(call_as):
    """Return a client that may read audit events."""
    return call_as(ClientScope.EVENTS_READ)


class TestRead:
    def test_user(self, reader, jane):
        """A client sees what an admin sees of a user, with its `ETag`."""
        response = reader.get(jane.path)

        assert response.json == jane.get("/v1/users/me").json
        assert response.headers["ETag"]

    def test_list(self, reader, john, jane):
        """Pages, filters and cursors work as for admins."""
        first = reader.get("/v1/users?limit=1")
        path = f"/v1/users?limit=1&cursor={first.json['next_cursor']}"

        found = [first.json["items"][0]["id"], reader.get(path).json["items"][0]["id"]]
        assert sorted(found) == sorted([john.id, jane.id])
        assert reader.get("/v1/users?role=admin").json["items"][0]["id"] == john.id

    @pytest.mark.parametrize("id", ["me", ABSENT_ID, "x"])
    def test_unknown(self, reader, id):
        """A client is no user, so it has no `me`."""
        assert outcome(reader.get(f"/v1/users/{id}"))[:2] == (404, "user-not-found")

    def test_own_id(self, reader):
        """The ID of a client is not that of a user."""
        assert reader.get(f"/v1/users/{reader.id}").status_code == 404


class TestWrite:
    def test_register(self, writer, john, auditor):
        """A client registers users; the actor in the audit event is the client."""
        created = writer.post("/v1/users", json=ADA)
        events = auditor.get(f"/v1/users/{created.json['id']}/events").json["items"]

        assert created.json["roles"] == ["user"]
        assert [(each["type"], each["actor_id"], each["api_key_id"]) for each in events] == [
            ("user.registered", writer.id, None)
        ]

    def test_sign_up_closed(self, make_app, writer, reader):
        """While sign-up is closed, the scope `users:write` registers users, `users:read` not."""
        closed = make_app(signup=SignUp.CLOSED).test_client()
        headers = [{"Authorization": f"Bearer {each.token}"} for each in (reader, writer)]
        responses = [closed.post("/v1/users", json=ADA, headers=each) for each in headers]

        assert [each.status_code for each in responses] == [403, 201]

    def test_update(self, writer, auditor, jane):
        """Name and metadata change; what the client did is listed by its ID."""
        body = {"full_name": "Jane", "metadata": {"plan": "pro"}}
        response = writer.patch(jane.path, json=body)
        events = auditor.get(f"/v1/events?actor={writer.id}").json["items"]

        assert {name: response.json[name] for name in body} == body
        assert [(each["user_id"], each["type"], each["members"]) for each in events] == [
            (jane.id, "user.updated", ["full_name", "metadata"])
        ]

    def test_if_match(self, writer, john, jane):
        """Concurrent changes are not overwritten with `If-Match`."""
        stale = {"If-Match": jane.get("/v1/users/me").headers["ETag"]}
        john.patch(jane.path, json={"full_name": "Jane"})
        response = writer.patch(jane.path, json={"full_name": "J"}, headers=stale)

        assert outcome(response)[:2] == (412, "version-mismatch")

    @pytest.mark.parametrize(
        "body",
        [
            {"roles": ["admin"]},
            {"roles": []},
            {"status": "suspended"},
            {"email": "new@example.com"},
            {"username": "jane-two"},
            {"full_name": "Jane", "username": "jane-two"},
        ],
    )
    def test_access(self, writer, jane, body):
        """What decides about access is no business of a client."""
        before = jane.get("/v1/users/me").json
        response = writer.patch(jane.path, json=body)

        assert outcome(response)[:2] == (403, "forbidden")
        assert jane.get("/v1/users/me").json == before

    @pytest.mark.parametrize(
        "more", [{"roles": ["admin"]}, {"roles": ["user"]}, {"status": "active"}]
    )
    def test_register_with_roles(self, writer, more):
        """A client chooses neither the roles nor the status of new users."""
        assert outcome(writer.post("/v1/users", json={**ADA, **more}))[:2] == (403, "forbidden")

    def test_reserved_username(self, writer):
        """A client does not assign reserved usernames."""
        body = {**ADA, "username": "support"}

        assert outcome(writer.post("/v1/users", json=body))[2] == ["/username"]

    def test_admin(self, writer, john):
        """An admin is not changed by a client."""
        response = writer.patch(john.path, json={"full_name": "John"})

        assert outcome(response)[:2] == (403, "forbidden")
        assert john.get("/v1/users/me").json["full_name"] is None


class TestIdempotency:
    def test_repeat(self, writer):
        """A repeat is answered like the first request."""
        first, second = [writer.post("/v1/users", json=ADA, headers=KEY) for _ in range(2)]

        assert first.status_code == second.status_code == 201
        assert first.json == second.json
        assert second.headers["Idempotency-Replayed"] == "true"

    def test_other_client(self, writer, call_as):
        """The keys of clients are independent of each other."""
        writer.post("/v1/users", json=ADA, headers=KEY)
        other = call_as(ClientScope.USERS_WRITE)

        assert outcome(other.post("/v1/users", json=ADA, headers=KEY))[0] == 409

    def test_repeat_without_the_right(self, app, writer):
        """A repeat needs the scope at its own time, also while the client is in memory."""
        writer.post("/v1/users", json=ADA, headers=KEY)
        with app.app_context():
            OAuthClients().update(writer.id, {"scopes": []})

        assert outcome(writer.post("/v1/users", json=ADA, headers=KEY))[:2] == (403, "forbidden")


class TestRateLimits:
    def test_writes(self, make_app, writer, jane):
        """A client makes 120 changes a minute in each worker, as a user does."""
        client = make_app().test_client()
        headers = {"Authorization": f"Bearer {writer.token}"}
        body = {"full_name": "Jane"}
        responses = [client.patch(jane.path, json=body, headers=headers) for _ in range(250)]

        assert {each.status_code for each in responses} == {200, 429}

    def test_sign_ups(self, writer):
        """Registrations by a client count for its address, as those of users."""
        response = writer.post("/v1/users", json=ADA)

        assert response.headers["RateLimit-Policy"] == '"sign-up";q=300;w=60'


class TestEvents:
    def test_addresses(self, auditor, john, jane):
        """A client sees the addresses of all actors, as an admin does."""
        john.patch(jane.path, json={"full_name": "Jane"})
        [event, *_] = auditor.get(f"/v1/users/{jane.id}/events").json["items"]

        assert (event["actor_id"], event["ip"]) == (john.id, "127.0.0.1")

    def test_denied(self, app, reader, john):
        """What a client may not do is recorded under its ID."""
        reader.post("/v1/users", json=ADA)
        assert app.extensions["roster"].background.drain(10)
        path = f"/v1/events?user={reader.id}&type=access.denied"
        [event] = john.get(path).json["items"]

        assert (event["actor_id"], event["reason"]) == (reader.id, "forbidden")


class TestSecret:
    def test_wrong(self, reader, caplog):
        """A wrong secret is 401, and in no log."""
        caplog.set_level(logging.DEBUG, logger="roster")
        reader.token += "A"
        response = reader.get("/v1/users")

        assert outcome(response)[:2] == (401, "unauthenticated")
        assert response.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'
        assert reader.token not in caplog.text + response.text

    def test_scheme(self, client, reader):
        """Under /v1 the secret is a bearer token only."""
        response = client.get("/v1/users", auth=(reader.id, reader.token))

        assert response.status_code == 401

    def test_missing_scope(self, auditor):
        """The error names the scope that is missing."""
        assert "users:read" in auditor.get("/v1/users").json["detail"]

    @pytest.mark.parametrize("change", [{"disabled": True}, {"scopes": []}])
    def test_changed_elsewhere(self, app, writer, jane, change):
        """A client in memory writes nothing once another process has changed it."""
        writer.patch(jane.path, json={"full_name": "Jane"})
        with app.app_context():
            OAuthClients().update(writer.id, change)
        written = writer.patch(jane.path, json={"full_name": "J"})

        assert written.status_code in (401, 403)
        assert jane.get("/v1/users/me").json["full_name"] == "Jane"

    def test_reads_of_a_disabled_client(self, app, reader):
        """A client in memory reads for 30 seconds after another process has disabled it."""
        reader.get("/v1/users")
        with app.app_context():
            OAuthClients().update(reader.id, {"disabled": True})
        within = reader.get("/v1/users")
        app.extensions["roster"].clients.forget()

        assert (within.status_code, reader.get("/v1/users").status_code) == (200, 401)

    def test_both_secrets(self, app, writer, jane):
        """A second secret works beside the first one."""
        with app.app_context():
            _, writer.token = app.extensions["roster"].clients.add_secret(writer.id)

        assert writer.patch(jane.path, json={"full_name": "Jane"}).status_code == 200


class TestCost:
    def test_read(self, reader, jane, database_calls):
        """A client in memory costs nothing: reading a user is one read."""
        reader.get(jane.path)
        with database_calls() as calls:
            reader.get(jane.path)

        assert calls == ["GetItem"]

    def test_write(self, writer, jane, database_calls):
        """A change is one read and one transaction."""
        writer.patch(jane.path, json={"full_name": "Jane"})
        with database_calls() as calls:
            writer.patch(jane.path, json={"full_name": "J"})

        assert calls == ["GetItem", "TransactWriteItems"]
