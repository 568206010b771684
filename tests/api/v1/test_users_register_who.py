"""POST /v1/users: who may, and who may give roles and status."""

import pytest

from tests.support.responses import ADA, NEW_PASSWORD, outcome


class TestRolesAndStatus:
    def test_admin_gives_roles_and_status(self, john):
        """An admin decides on roles and status of a new user."""
        wanted = {"roles": ["user", "admin"], "status": "suspended"}

        response = john.post("/v1/users", json={**ADA, **wanted})

        assert response.status_code == 201
        assert response.json["roles"] == ["admin", "user"]
        assert response.json["status"] == "suspended"

    def test_born_suspended(self, john, client):
        """A user who was registered suspended cannot sign in."""
        john.post("/v1/users", json={**ADA, "status": "suspended"})

        response = client.post("/v1/sessions", json={"login": "ada", "password": NEW_PASSWORD})

        assert outcome(response) == (401, "invalid-credentials", [])

    @pytest.mark.parametrize("member, value", [("roles", ["admin"]), ("status", "suspended")])
    def test_nobody_gives_itself_roles(self, client, stored, member, value):
        """Roles and status in an anonymous sign-up are a 403 that names them."""
        before = stored()

        response = client.post("/v1/users", json={**ADA, member: value})

        assert outcome(response) == (403, "forbidden", [f"/{member}"])
        assert stored() == before

    def test_user_gives_roles(self, jane, stored):
        """A user is no admin: both members are named and nothing is stored."""
        before = stored()

        response = jane.post("/v1/users", json={**ADA, "roles": ["user"], "status": "active"})

        assert outcome(response) == (403, "forbidden", ["/roles", "/status"])
        assert stored() == before

    @pytest.mark.parametrize(
        "member, value, pointer",
        [
            ("roles", ["root"], "/roles/0"),
            ("roles", ["user", "user"], "/roles"),
            ("roles", "admin", "/roles"),
            ("roles", [["admin"]], "/roles/0"),
            ("roles", None, "/roles"),
            ("status", "deleted", "/status"),
            ("status", "", "/status"),
            ("status", None, "/status"),
        ],
    )
    def test_admin_gives_what_does_not_exist(self, john, member, value, pointer):
        """Roles and states come from a closed list; nobody is born deleted."""
        response = john.post("/v1/users", json={**ADA, member: value})

        status, kind, at = outcome(response)

        assert (status, kind) == (422, "invalid-request")
        assert pointer in at


class TestClosedSignUp:
    def test_anonymous(self, closed, jane, stored):
        """With sign-up closed a stranger is told to sign in."""
        before = stored()

        response = closed(jane).client.post("/v1/users", json=ADA)

        assert outcome(response) == (401, "unauthenticated", [])
        assert response.headers["WWW-Authenticate"] == "Bearer"
        assert stored() == before

    def test_user(self, closed, jane, stored):
        """With sign-up closed a user creates nobody."""
        before = stored()

        response = closed(jane).post("/v1/users", json=ADA)

        assert outcome(response) == (403, "forbidden", [])
        assert stored() == before

    def test_admin(self, closed, john):
        """With sign-up closed admins create users."""
        assert closed(john).post("/v1/users", json=ADA).status_code == 201
