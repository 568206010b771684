"""PATCH /v1/users/{id} and /v1/users/me: changes and permissions."""

from dataclasses import replace

import pytest

from tests.support.responses import ABSENT_ID, ADA, outcome


class TestMergePatch:
    @pytest.mark.parametrize(
        "media_type",
        [
            "application/merge-patch+json",
            "application/json",
            "Application/Merge-Patch+JSON; charset=utf-8",
        ],
    )
    def test_media_types(self, jane, media_type):
        """application/merge-patch+json and application/json are accepted."""
        response = jane.patch("/v1/users/me", data='{"full_name": "Jane"}', content_type=media_type)

        assert response.status_code == 200
        assert response.json["full_name"] == "Jane"

    @pytest.mark.parametrize(
        "media_type", ["application/json-patch+json", "text/plain", "multipart/form-data"]
    )
    def test_other_media_types(self, jane, snapshot, media_type):
        """Another media type is a 415."""
        before = snapshot()

        response = jane.patch("/v1/users/me", data='{"full_name": "Jane"}', content_type=media_type)

        assert outcome(response) == (415, "unsupported-media-type", [])
        assert snapshot() == before

    def test_other_fields_are_kept(self, jane):
        """Fields that are not in the patch are kept, and the response shows the stored user."""
        before = jane.get("/v1/users/me").json

        response = jane.patch("/v1/users/me", json={"full_name": "Jane Doe"})

        unchanged = {"updated_at": response.json["updated_at"], "full_name": "Jane Doe"}
        assert response.json == {**before, **unchanged}
        assert response.json == jane.get("/v1/users/me").json

    def test_several_fields(self, jane):
        """A user changes its names, email and metadata in one request."""
        wanted = {
            "username": "janet",
            "email": "janet@example.com",
            "full_name": "Janet",
            "metadata": {"a": 1},
        }

        response = jane.patch("/v1/users/me", json=wanted)

        assert {**response.json, **wanted} == response.json

    def test_null_removes_the_full_name(self, jane):
        """Null removes the full name."""
        jane.patch("/v1/users/me", json={"full_name": "Jane"})

        response = jane.patch("/v1/users/me", json={"full_name": None})

        assert response.status_code == 200
        assert jane.get("/v1/users/me").json["full_name"] is None

    def test_null_for_required_field(self, jane):
        """An email can be changed, not removed."""
        response = jane.patch("/v1/users/me", json={"email": None})

        assert outcome(response) == (422, "invalid-request", ["/email"])

    @pytest.mark.parametrize(
        "before, patch, after",
        [
            ({"a": "b"}, {"a": "c"}, {"a": "c"}),
            ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
            ({"a": "b"}, {"a": None}, {}),
            ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
            ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
            ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
            ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
            ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
            ({"e": 1}, {"a": 1}, {"e": 1, "a": 1}),
            ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
            ({"a": 1}, {}, {"a": 1}),
            ({"a": 1}, None, {}),
            ({"a": [1, None]}, {"a": [None]}, {"a": [None]}),
            ({"a": 1}, {"a": True}, {"a": True}),
            ({"a": 0}, {"a": False}, {"a": False}),
        ],
    )
    def test_metadata(self, jane, before, patch, after):
        """Metadata follow RFC 7396, appendix A, at every depth."""
        jane.patch("/v1/users/me", json={"metadata": before})

        response = jane.patch("/v1/users/me", json={"metadata": patch})

        assert response.json["metadata"] == after
        assert jane.get("/v1/users/me").json["metadata"] == after

    def test_metadata_too_large(self, jane, snapshot):
        """The size limit applies to the patched metadata, not to the patch."""
        jane.patch("/v1/users/me", json={"metadata": {"a": "x" * 3000}})
        before = snapshot()

        response = jane.patch("/v1/users/me", json={"metadata": {"b": "x" * 3000}})

        assert outcome(response) == (422, "invalid-request", ["/metadata"])
        assert snapshot() == before

    @pytest.mark.parametrize("patch", [{}, {"username": "JANE"}, {"full_name": None}])
    def test_no_change(self, jane, snapshot, patch):
        """A patch without a change writes nothing and keeps the ETag."""
        tag = jane.get("/v1/users/me").headers["ETag"]
        before = snapshot()

        response = jane.patch("/v1/users/me", json=patch)

        assert response.status_code == 200
        assert response.headers["ETag"] == tag
        assert snapshot() == before


class TestNames:
    def test_rename(self, jane, client):
        """The new username signs in and the old one does not."""
        jane.patch("/v1/users/me", json={"username": "Janet"})

        assert replace(jane, username="janet").sign_in().token
        old = client.post("/v1/sessions", json={"login": "jane", "password": jane.password})
        assert outcome(old) == (401, "invalid-credentials", [])

    def test_old_username_is_kept_from_others(self, jane, client):
        """After a rename no other user may take the old username for a time; the same user may."""
        jane.patch("/v1/users/me", json={"username": "janet"})

        assert client.post("/v1/users", json={**ADA, "username": "jane"}).status_code == 409
        assert jane.patch("/v1/users/me", json={"username": "jane"}).status_code == 200

    def test_old_email_is_free(self, jane, client):
        """After a change of email another user may take the old one."""
        jane.patch("/v1/users/me", json={"email": "janet@example.com"})

        created = client.post("/v1/users", json={**ADA, "email": "jane@example.com"})

        assert created.status_code == 201

    @pytest.mark.parametrize(
        "field, value, problem",
        [
            ("username", "eve", "username-taken"),
            ("username", "EVE", "username-taken"),
            ("email", "eve@example.com", "email-taken"),
            ("email", "Eve@EXAMPLE.com", "email-taken"),
        ],
    )
    def test_taken(self, jane, eve, snapshot, field, value, problem):
        """A name that is taken is a 409, and nothing else of the patch is written."""
        before = snapshot()

        response = jane.patch("/v1/users/me", json={field: value, "full_name": "Jane"})

        assert outcome(response) == (409, problem, [f"/{field}"])
        assert snapshot() == before

    def test_rename_back(self, jane):
        """A user may take its own old name again."""
        jane.patch("/v1/users/me", json={"username": "janet"})

        assert jane.patch("/v1/users/me", json={"username": "jane"}).status_code == 200

    def test_case_of_the_email_only(self, jane, edit_row):
        """The same email in another case is stored as written and stays verified."""
        edit_row(jane, email_verified=True)

        response = jane.patch("/v1/users/me", json={"email": "Jane@example.com"})

        assert response.json["email"] == "Jane@example.com"
        assert response.json["email_verified"] is True

    def test_new_email_is_unverified(self, jane, edit_row):
        """A new email is not verified, even if the old one was."""
        edit_row(jane, email_verified=True)

        response = jane.patch("/v1/users/me", json={"email": "janet@example.com"})

        assert response.json["email_verified"] is False
        assert jane.get("/v1/users/me").json["email_verified"] is False


class TestPermissions:
    def test_admin_changes_another_user(self, john, jane):
        """An admin may change another user's fields, roles and status included."""
        wanted = {"full_name": "Jane", "roles": ["admin", "user"], "status": "active"}

        response = john.patch(jane.path, json=wanted)

        assert response.status_code == 200
        assert {**response.json, **wanted} == response.json

    def test_user_changes_another(self, jane, eve, snapshot):
        """A user gets a 404 for another user, and nothing is written."""
        before = snapshot()

        response = jane.patch(eve.path, json={"full_name": "Eve"})

        assert outcome(response) == (404, "user-not-found", [])
        assert snapshot() == before

    def test_unknown_user(self, john):
        """An unknown id is a 404."""
        response = john.patch(f"/v1/users/{ABSENT_ID}", json={"full_name": "X"})

        assert outcome(response) == (404, "user-not-found", [])

    def test_anonymous(self, client, jane, snapshot):
        """An anonymous client changes nothing."""
        before = snapshot()

        response = client.patch(jane.path, json={"full_name": "Jane"})

        assert outcome(response) == (401, "unauthenticated", [])
        assert snapshot() == before

    @pytest.mark.parametrize(
        "patch, named",
        [
            ({"roles": ["admin"]}, ["/roles"]),
            ({"roles": ["user"]}, ["/roles"]),
            ({"status": "suspended"}, ["/status"]),
            ({"status": "active", "roles": [], "full_name": "Jane"}, ["/roles", "/status"]),
        ],
    )
    def test_roles_and_status_are_for_admins(self, jane, snapshot, patch, named):
        """Roles and status in a user's own patch are rejected by name; nothing is written."""
        before = snapshot()

        response = jane.patch("/v1/users/me", json=patch)

        assert outcome(response) == (403, "forbidden", named)
        assert snapshot() == before
