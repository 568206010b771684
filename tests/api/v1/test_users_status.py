"""Suspension, reactivation and the last admin, by PATCH and DELETE of a user."""

from dataclasses import replace

import pytest

from tests.support.responses import outcome

LAST = [{"roles": ["user"]}, {"roles": []}, {"status": "suspended"}]


class TestSuspend:
    def test_sessions_end_at_once(self, john, jane, second_session):
        """All sessions of a suspended user are invalid as soon as the response is sent."""
        other = second_session(jane)

        response = john.patch(jane.path, json={"status": "suspended"})

        assert response.json["status"] == "suspended"
        assert outcome(jane.get("/v1/users/me")) == (401, "unauthenticated", [])
        assert outcome(other.get("/v1/users/me")) == (401, "unauthenticated", [])

    def test_no_new_session(self, john, jane, client):
        """A suspended user cannot sign in."""
        john.patch(jane.path, json={"status": "suspended"})

        response = client.post("/v1/sessions", json={"login": "jane", "password": jane.password})

        assert outcome(response) == (401, "invalid-credentials", [])

    def test_reactivation_revives_no_session(self, john, jane):
        """A reactivated user has to sign in again."""
        john.patch(jane.path, json={"status": "suspended"})

        john.patch(jane.path, json={"status": "active"})

        assert outcome(jane.get("/v1/users/me")) == (401, "unauthenticated", [])
        assert jane.sign_in().get("/v1/users/me").json["status"] == "active"

    def test_names_stay_reserved(self, john, jane, client):
        """A suspended user keeps its names."""
        john.patch(jane.path, json={"status": "suspended"})

        response = client.post(
            "/v1/users",
            json={"username": "ada", "email": "jane@example.com", "password": jane.password},
        )

        assert outcome(response) == (409, "email-taken", ["/email"])

    def test_other_changes_keep_sessions(self, john, jane):
        """Changing names and roles ends no session."""
        john.patch(jane.path, json={"username": "janet", "roles": ["admin"]})

        assert jane.get("/v1/users/me").status_code == 200

    def test_suspended_user_can_be_edited(self, john, jane):
        """An admin may change a suspended user, who stays suspended."""
        john.patch(jane.path, json={"status": "suspended"})

        response = john.patch(jane.path, json={"full_name": "Jane"})

        assert (response.status_code, response.json["status"]) == (200, "suspended")


class TestLastAdmin:
    @pytest.mark.parametrize("patch", LAST)
    @pytest.mark.parametrize("path", ["/v1/users/me", "own id"])
    def test_cannot_be_demoted_or_suspended(self, john, snapshot, patch, path):
        """The only admin cannot be demoted or suspended, by itself or another user."""
        before = snapshot()

        response = john.patch(path.replace("own id", john.path), json=patch)

        assert outcome(response) == (409, "last-admin", [])
        assert snapshot() == before

    def test_cannot_be_deleted(self, john, snapshot):
        """The only admin cannot be deleted."""
        before = snapshot()

        assert outcome(john.delete("/v1/users/me")) == (409, "last-admin", [])
        assert snapshot() == before

    @pytest.mark.parametrize("patch", LAST)
    def test_suspended_admins_do_not_count(self, john, register, patch):
        """A suspended admin does not count as another active admin."""
        register("amy", roles=["admin"], status="suspended")

        assert outcome(john.patch(john.path, json=patch)) == (409, "last-admin", [])

    @pytest.mark.parametrize("patch", LAST)
    def test_with_another_admin(self, john, create_user, patch):
        """With a second active admin the first can be removed."""
        amy = create_user("amy", roles=["admin"])

        assert amy.patch(john.path, json=patch).status_code == 200
        assert outcome(amy.delete(amy.path)) == (409, "last-admin", [])

    def test_reactivated_admin_counts(self, john, register):
        """A reactivated admin counts as an active admin."""
        amy = register("amy", roles=["admin"], status="suspended")
        john.patch(f"/v1/users/{amy}", json={"status": "active"})

        assert john.delete(john.path).status_code == 204

    def test_promoted_user_counts(self, john, jane):
        """A promoted user counts as an active admin."""
        john.patch(jane.path, json={"roles": ["admin"]})

        assert john.delete(john.path).status_code == 204
        assert jane.get("/v1/users").status_code == 200

    def test_counted_once(self, john, jane):
        """An admin is counted once, however often it is changed."""
        john.patch(jane.path, json={"roles": ["admin"]})
        john.patch(jane.path, json={"roles": ["admin", "user"]})
        john.patch(jane.path, json={"full_name": "Jane"})
        john.patch(jane.path, json={"status": "suspended"})
        john.patch(jane.path, json={"roles": ["user"]})

        assert outcome(john.delete(john.path)) == (409, "last-admin", [])

    def test_suspend_and_demote_in_one_patch(self, john, jane):
        """Removing role and status in one patch removes one admin from the count."""
        john.patch(jane.path, json={"roles": ["admin"]})
        jane.patch(john.path, json={"status": "suspended", "roles": ["user"]})

        assert outcome(jane.delete(jane.path)) == (409, "last-admin", [])

    def test_two_admins_delete_themselves(self, john, create_user):
        """Of two admins who delete themselves, the second is rejected."""
        amy = create_user("amy", roles=["admin"])

        assert john.delete("/v1/users/me").status_code == 204
        assert outcome(amy.delete("/v1/users/me")) == (409, "last-admin", [])


class TestRoleChanges:
    def test_demoted(self, john, create_user):
        """A demoted admin has a user's permissions from its next request (ASVS 8.3.2)."""
        amy = create_user("amy", roles=["admin"])
        john.patch(amy.path, json={"roles": ["user"]})

        assert outcome(amy.get("/v1/users")) == (403, "forbidden", [])

    def test_promoted(self, john, jane):
        """A promoted user has an admin's permissions from its next request (ASVS 8.3.2)."""
        john.patch(jane.path, json={"roles": ["admin"]})

        assert replace(jane).get("/v1/users").status_code == 200
