"""GET /v1/users/{id} and /v1/users/me."""

import pytest

from tests.support.responses import ABSENT_ID, outcome


class TestRead:
    @pytest.mark.parametrize("field", ["username", "email", "full_name", "status", "metadata"])
    def test_me(self, jane, field):
        """`me` and the user's own id are the same user."""
        assert jane.get("/v1/users/me").json[field] == jane.get(jane.path).json[field]

    def test_own_user(self, jane):
        """A user reads itself, with the time of its last sign-in."""
        response = jane.get(jane.path)

        assert response.status_code == 200
        assert response.json["username"] == "jane"
        assert response.json["last_login_at"] is not None
        assert response.headers["Cache-Control"] == "no-store"

    def test_admin_reads_another_user(self, john, jane):
        """An admin sees the fields that the user sees."""
        assert john.get(jane.path).json == jane.get(jane.path).json

    def test_other_users(self, jane, eve):
        """Another user's id and an unknown id get the same response."""
        other = jane.get(eve.path, headers={"X-Request-Id": "same"})
        absent = jane.get(f"/v1/users/{ABSENT_ID}", headers={"X-Request-Id": "same"})

        assert outcome(other) == (404, "user-not-found", [])
        assert other.data == absent.data
        assert list(other.headers) == list(absent.headers)

    def test_unknown_user(self, john):
        """An unknown id is a 404 to an admin too."""
        assert outcome(john.get(f"/v1/users/{ABSENT_ID}")) == (404, "user-not-found", [])

    def test_anonymous(self, client, jane):
        """An anonymous client gets a 401."""
        assert outcome(client.get(jane.path)) == (401, "unauthenticated", [])
        assert outcome(client.get("/v1/users/me")) == (401, "unauthenticated", [])

    def test_fields(self, jane):
        """A user has exactly the contract's fields: no hash, no version, no session epoch."""
        assert set(jane.get("/v1/users/me").json) == {
            "id",
            "username",
            "email",
            "email_verified",
            "full_name",
            "locale",
            "status",
            "roles",
            "metadata",
            "app_metadata",
            "external_id",
            "created_at",
            "updated_at",
            "last_login_at",
        }

    def test_head(self, jane):
        """HEAD is GET without a body."""
        read, head = jane.get("/v1/users/me"), jane.request("HEAD", "/v1/users/me")

        assert head.status_code == 200
        assert head.data == b""
        assert head.headers["ETag"] == read.headers["ETag"]
        assert head.headers["Content-Length"] == read.headers["Content-Length"]
        assert head.headers["Content-Type"] == read.headers["Content-Type"]


class TestIfNoneMatch:
    @pytest.mark.parametrize("form", ["{}", "W/{}", '"other", {}', "*"])
    @pytest.mark.parametrize("method", ["GET", "HEAD"])
    def test_unchanged(self, jane, method, form):
        """With the current ETag the response is a 304 without body, with the ETag."""
        tag = jane.get("/v1/users/me").headers["ETag"]

        response = jane.request(method, "/v1/users/me", headers={"If-None-Match": form.format(tag)})

        assert response.status_code == 304
        assert response.data == b""
        assert response.headers["ETag"] == tag
        assert response.headers["Cache-Control"] == "no-store"

    def test_changed(self, jane):
        """After a change the old ETag returns the whole user."""
        tag = jane.get("/v1/users/me").headers["ETag"]
        jane.patch("/v1/users/me", json={"full_name": "Jane"})

        response = jane.get("/v1/users/me", headers={"If-None-Match": tag})

        assert response.status_code == 200
        assert response.json["full_name"] == "Jane"
        assert response.headers["ETag"] != tag

    def test_signed_in_again(self, jane, edit_row, second_session):
        """A new `last_login_at` changes the ETag, since the field is shown."""
        edit_row(jane, last_login_at=None)
        tag = jane.get("/v1/users/me").headers["ETag"]
        second_session(jane)

        assert jane.get("/v1/users/me", headers={"If-None-Match": tag}).status_code == 200

    @pytest.mark.parametrize("tag", ['"other"', "", "nonsense", '""', '"1'])
    def test_some_other_tag(self, jane, tag):
        """An ETag that is not the current one returns the user."""
        response = jane.get("/v1/users/me", headers={"If-None-Match": tag})

        assert response.status_code == 200

    def test_permissions_come_first(self, jane, eve):
        """A matching ETag gives no access to another user."""
        response = jane.get(eve.path, headers={"If-None-Match": "*"})

        assert outcome(response) == (404, "user-not-found", [])


class TestIfMatch:
    @pytest.mark.parametrize("method", ["GET", "HEAD"])
    def test_match(self, jane, method):
        """`If-Match` with the current ETag returns the user."""
        tag = jane.get("/v1/users/me").headers["ETag"]

        response = jane.request(method, "/v1/users/me", headers={"If-Match": tag})

        assert response.status_code == 200

    def test_mismatch(self, jane):
        """RFC 9110, 13.1.1: `If-Match` applies to every method."""
        response = jane.get("/v1/users/me", headers={"If-Match": '"7-0"'})

        assert outcome(response) == (412, "version-mismatch", [])
