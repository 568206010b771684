"""DELETE /v1/users/{id} and /v1/users/me."""

import pytest

from tests.support.responses import ABSENT_ID, names, outcome


class TestDelete:
    @pytest.mark.parametrize("path", ["/v1/users/me", "own id"])
    def test_own_account(self, jane, john, path):
        """A user deletes its account; the response is a 204 without body."""
        response = jane.delete(path.replace("own id", jane.path))

        assert response.status_code == 204
        assert response.data == b""
        assert outcome(john.get(jane.path)) == (404, "user-not-found", [])

    def test_by_an_admin(self, john, jane):
        """An admin deletes another user; the second request is a 404."""
        assert john.delete(jane.path).status_code == 204
        assert outcome(john.delete(jane.path)) == (404, "user-not-found", [])

    def test_routes_of_a_deleted_user(self, john, jane):
        """Every route is a 404 for the deleted user."""
        john.delete(jane.path)

        assert john.patch(jane.path, json={"full_name": "J"}).status_code == 404
        assert john.get(f"{jane.path}/sessions").status_code == 404
        assert john.delete(f"{jane.path}/sessions").status_code == 404
        assert names(john.get("/v1/users")) == ["john"]
        assert names(john.get("/v1/users?username=jane")) == []

    def test_sessions_end_at_once(self, john, jane, second_session):
        """The tokens of a deleted user are invalid (ASVS 7.4.2)."""
        other = second_session(jane)

        john.delete(jane.path)

        assert outcome(jane.get("/v1/users/me")) == (401, "unauthenticated", [])
        assert outcome(other.delete("/v1/users/me")) == (401, "unauthenticated", [])

    def test_cannot_sign_in(self, john, jane, client):
        """Signing in as a deleted user is like signing in as an unknown one."""
        john.delete(jane.path)

        response = client.post("/v1/sessions", json={"login": "jane", "password": jane.password})

        assert outcome(response) == (401, "invalid-credentials", [])

    def test_names_are_free(self, john, jane, create_user):
        """Username and email can be registered again, by a new user with a new id."""
        john.delete(jane.path)

        new_user = create_user("jane")

        assert new_user.id != jane.id
        assert outcome(jane.get("/v1/users/me")) == (401, "unauthenticated", [])

    def test_renamed_user_frees_its_current_names(self, john, jane, register):
        """Deleting a renamed user frees its current names."""
        jane.patch("/v1/users/me", json={"username": "janet", "email": "janet@example.com"})
        john.delete(jane.path)

        assert register("janet")

    def test_another_user(self, jane, eve, snapshot):
        """A user gets a 404 for another user."""
        before = snapshot()

        assert outcome(jane.delete(eve.path)) == (404, "user-not-found", [])
        assert snapshot() == before

    def test_unknown_user(self, john):
        """An unknown id is a 404."""
        assert outcome(john.delete(f"/v1/users/{ABSENT_ID}")) == (404, "user-not-found", [])

    def test_anonymous(self, client, jane, snapshot):
        """An anonymous client deletes nothing."""
        before = snapshot()

        assert outcome(client.delete(jane.path)) == (401, "unauthenticated", [])
        assert snapshot() == before
