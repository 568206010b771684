"""GET /v1/users?q=."""

from itertools import chain
from urllib.parse import quote

import pytest

from models import UserSearch, build_user
from tests.support.responses import names, next_path, outcome, walk

TOO_SHORT = (422, "invalid-request", ["/q"])


@pytest.fixture
def people(john, register):
    """Create users with names of several kinds beside john; return john."""
    register("ada", email="ada@example.com", full_name="Ada King-Lovelace")
    register("zoe", email="zed@example.org", full_name="Zoë  Łuczak", status="suspended")
    register("a_b", email="under@example.com", full_name="O'Brien, José")
    register("axb", email="plain@example.com", full_name="50% Club", roles=["support"])
    return john


@pytest.fixture
def search(people):
    """Return a function that returns the usernames that a text finds."""
    return lambda text, filters="": names(people.get(f"/v1/users?q={quote(text)}{filters}"))


class TestMatches:
    @pytest.mark.parametrize(
        ("text", "found"),
        [
            ("ad", ["ada"]),
            ("ADA", ["ada"]),
            ("ada@example.com", ["ada"]),
            ("ada@example.co.uk", []),
            ("example.com", []),
            ("king", ["ada"]),
            ("ada king", ["ada"]),
            ("  ada   king ", ["ada"]),
            ("king-love", ["ada"]),
            ("lovelace", ["ada"]),
            ("ovelace", []),
            ("zoe", ["zoe"]),
            ("ZOË", ["zoe"]),
            ("zoe\u0308 lu", ["zoe"]),
            ("luczak", ["zoe"]),
            ("zed@example.org", ["zoe"]),
            ("o'b", ["a_b"]),
            ("brien", ["a_b"]),
            ("jose", ["a_b"]),
            ("JOSE\u0301", ["a_b"]),
            ("\u202ejose\u202c", ["a_b"]),
            ("jo\u200dse", ["a_b"]),
            ("nobody", []),
        ],
    )
    def test_beginnings(self, search, text, found):
        """Usernames, addresses and each word of a name are found by how they begin."""
        assert search(text) == found

    @pytest.mark.parametrize(
        ("text", "found"),
        [
            ("a_", ["a_b"]),
            ("a%", []),
            ("a*", []),
            ("%%", []),
            ("**", []),
            ("__", []),
            ("..", []),
            ("50%", ["axb"]),
            ("a?b", []),
            ("a\\", []),
            ("ad' or '1'='1", []),
            ('{"S": "ad"}', []),
        ],
    )
    def test_wildcards(self, search, text, found):
        """No character stands for others."""
        assert search(text) == found

    def test_order(self, search):
        """Users are in the order of what begins with the text."""
        assert search("jo") == ["john", "a_b"]
        assert search("us") == []

    @pytest.mark.parametrize(
        ("filters", "found"),
        [
            ("&status=active", []),
            ("&status=suspended", ["zoe"]),
            ("&status=deleted", []),
            ("&role=user", ["zoe"]),
            ("&role=admin", []),
            ("&role=user&status=suspended", ["zoe"]),
            ("&username=zoe", ["zoe"]),
            ("&username=ada", []),
            ("&email=zed@example.org", ["zoe"]),
            ("&email=nobody@example.org", []),
            ("&username=zoe&status=active", []),
        ],
    )
    def test_filters(self, search, filters, found):
        """A search combines with all filters."""
        assert search("zo", filters) == found

    def test_changed_user(self, john, eve, search):
        """A renamed user is found by the new name only, and a deleted one not at all."""
        assert search("eve") == ["eve"]

        john.patch(f"/v1/users/{eve.id}", json={"username": "iva", "email": "iva@example.com"})
        assert search("iv") == ["iva"]
        assert search("eve") == []

        john.delete(f"/v1/users/{eve.id}")
        assert search("iv") == []

    def test_new_name(self, search, jane):
        """After a change of the name, a user is found by the new one and by no word of the old."""
        jane.patch("/v1/users/me", json={"full_name": "Grace Brewster Hopper"})
        assert search("brew") == search("hop") == search("grace b") == ["jane"]

        jane.patch("/v1/users/me", json={"full_name": "Grace Hopper"})
        assert search("brew") == []
        assert search("hop") == ["jane"]

        jane.patch("/v1/users/me", json={"full_name": None})
        assert search("hop") == []


class TestPages:
    @pytest.fixture
    def many(self, john, register):
        """Create thirty users that "us" finds, by username, address and name."""
        created = [f"user-{number:02}" for number in range(30)]
        for username in created:
            register(username, full_name=f"Ustin {username}", email=f"{username}@example.com")
        return created

    @pytest.mark.parametrize("limit", [1, 2, 25, 30, 100])
    @pytest.mark.parametrize("text", ["us", "user-", "ustin user-"])
    def test_every_user_once(self, john, many, limit, text):
        """Following `Link` shows every user once, whatever the limit."""
        pages = list(walk(john, f"/v1/users?q={quote(text)}&limit={limit}"))

        assert list(chain(*pages)) == many
        assert max(map(len, pages)) <= limit

    def test_other_text(self, john, many):
        """A cursor is valid for its text only."""
        cursor = john.get("/v1/users?q=us&limit=2").json["next_cursor"]

        for query in ("q=use&", "", "q=us&status=active&"):
            response = john.get(f"/v1/users?{query}limit=2&cursor={cursor}")
            assert outcome(response) == (400, "invalid-cursor", ["/cursor"])

    def test_users_added_and_removed(self, john, many, register):
        """Users who come and go between two pages neither repeat nor hide others."""
        first = john.get("/v1/users?q=us&limit=4")
        john.delete(f"/v1/users/{first.json['items'][-1]['id']}")
        register("usa", email="usa@example.com")

        rest = chain(*walk(john, next_path(first)))
        assert [*names(first), *(name for name in rest if name != "usa")] == many


class TestBadInput:
    @pytest.mark.parametrize(
        "text",
        [
            "a",
            "%C3%A9",
            "",
            "%20%20%20",
            "%20a%20",
            "e%CC%81",
            "a%CC%81%CC%82",
            "%CC%81%CC%82%CC%83",
            "%E2%80%AE%E2%80%AE",
            "a%E2%80%8B",
            "a%00",
            "%00%00",
            "a" * 257,
            "a" * 10_000,
            "%CC%81" * 300,
        ],
    )
    def test_rejected(self, john, text):
        """A text has two to 256 characters, without accents and those that are not visible."""
        assert outcome(john.get(f"/v1/users?q={text}")) == TOO_SHORT

    @pytest.mark.parametrize(
        "text",
        ["a" * 256, "%F0%9F%98%80" * 256, "%EF%B7%BA" * 256, "%FF%FE", "a%0Ab", "a%CC%81" * 128],
    )
    def test_accepted(self, john, text):
        """Every other text finds users or none."""
        assert john.get(f"/v1/users?q={text}").json == {"items": [], "next_cursor": None}

    def test_twice(self, john):
        """A text is sent once."""
        assert outcome(john.get("/v1/users?q=jo&q=ja")) == TOO_SHORT

    def test_with_other_faults(self, john):
        """A text that is too long is named together with other faults."""
        response = john.get(f"/v1/users?q={'a' * 257}&limit=0")

        assert outcome(response) == (422, "invalid-request", ["/limit", "/q"])


class TestOff:
    @pytest.fixture
    def off(self, make_app, john):
        """A client of an app without the search."""
        return make_app(search=False).test_client()

    def test_problem(self, off, john):
        """The problem names the setting."""
        response = off.get("/v1/users?q=john", headers={"Authorization": f"Bearer {john.token}"})

        assert outcome(response) == TOO_SHORT
        assert "ROSTER_SEARCH" in response.json["errors"][0]["detail"]

    def test_new_users(self, app, off, john):
        """New users get no rows; they are listed and changed as before."""
        body = {"username": "ina", "email": "ina@example.com", "password": "a bridge of red stone"}
        created = off.post("/v1/users", json=body)
        changed = john.patch(f"/v1/users/{created.json['id']}", json={"full_name": "Ina Ray"})

        assert (created.status_code, changed.status_code) == (201, 200)
        assert names(john.get("/v1/users?q=in")) == []
        assert names(john.get("/v1/users")) == ["ina", "john"]


def test_service():
    """The service decides about one user as the search does."""
    user = build_user(email="ada@example.com", full_name="Ada Lovelace")

    assert UserSearch().finds("LOVE", user)
    assert not UserSearch().finds("hate", user)
