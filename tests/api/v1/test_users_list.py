"""GET /v1/users."""

from dataclasses import replace
from itertools import chain

import pytest

from flask_pynamodb.pagination import make_cursor
from tests.support.responses import names, next_path, outcome, walk


@pytest.fixture
def twelve_users(john, register):
    """Create twelve users beside john; return all names, newest first."""
    created = [f"user-{number:02}" for number in range(12)]
    for username in created:
        register(username)
    return [*reversed(created), "john"]


@pytest.fixture
def mixed_users(john, jane, register):
    """Create a user of each kind: john, amy are admins; amy, eve suspended; bob is newest."""
    register("eve", status="suspended")
    register("amy", status="suspended", roles=["admin"])
    register("bob", roles=["admin", "user"])
    return john


class TestPermissions:
    def test_anonymous(self, client):
        """An anonymous client gets a 401."""
        assert outcome(client.get("/v1/users")) == (401, "unauthenticated", [])

    def test_user(self, jane):
        """A user gets a 403."""
        assert outcome(jane.get("/v1/users")) == (403, "forbidden", [])

    def test_admin(self, john, jane):
        """An admin sees the fields that users see of themselves."""
        response = john.get("/v1/users")

        assert response.status_code == 200
        assert response.json["items"] == [jane.get(jane.path).json, john.get(john.path).json]
        assert response.headers["Cache-Control"] == "no-store"


class TestPages:
    def test_newest_first(self, john, twelve_users):
        """The newest user comes first, and a complete list has no next page."""
        response = john.get("/v1/users")

        assert names(response) == twelve_users
        assert response.json["next_cursor"] is None
        assert "Link" not in response.headers

    @pytest.mark.parametrize("limit", [1, 2, 5, 12, 13, 100])
    def test_every_user_once(self, john, twelve_users, limit):
        """Following `Link` shows every user exactly once, in order, whatever the limit."""
        pages = list(walk(john, f"/v1/users?limit={limit}"))

        assert list(chain(*pages)) == twelve_users
        assert max(map(len, pages)) <= limit

    def test_next_cursor_is_the_link(self, john, twelve_users):
        """`next_cursor` and the `Link` header lead to the same page."""
        first = john.get("/v1/users?limit=5")

        by_cursor = john.get(f"/v1/users?limit=5&cursor={first.json['next_cursor']}")

        assert names(by_cursor) == twelve_users[5:10]
        assert john.get(next_path(first)).json == by_cursor.json

    def test_users_added_between_pages(self, john, twelve_users, register):
        """Users added between two pages neither shift nor repeat others."""
        pages = walk(john, "/v1/users?limit=4")
        first = next(pages)
        register("zoe")
        register("yan")
        second = next(pages)
        register("xia")

        assert [*first, *second, *chain(*pages)] == twelve_users

    def test_user_at_the_cursor_is_deleted(self, john, twelve_users, register):
        """After the user at the cursor was deleted, the next page starts at the same place."""
        first = john.get("/v1/users?limit=4")
        john.delete(f"/v1/users/{first.json['items'][-1]['id']}")

        assert names(john.get(next_path(first))) == twelve_users[4:8]

    def test_limit_may_change(self, john, twelve_users):
        """A cursor is valid with another limit."""
        cursor = john.get("/v1/users?limit=2").json["next_cursor"]

        assert names(john.get(f"/v1/users?limit=3&cursor={cursor}")) == twelve_users[2:5]

    def test_default_limit(self, john, register):
        """Without a limit a page has 25 users."""
        for number in range(25):
            register(f"user-{number}")

        response = john.get("/v1/users")

        assert len(response.json["items"]) == 25
        assert names(john.get(next_path(response))) == ["john"]

    @pytest.mark.parametrize(
        "limit", ["0", "101", "-1", "ten", "1.5", "", "%205", "%2B5", "1e1", "9" * 30, "%D9%A1"]
    )
    def test_limit_out_of_bounds(self, john, limit):
        """A limit is a whole number from 1 to 100."""
        response = john.get(f"/v1/users?limit={limit}")

        assert outcome(response) == (422, "invalid-request", ["/limit"])


class TestFilters:
    @pytest.mark.parametrize(
        "query, expected",
        [
            ("status=active", ["bob", "jane", "john"]),
            ("status=suspended", ["amy", "eve"]),
            ("status=deleted", []),
            ("role=admin", ["bob", "amy", "john"]),
            ("role=user", ["bob", "eve", "jane"]),
            ("role=admin&status=active", ["bob", "john"]),
            ("role=admin&status=suspended", ["amy"]),
            ("role=user&status=suspended", ["eve"]),
            ("role=user&status=active", ["bob", "jane"]),
            ("username=jane", ["jane"]),
            ("username=JANE", ["jane"]),
            ("username=jan", []),
            ("username=no-such-user", []),
            ("email=jane@example.com", ["jane"]),
            ("email=Jane@Example.COM", ["jane"]),
            ("email=jane@example", []),
            ("username=jane&email=jane@example.com", ["jane"]),
            ("username=jane&email=eve@example.com", []),
            ("username=eve&status=suspended", ["eve"]),
            ("username=eve&status=active", []),
            ("email=amy@example.com&role=admin&status=suspended", ["amy"]),
            ("username=jane&role=admin", []),
        ],
    )
    def test_matches(self, mixed_users, query, expected):
        """All filters must match; names match as a whole and in any case."""
        assert names(mixed_users.get(f"/v1/users?{query}")) == expected

    @pytest.mark.parametrize(
        "query, expected",
        [
            ("status=active", ["bob", "jane", "john"]),
            ("status=suspended", ["amy", "eve"]),
            ("role=admin", ["bob", "amy", "john"]),
            ("role=user", ["bob", "eve", "jane"]),
            ("role=user&status=active", ["bob", "jane"]),
        ],
    )
    def test_pages_keep_the_filter(self, mixed_users, query, expected):
        """`Link` carries the filters, so the next pages are filtered too."""
        assert list(chain(*walk(mixed_users, f"/v1/users?{query}&limit=1"))) == expected

    @pytest.mark.parametrize(
        "query, pointer",
        [
            ("status=banned", "/status"),
            ("status=", "/status"),
            ("role=root", "/role"),
            ("role=ADMIN", "/role"),
            ("page=2", "/page"),
            ("sort=username", "/sort"),
            ("password_hash=%24argon2", "/password_hash"),
            ("Limit=5", "/Limit"),
            ("limit=5&limit=6", "/limit"),
            ("status=active&status=suspended", "/status"),
            ("email=" + "a" * 255, "/email"),
            ("username=" + "a" * 33, "/username"),
            ("username=", "/username"),
            ("username=jane@example.com", "/username"),
            ("email=jane", "/email"),
            ("cursor=" + "a" * 3000, "/cursor"),
        ],
    )
    def test_invalid_parameter(self, mixed_users, query, pointer):
        """Unknown parameters, unknown values and repeated ones are rejected by name."""
        response = mixed_users.get(f"/v1/users?{query}")

        assert outcome(response) == (422, "invalid-request", [pointer])


class TestCursor:
    @pytest.mark.parametrize("cursor", ["", "x", "a.b", "%00", "%ED%A0%80", "bnVsbA.c2ln", "é"])
    def test_invented(self, john, cursor):
        """A cursor that the service did not create is rejected."""
        response = john.get(f"/v1/users?cursor={cursor}")

        assert outcome(response) == (400, "invalid-cursor", ["/cursor"])

    def test_modified(self, john, twelve_users):
        """A cursor with one modified character is invalid."""
        cursor = john.get("/v1/users?limit=1").json["next_cursor"]

        response = john.get(f"/v1/users?cursor=x{cursor[1:]}")

        assert outcome(response) == (400, "invalid-cursor", ["/cursor"])

    @pytest.mark.parametrize("query", ["status=active", "role=admin", "username=john"])
    def test_of_another_filter(self, john, twelve_users, query):
        """A cursor of the unfiltered list is invalid for a filtered one."""
        cursor = john.get("/v1/users?limit=1").json["next_cursor"]

        response = john.get(f"/v1/users?{query}&cursor={cursor}")

        assert outcome(response) == (400, "invalid-cursor", ["/cursor"])

    def test_filter_is_removed(self, john, twelve_users):
        """A cursor of a filtered list is invalid for the unfiltered one."""
        cursor = john.get("/v1/users?status=active&limit=1").json["next_cursor"]

        response = john.get(f"/v1/users?cursor={cursor}")

        assert outcome(response) == (400, "invalid-cursor", ["/cursor"])

    def test_of_another_list(self, app, john, jane):
        """A cursor that was signed for another list is invalid for this one."""
        with app.app_context():
            cursor = make_cursor(jane.id, scope="/v1/events?")

        response = john.get(f"/v1/users?cursor={cursor}")

        assert outcome(response) == (400, "invalid-cursor", ["/cursor"])

    def test_of_another_key(self, make_app, john, jane):
        """A cursor of a service with another secret key is rejected."""
        other = replace(john, client=make_app(secret_keys=("another",)).test_client())
        cursor = other.get("/v1/users?limit=1").json["next_cursor"]

        response = john.get(f"/v1/users?cursor={cursor}")

        assert outcome(response) == (400, "invalid-cursor", ["/cursor"])
