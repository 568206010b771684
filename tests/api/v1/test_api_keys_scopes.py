"""Scopes of API keys: who has access, and under which name, takes a key made for that (H4, M6)."""

import pytest

from tests.support.api_keys import with_key
from tests.support.responses import ABSENT_ID, ADA, outcome

PATH = "/v1/users/me/api-keys"
NEW_ADMIN = {**ADA, "roles": ["admin", "user"]}
CONTROL = [
    pytest.param("POST", "/v1/users", NEW_ADMIN, 201, id="register an admin"),
    pytest.param("PATCH", "{jane}", {"roles": ["admin", "user"]}, 200, id="make an admin"),
    pytest.param("PATCH", "{jane}", {"status": "suspended"}, 200, id="suspend"),
    pytest.param("PATCH", "{jane}", {"username": "jane-2"}, 200, id="change a username"),
    pytest.param("PATCH", "/v1/users/me", {"username": "john-2"}, 200, id="change its owner's"),
    pytest.param("DELETE", "{jane}", None, 204, id="delete"),
]
ALWAYS = [
    pytest.param("GET", "/v1/users", None, 200, id="list"),
    pytest.param("GET", "{jane}", None, 200, id="read"),
    pytest.param("PATCH", "{jane}", {"full_name": "J"}, 200, id="change the name"),
    pytest.param("PATCH", "{jane}", {"metadata": {"team": "engines"}}, 200, id="change metadata"),
    pytest.param("POST", "/v1/users", {**ADA, "roles": ["user"]}, 201, id="register a user"),
]


class TestCreate:
    def test_default(self, jane):
        """A key has no scope unless it is requested."""
        assert jane.post(PATH, json={"name": "nightly"}).json["scopes"] == []
        assert jane.get(PATH).json["items"][0]["scopes"] == []

    def test_requested(self, john):
        """The scope of a key is shown with it and in the list."""
        created = john.post(PATH, json={"name": "nightly", "scopes": ["accounts"]})

        assert created.json["scopes"] == ["accounts"]
        assert john.get(PATH).json["items"][0]["scopes"] == ["accounts"]

    @pytest.mark.parametrize("scopes", [["everything"], "accounts", [None], ["accounts"] * 2])
    def test_invalid(self, john, scopes):
        """An unknown or repeated scope is rejected."""
        response = john.post(PATH, json={"name": "nightly", "scopes": scopes})

        status, slug, fields = outcome(response)
        assert (status, slug) == (422, "invalid-request")
        assert {field.split("/")[1] for field in fields} == {"scopes"}


class TestAdminKey:
    @pytest.mark.parametrize("method, path, body, status", CONTROL)
    def test_without(self, john, jane, snapshot, method, path, body, status):
        """Without the scope a key with the role admin decides nothing about access."""
        machine = with_key(john, roles=["admin"])
        machine.get("/v1/users/me")
        before = snapshot()

        response = machine.request(method, path.format(jane=jane.path), json=body)

        assert outcome(response) == (403, "forbidden", [])
        assert "`accounts`" in response.json["detail"]
        assert snapshot() == before

    @pytest.mark.parametrize("method, path, body, status", CONTROL + ALWAYS)
    def test_with(self, john, jane, method, path, body, status):
        """With the scope it does."""
        machine = with_key(john, roles=["admin"], scopes=["accounts"])

        response = machine.request(method, path.format(jane=jane.path), json=body)

        assert response.status_code == status, response.text

    @pytest.mark.parametrize("method, path, body, status", ALWAYS)
    def test_everyday(self, john, jane, method, path, body, status):
        """Without the scope it reads, updates and registers users."""
        machine = with_key(john, roles=["admin"])

        response = machine.request(method, path.format(jane=jane.path), json=body)

        assert response.status_code == status, response.text


class TestUserKey:
    def test_scope_is_no_role(self, jane, eve):
        """The scope gives no rights over others to the key of a user."""
        machine = with_key(jane, scopes=["accounts"])

        assert machine.patch("/v1/users/me", json={"username": "jane-2"}).status_code == 200
        assert machine.patch(eve.path, json={"username": "eve-2"}).status_code == 404
        assert machine.patch("/v1/users/me", json={"roles": ["admin"]}).status_code == 403
        assert machine.post("/v1/users", json=NEW_ADMIN).status_code == 403

    def test_scope_is_no_recent_authentication(self, jane):
        """The scope does not replace recent authentication for what requires a session."""
        machine = with_key(jane, scopes=["accounts"])

        for method, path, body in (
            ("PATCH", "/v1/users/me", {"email": "new@example.com"}),
            ("PATCH", "/v1/users/me", {"email": "new@example.com", "username": "jane-2"}),
            ("DELETE", "/v1/users/me", None),
            ("POST", PATH, {"name": "another"}),
        ):
            assert outcome(machine.request(method, path, json=body))[:2] == (403, "forbidden")


class TestReadOnly:
    @pytest.mark.parametrize("scopes", [[], ["accounts"]])
    def test_writes(self, jane, snapshot, scopes):
        """A key without roles changes nothing, whatever its scopes (M6)."""
        machine = with_key(jane, roles=[], scopes=scopes)
        machine.get("/v1/users/me")
        before = snapshot()

        for method, path, body in (
            ("PATCH", "/v1/users/me", {"full_name": "J"}),
            ("PATCH", f"/v1/users/{ABSENT_ID}", {"full_name": "J"}),
            ("POST", "/v1/users", ADA),
            ("DELETE", "/v1/users/me", None),
        ):
            response = machine.request(method, path, json=body)
            assert outcome(response) == (403, "forbidden", [])
        assert snapshot() == before

    def test_reads(self, jane):
        """It reads its owner."""
        assert with_key(jane, roles=[]).get("/v1/users/me").json["username"] == "jane"
        assert with_key(jane, roles=[]).request("HEAD", "/v1/users/me").status_code == 200

    def test_role_is_lost(self, john, jane):
        """A key whose owner has lost its roles can only read."""
        machine = with_key(jane)
        assert john.patch(jane.path, json={"roles": []}).status_code == 200

        assert machine.get("/v1/users/me").status_code == 200
        assert machine.patch("/v1/users/me", json={"full_name": "J"}).status_code == 403
