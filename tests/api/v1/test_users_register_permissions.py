"""POST /v1/users: permission to register, and to set roles and status."""

import pytest

from tests.support.responses import ADA, NEW_PASSWORD, outcome


class TestRolesAndStatus:
    def test_admin_sets_roles_and_status(self, john):
        """An admin sets roles and status of a new user."""
        wanted = {"roles": ["user", "admin"], "status": "suspended"}

        response = john.post("/v1/users", json={**ADA, **wanted})

        assert response.status_code == 201
        assert response.json["roles"] == ["admin", "user"]
        assert response.json["status"] == "suspended"

    def test_created_suspended(self, john, client):
        """A user who was created suspended cannot sign in."""
        john.post("/v1/users", json={**ADA, "status": "suspended"})

        response = client.post("/v1/sessions", json={"login": "ada", "password": NEW_PASSWORD})

        assert outcome(response) == (401, "invalid-credentials", [])

    @pytest.mark.parametrize("field, value", [("roles", ["admin"]), ("status", "suspended")])
    def test_anonymous_sets_roles(self, client, snapshot, field, value):
        """Roles and status in an anonymous sign-up are a 403 that names them."""
        before = snapshot()

        response = client.post("/v1/users", json={**ADA, field: value})

        assert outcome(response) == (403, "forbidden", [f"/{field}"])
        assert snapshot() == before

    def test_user_sets_roles(self, jane, snapshot):
        """A user gets a 403 that names both fields, and nothing is stored."""
        before = snapshot()

        response = jane.post("/v1/users", json={**ADA, "roles": ["user"], "status": "active"})

        assert outcome(response) == (403, "forbidden", ["/roles", "/status"])
        assert snapshot() == before

    @pytest.mark.parametrize(
        "field, value, pointer",
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
    def test_unknown_roles_and_status(self, john, field, value, pointer):
        """Unknown roles and states are rejected, and so is the status deleted."""
        response = john.post("/v1/users", json={**ADA, field: value})

        status, kind, at = outcome(response)

        assert (status, kind) == (422, "invalid-request")
        assert pointer in at


class TestClosedSignUp:
    def test_anonymous(self, with_signup_closed, jane, snapshot):
        """With sign-up closed an anonymous client gets a 401."""
        before = snapshot()

        response = with_signup_closed(jane).client.post("/v1/users", json=ADA)

        assert outcome(response) == (401, "unauthenticated", [])
        assert response.headers["WWW-Authenticate"] == "Bearer"
        assert snapshot() == before

    def test_user(self, with_signup_closed, jane, snapshot):
        """With sign-up closed a user cannot create users."""
        before = snapshot()

        response = with_signup_closed(jane).post("/v1/users", json=ADA)

        assert outcome(response) == (403, "forbidden", [])
        assert snapshot() == before

    def test_admin(self, with_signup_closed, john):
        """With sign-up closed admins create users."""
        assert with_signup_closed(john).post("/v1/users", json=ADA).status_code == 201
