"""What operators know about a user: `app_metadata`, `external_id` and `email_verified`."""

import json
from dataclasses import replace

import pytest

from models import ClientScope, User
from tests.support.api_keys import with_key
from tests.support.person import Person
from tests.support.responses import ABSENT_ID, ADA, outcome

# The first use of a client is stored.
ABSENT_PATH = f"/v1/users/{ABSENT_ID}"
FIELDS = {"app_metadata": {"plan": "pro"}, "external_id": "crm-1042"}
SCHEMA = {
    "properties": {
        "metadata": {"properties": {"theme": {"enum": ["light", "dark"]}}},
        "app_metadata": {"required": ["plan"], "properties": {"plan": {"type": "string"}}},
    }
}


@pytest.fixture
def writer(app, client):
    """Return a client that may write users."""
    with app.app_context():
        clients = app.extensions["roster"].clients
        row, secret = clients.create("sync", scopes=[ClientScope.USERS_WRITE])
    return Person(client, "sync", id=row.id, token=secret, session_id=row.secrets[0].id)


@pytest.fixture
def strict_client(app, make_app, tmp_path):
    """Return a client of an app with a schema of metadata."""
    path = tmp_path / "schema.json"
    path.write_text(json.dumps(SCHEMA))
    return make_app(metadata_schema=path).test_client()


class TestAppMetadata:
    def test_register(self, john):
        """An admin sets it with a new user."""
        response = john.post("/v1/users", json={**ADA, **FIELDS})

        assert response.status_code == 201
        assert {name: response.json[name] for name in FIELDS} == FIELDS

    def test_absent(self, client):
        """Without it the user has an empty object and no external ID."""
        response = client.post("/v1/users", json=ADA)

        assert (response.json["app_metadata"], response.json["external_id"]) == ({}, None)

    def test_merge(self, john, jane):
        """A patch merges it like metadata (RFC 7396)."""
        john.patch(jane.path, json={"app_metadata": {"plan": "pro", "seats": {"a": 1}}})

        response = john.patch(jane.path, json={"app_metadata": {"plan": None, "seats": {"b": 2}}})

        assert response.json["app_metadata"] == {"seats": {"a": 1, "b": 2}}
        assert jane.get("/v1/users/me").json["app_metadata"] == {"seats": {"a": 1, "b": 2}}

    def test_null(self, app, john, jane):
        """Null removes it, and nothing is stored."""
        john.patch(jane.path, json={"app_metadata": {"plan": "pro"}})

        response = john.patch(jane.path, json={"app_metadata": None})

        assert response.json["app_metadata"] == {}
        with app.app_context():
            assert User.get(jane.id).app_metadata is None

    def test_no_change(self, john, jane):
        """The same object is no change."""
        before = john.patch(jane.path, json={"app_metadata": {"plan": "pro"}})

        response = john.patch(jane.path, json={"app_metadata": {"plan": "pro"}})

        assert response.headers["ETag"] == before.headers["ETag"]

    def test_too_large(self, john, jane, snapshot):
        """The size limit applies to the patched object."""
        john.patch(jane.path, json={"app_metadata": {"a": "x" * 3_000}})
        before = snapshot()

        response = john.patch(jane.path, json={"app_metadata": {"b": "x" * 3_000}})

        assert outcome(response) == (422, "invalid-request", ["/app_metadata"])
        assert snapshot() == before

    def test_event(self, john, jane):
        """The audit event names the fields, and not their values."""
        john.patch(jane.path, json={**FIELDS, "email_verified": True})
        [event, *_] = john.get(f"{jane.path}/events").json["items"]

        assert sorted(event["members"]) == ["app_metadata", "email_verified", "external_id"]
        assert "crm-1042" not in json.dumps(event)


class TestPermissions:
    @pytest.mark.parametrize("field", [*FIELDS, "email_verified"])
    @pytest.mark.parametrize("value", ["x", None, {}, True])
    def test_user(self, jane, snapshot, field, value):
        """A user sets none of them, whatever the value, neither at registration nor later."""
        before = snapshot()

        patched = jane.patch("/v1/users/me", json={field: value})
        registered = jane.post("/v1/users", json={**ADA, field: value})

        assert outcome(patched) == outcome(registered) == (403, "forbidden", [f"/{field}"])
        assert snapshot() == before

    @pytest.mark.parametrize("field", [*FIELDS, "email_verified"])
    def test_anonymous(self, client, snapshot, field):
        """Whoever signs up sets none of them."""
        before = snapshot()

        response = client.post("/v1/users", json={**ADA, field: FIELDS.get(field, True)})

        assert outcome(response) == (403, "forbidden", [f"/{field}"])
        assert snapshot() == before

    def test_together(self, jane, snapshot):
        """All fields that a user may not set are named together, whoever may set them."""
        before = snapshot()

        body = {"roles": ["user"], "status": "active", **FIELDS, "full_name": "Jane"}
        response = jane.patch("/v1/users/me", json=body)

        pointers = ["/app_metadata", "/external_id", "/roles", "/status"]
        assert outcome(response) == (403, "forbidden", pointers)
        assert response.json["detail"].startswith("Only an admin may set app_metadata, ")
        assert snapshot() == before

    def test_client(self, writer, jane):
        """A client with `users:write` sets the first two of users who are no admins."""
        created = writer.post("/v1/users", json={**ADA, **FIELDS})
        patched = writer.patch(jane.path, json={"app_metadata": {"plan": "pro"}})

        assert (created.status_code, patched.status_code) == (201, 200)
        assert patched.json["app_metadata"] == {"plan": "pro"}

    def test_client_and_admin(self, writer, john, snapshot):
        """It changes no admin."""
        writer.patch(ABSENT_PATH, json={})
        before = snapshot()

        response = writer.patch(john.path, json=FIELDS)

        assert outcome(response) == (403, "forbidden", [])
        assert snapshot() == before

    def test_client_and_address(self, writer, jane, snapshot):
        """It does not say that an address is verified: that decides about access."""
        writer.patch(ABSENT_PATH, json={})
        before = snapshot()

        response = writer.patch(jane.path, json={"email_verified": True})

        assert outcome(response) == (403, "forbidden", ["/email_verified"])
        assert snapshot() == before

    def test_key_without_scope(self, john, jane):
        """A key of an admin needs the scope `accounts` to verify an address, not for the others."""
        key = with_key(john, roles=["admin"])

        verified = key.patch(jane.path, json={"email_verified": True})
        managed = key.patch(jane.path, json=FIELDS)

        assert verified.status_code == 403
        assert managed.status_code == 200


class TestExternalId:
    @pytest.mark.parametrize("text", ["x", "crm-1042", "a b", "AbC", "é" * 128, "00Q5e/=+"])
    def test_found(self, john, jane, text):
        """A user is found by it, to the letter, in one request."""
        assert john.patch(jane.path, json={"external_id": text}).json["external_id"] == text

        found = john.get("/v1/users", query_string={"external_id": text}).json["items"]
        other = john.get("/v1/users", query_string={"external_id": text.swapcase()})

        assert [user["id"] for user in found] == [jane.id]
        assert len(other.json["items"]) == (text.swapcase() == text)

    @pytest.mark.parametrize("text", ["", " x", "x ", "x" * 129, "a\u0000b", "a\nb", "\u202ex"])
    def test_malformed(self, john, jane, snapshot, text):
        """Control characters, blanks at the ends and long texts are rejected."""
        before = snapshot()

        patched = john.patch(jane.path, json={"external_id": text})
        registered = john.post("/v1/users", json={**ADA, "external_id": text})

        expected = (422, "invalid-request", ["/external_id"])
        assert outcome(patched) == outcome(registered) == expected
        assert snapshot() == before

    def test_taken(self, john, jane, snapshot):
        """It belongs to one user at a time, and nothing of a rejected request is left behind."""
        john.patch(jane.path, json={"external_id": "crm-1"})
        before = snapshot()

        patched = john.patch(john.path, json={"external_id": "crm-1"})
        registered = john.post("/v1/users", json={**ADA, "external_id": "crm-1"})

        expected = (409, "external-id-taken", ["/external_id"])
        assert outcome(patched) == outcome(registered) == expected
        assert snapshot() == before

    def test_taken_together(self, john, jane):
        """All names that are taken are named together."""
        john.patch(jane.path, json={"external_id": "crm-1"})
        body = {**ADA, "username": "jane", "email": "jane@example.com", "external_id": "crm-1"}

        response = john.post("/v1/users", json=body)

        assert outcome(response)[2] == ["/email", "/external_id", "/username"]

    def test_moved(self, john, jane, eve):
        """Null gives it up, and another user can have it at once."""
        john.patch(jane.path, json={"external_id": "crm-1"})

        john.patch(jane.path, json={"external_id": None})

        assert john.patch(eve.path, json={"external_id": "crm-1"}).status_code == 200
        [found] = john.get("/v1/users?external_id=crm-1").json["items"]
        assert found["id"] == eve.id

    def test_changed(self, john, jane, eve):
        """A new one releases the old one."""
        john.patch(jane.path, json={"external_id": "crm-1"})

        john.patch(jane.path, json={"external_id": "crm-2"})

        assert john.patch(eve.path, json={"external_id": "crm-1"}).status_code == 200

    def test_deleted(self, john, jane, eve):
        """A deleted user releases it."""
        john.patch(jane.path, json={"external_id": "crm-1"})

        john.delete(jane.path)

        assert john.patch(eve.path, json={"external_id": "crm-1"}).status_code == 200

    def test_is_no_name(self, client, john, jane):
        """It is no login, and clashes with no username and no email address."""
        john.patch(jane.path, json={"external_id": "john"})

        login = {"login": "john", "password": john.password}
        assert client.post("/v1/sessions", json=login).json["user"]["id"] == john.id

    def test_filters(self, john, jane):
        """It is combined with the other filters."""
        john.patch(jane.path, json={"external_id": "crm-1"})

        both = john.get("/v1/users?external_id=crm-1&username=jane").json["items"]
        other = john.get("/v1/users?external_id=crm-1&username=john").json["items"]
        admins = john.get("/v1/users?external_id=crm-1&role=admin").json["items"]

        assert ([user["id"] for user in both], other, admins) == ([jane.id], [], [])


class TestEmailVerified:
    def test_set(self, john, jane):
        """An admin says that the address is the user's, and takes it back."""
        first = john.patch(jane.path, json={"email_verified": True})
        second = john.patch(jane.path, json={"email_verified": False})

        assert (first.json["email_verified"], second.json["email_verified"]) == (True, False)

    def test_with_address(self, john, jane):
        """A new address is verified if the same request says so."""
        plain = john.patch(jane.path, json={"email": "jane-2@example.com"})
        verified = john.patch(jane.path, json={"email": "j@example.com", "email_verified": True})

        assert (plain.json["email_verified"], verified.json["email_verified"]) == (False, True)

    def test_register(self, john):
        """An admin registers a user whose address is known."""
        response = john.post("/v1/users", json={**ADA, "email_verified": True})

        assert response.json["email_verified"] is True


class TestSchema:
    def test_mismatch(self, app, strict_client, john, jane, snapshot):
        """What does not match is a 422 with pointers into the objects, all together."""
        body = {"metadata": {"theme": "blue"}, "app_metadata": {"seats": 5}}
        before = snapshot()

        response = replace(john, client=strict_client).patch(jane.path, json=body)

        pointers = ["/app_metadata/plan", "/metadata/theme"]
        assert outcome(response) == (422, "invalid-request", pointers)
        assert snapshot() == before

    def test_register(self, strict_client):
        """Faults of metadata are named with those of other fields."""
        body = {**ADA, "password": "short", "metadata": {"theme": "blue"}}

        response = strict_client.post("/v1/users", json=body)

        assert outcome(response) == (422, "invalid-request", ["/metadata/theme", "/password"])

    def test_without_metadata(self, strict_client):
        """Whoever signs up needs no metadata."""
        assert strict_client.post("/v1/users", json=ADA).status_code == 201

    def test_misfit(self, strict_client, john, jane):
        """A user whose metadata no longer match still signs in and changes other fields."""
        john.patch(jane.path, json={"metadata": {"theme": "blue"}})

        login = {"login": "jane", "password": jane.password}
        opened = strict_client.post("/v1/sessions", json=login)
        headers = {"Authorization": f"Bearer {opened.json['token']}"}
        response = strict_client.patch("/v1/users/me", json={"full_name": "Jane"}, headers=headers)

        assert response.status_code == 200
