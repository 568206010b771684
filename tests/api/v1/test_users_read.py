"""GET /v1/users/{id} and /v1/users/me."""

import pytest

from tests.support.responses import ABSENT_ID, outcome


class TestRead:
    @pytest.mark.parametrize("member", ["username", "email", "full_name", "status", "metadata"])
    def test_me_is_my_id(self, jane, member):
        """`me` and one's own id are the same user."""
        assert jane.get("/v1/users/me").json[member] == jane.get(jane.path).json[member]

    def test_own_user(self, jane):
        """A user sees itself, and when it signed in last."""
        response = jane.get(jane.path)

        assert response.status_code == 200
        assert response.json["username"] == "jane"
        assert response.json["last_login_at"] is not None
        assert response.headers["Cache-Control"] == "no-store"

    def test_admin_reads_anybody(self, john, jane):
        """An admin sees what the user sees."""
        assert john.get(jane.path).json == jane.get(jane.path).json

    def test_others_do_not_exist(self, jane, eve):
        """Somebody else's id and an id that nobody has are answered alike."""
        other = jane.get(eve.path, headers={"X-Request-Id": "same"})
        absent = jane.get(f"/v1/users/{ABSENT_ID}", headers={"X-Request-Id": "same"})

        assert outcome(other) == (404, "user-not-found", [])
        assert other.data == absent.data
        assert list(other.headers) == list(absent.headers)

    def test_admin_asks_for_nobody(self, john):
        """To an admin too an id that nobody has is a 404."""
        assert outcome(john.get(f"/v1/users/{ABSENT_ID}")) == (404, "user-not-found", [])

    def test_anonymous(self, client, jane):
        """Who is not signed in reads nobody."""
        assert outcome(client.get(jane.path)) == (401, "unauthenticated", [])
        assert outcome(client.get("/v1/users/me")) == (401, "unauthenticated", [])

    def test_member_names(self, jane):
        """A user has the contract's members and no others: no hash, no version, no epoch."""
        assert set(jane.get("/v1/users/me").json) == {
            "id",
            "username",
            "email",
            "email_verified",
            "full_name",
            "status",
            "roles",
            "metadata",
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
        """Who has the current state is answered 304 without a body but with the tag."""
        tag = jane.get("/v1/users/me").headers["ETag"]

        response = jane.request(method, "/v1/users/me", headers={"If-None-Match": form.format(tag)})

        assert response.status_code == 304
        assert response.data == b""
        assert response.headers["ETag"] == tag
        assert response.headers["Cache-Control"] == "no-store"

    def test_changed(self, jane):
        """After a change the old tag brings the whole user again."""
        tag = jane.get("/v1/users/me").headers["ETag"]
        jane.patch("/v1/users/me", json={"full_name": "Jane"})

        response = jane.get("/v1/users/me", headers={"If-None-Match": tag})

        assert response.status_code == 200
        assert response.json["full_name"] == "Jane"
        assert response.headers["ETag"] != tag

    def test_signed_in_again(self, jane, alter, elsewhere):
        """A new `last_login_at` is shown, so the tag that stood for the old one is stale."""
        alter(jane, last_login_at=None)
        tag = jane.get("/v1/users/me").headers["ETag"]
        elsewhere(jane)

        assert jane.get("/v1/users/me", headers={"If-None-Match": tag}).status_code == 200

    @pytest.mark.parametrize("tag", ['"other"', "", "nonsense", '""', '"1'])
    def test_some_other_tag(self, jane, tag):
        """What is not the current tag brings the user."""
        response = jane.get("/v1/users/me", headers={"If-None-Match": tag})

        assert response.status_code == 200

    def test_not_for_strangers(self, jane, eve):
        """A tag that fits does not open somebody else's user."""
        response = jane.get(eve.path, headers={"If-None-Match": "*"})

        assert outcome(response) == (404, "user-not-found", [])
