"""Suspension, reactivation and the last admin, by PATCH and DELETE of a user."""

from dataclasses import replace

import pytest

from tests.support.responses import outcome

LAST = [{"roles": ["user"]}, {"roles": []}, {"status": "suspended"}]


class TestSuspend:
    def test_sessions_end_at_once(self, john, jane, elsewhere):
        """All sessions of a suspended user are dead with the answer."""
        other = elsewhere(jane)

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
        """A user who is active again has to sign in again."""
        john.patch(jane.path, json={"status": "suspended"})

        john.patch(jane.path, json={"status": "active"})

        assert outcome(jane.get("/v1/users/me")) == (401, "unauthenticated", [])
        assert jane.sign_in().get("/v1/users/me").json["status"] == "active"

    def test_names_stay_taken(self, john, jane, client):
        """A suspended user keeps its names."""
        john.patch(jane.path, json={"status": "suspended"})

        response = client.post(
            "/v1/users",
            json={"username": "ada", "email": "jane@example.com", "password": jane.password},
        )

        assert outcome(response) == (409, "email-taken", ["/email"])

    def test_other_changes_keep_sessions(self, john, jane):
        """Names and roles change without signing anybody out."""
        john.patch(jane.path, json={"username": "janet", "roles": ["admin"]})

        assert jane.get("/v1/users/me").status_code == 200

    def test_suspended_user_is_still_edited(self, john, jane):
        """An admin may change a suspended user and it stays suspended."""
        john.patch(jane.path, json={"status": "suspended"})

        response = john.patch(jane.path, json={"full_name": "Jane"})

        assert (response.status_code, response.json["status"]) == (200, "suspended")


class TestLastAdmin:
    @pytest.mark.parametrize("patch", LAST)
    @pytest.mark.parametrize("path", ["/v1/users/me", "own id"])
    def test_stays(self, john, stored, patch, path):
        """The only admin can neither be demoted nor suspended, by itself or anybody."""
        before = stored()

        response = john.patch(path.replace("own id", john.path), json=patch)

        assert outcome(response) == (409, "last-admin", [])
        assert stored() == before

    def test_cannot_be_deleted(self, john, stored):
        """The only admin cannot be deleted."""
        before = stored()

        assert outcome(john.delete("/v1/users/me")) == (409, "last-admin", [])
        assert stored() == before

    @pytest.mark.parametrize("patch", LAST)
    def test_suspended_admins_do_not_count(self, john, register, patch):
        """An admin who cannot sign in administers nothing."""
        register("amy", roles=["admin"], status="suspended")

        assert outcome(john.patch(john.path, json=patch)) == (409, "last-admin", [])

    @pytest.mark.parametrize("patch", LAST)
    def test_another_admin_is_left(self, john, enrol, patch):
        """With a second active admin the first may go."""
        amy = enrol("amy", roles=["admin"])

        assert amy.patch(john.path, json=patch).status_code == 200
        assert outcome(amy.delete(amy.path)) == (409, "last-admin", [])

    def test_reactivated_admin_counts(self, john, register):
        """An admin who was reactivated can take over."""
        amy = register("amy", roles=["admin"], status="suspended")
        john.patch(f"/v1/users/{amy}", json={"status": "active"})

        assert john.delete(john.path).status_code == 204

    def test_promoted_user_counts(self, john, jane):
        """A user who was made an admin can take over."""
        john.patch(jane.path, json={"roles": ["admin"]})

        assert john.delete(john.path).status_code == 204
        assert jane.get("/v1/users").status_code == 200

    def test_counted_once(self, john, jane):
        """An admin who stays one through many changes is counted once."""
        john.patch(jane.path, json={"roles": ["admin"]})
        john.patch(jane.path, json={"roles": ["admin", "user"]})
        john.patch(jane.path, json={"full_name": "Jane"})
        john.patch(jane.path, json={"status": "suspended"})
        john.patch(jane.path, json={"roles": ["user"]})

        assert outcome(john.delete(john.path)) == (409, "last-admin", [])

    def test_suspend_and_demote_at_once(self, john, jane):
        """Taking the role and the status in one patch counts as one admin less."""
        john.patch(jane.path, json={"roles": ["admin"]})
        jane.patch(john.path, json={"status": "suspended", "roles": ["user"]})

        assert outcome(jane.delete(jane.path)) == (409, "last-admin", [])

    def test_two_admins_delete_themselves(self, john, enrol):
        """Whoever comes second stays."""
        amy = enrol("amy", roles=["admin"])

        assert john.delete("/v1/users/me").status_code == 204
        assert outcome(amy.delete("/v1/users/me")) == (409, "last-admin", [])


class TestRolesApplyAtOnce:
    def test_demoted(self, john, enrol):
        """A demoted admin's next request is a user's, in the session it has (ASVS 8.3.2)."""
        amy = enrol("amy", roles=["admin"])
        john.patch(amy.path, json={"roles": ["user"]})

        assert outcome(amy.get("/v1/users")) == (403, "forbidden", [])

    def test_promoted(self, john, jane):
        """A promoted user is an admin with its next request (ASVS 8.3.2)."""
        john.patch(jane.path, json={"roles": ["admin"]})

        assert replace(jane).get("/v1/users").status_code == 200
