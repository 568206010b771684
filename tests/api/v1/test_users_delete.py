"""DELETE /v1/users/{id} and /v1/users/me."""

import pytest

from tests.support.responses import ABSENT_ID, names, outcome


class TestDelete:
    @pytest.mark.parametrize("path", ["/v1/users/me", "own id"])
    def test_oneself(self, jane, john, path):
        """A user may go; 204 without body, then it is gone."""
        response = jane.delete(path.replace("own id", jane.path))

        assert response.status_code == 204
        assert response.data == b""
        assert outcome(john.get(jane.path)) == (404, "user-not-found", [])

    def test_by_an_admin(self, john, jane):
        """An admin may delete anybody, once."""
        assert john.delete(jane.path).status_code == 204
        assert outcome(john.delete(jane.path)) == (404, "user-not-found", [])

    def test_nothing_is_left_to_do(self, john, jane):
        """No route knows the user any more."""
        john.delete(jane.path)

        assert john.patch(jane.path, json={"full_name": "J"}).status_code == 404
        assert john.get(f"{jane.path}/sessions").status_code == 404
        assert john.delete(f"{jane.path}/sessions").status_code == 404
        assert names(john.get("/v1/users")) == ["john"]
        assert names(john.get("/v1/users?username=jane")) == []

    def test_sessions_are_dead_at_once(self, john, jane, elsewhere):
        """The tokens of a deleted user are worth nothing (ASVS 7.4.2)."""
        other = elsewhere(jane)

        john.delete(jane.path)

        assert outcome(jane.get("/v1/users/me")) == (401, "unauthenticated", [])
        assert outcome(other.delete("/v1/users/me")) == (401, "unauthenticated", [])

    def test_cannot_sign_in(self, john, jane, client):
        """A deleted user is an unknown one."""
        john.delete(jane.path)

        response = client.post("/v1/sessions", json={"login": "jane", "password": jane.password})

        assert outcome(response) == (401, "invalid-credentials", [])

    def test_names_are_free(self, john, jane, enrol):
        """User name and address can be had again; the newcomer is somebody else."""
        john.delete(jane.path)

        newcomer = enrol("jane")

        assert newcomer.id != jane.id
        assert outcome(jane.get("/v1/users/me")) == (401, "unauthenticated", [])

    def test_renamed_user_frees_its_new_names(self, john, jane, register):
        """What is freed are the names that the user had in the end."""
        jane.patch("/v1/users/me", json={"username": "janet", "email": "janet@example.com"})
        john.delete(jane.path)

        assert register("janet")

    def test_another_user(self, jane, eve, stored):
        """To a user the others do not exist."""
        before = stored()

        assert outcome(jane.delete(eve.path)) == (404, "user-not-found", [])
        assert stored() == before

    def test_nobody(self, john):
        """An id that nobody has is a 404."""
        assert outcome(john.delete(f"/v1/users/{ABSENT_ID}")) == (404, "user-not-found", [])

    def test_anonymous(self, client, jane, stored):
        """Who is not signed in deletes nobody."""
        before = stored()

        assert outcome(client.delete(jane.path)) == (401, "unauthenticated", [])
        assert stored() == before
