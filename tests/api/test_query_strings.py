"""Query strings: unknown parameters are rejected on every route (M9, ASVS 15.3.7)."""

import pytest

from api.pagination import LIMIT_OF_ALL
from models import Session
from tests.support.api_keys import with_key
from tests.support.openapi_client import DOCUMENT
from tests.support.responses import ABSENT_ID, outcome

# Each operation under /v1; with a body, an empty object.
OPERATIONS = [
    pytest.param(method.upper(), path, "requestBody" in operation, id=operation["operationId"])
    for path, item in DOCUMENT["paths"].items()
    for method, operation in item.items()
    if method != "parameters" and path.startswith("/v1/")
]


class TestUnknownParameters:
    @pytest.mark.parametrize("method, path, has_body", OPERATIONS)
    def test_rejected(self, john, snapshot, method, path, has_body):
        """A parameter that the operation does not have is an error, and nothing is done."""
        others = dict.fromkeys(("client_id", "secret_id", "invitation_id"), ABSENT_ID)
        path = path.format(id=john.id, key_id="0" * 64, **others)
        if path.startswith("/v1/sessions/"):
            path = path.replace(john.id, john.session_id)
        before = snapshot()

        response = john.request(
            method, path, query_string={"nope": "1"}, json={} if has_body else None
        )

        status, slug, fields = outcome(response)
        assert (status, slug) == (422, "invalid-request")
        assert "/nope" in fields
        assert snapshot() == before

    def test_misspelt(self, john):
        """A misspelt filter does not return everything."""
        assert outcome(john.get("/v1/users?rolle=admin"))[2] == ["/rolle"]

    def test_permission_first(self, jane, client):
        """Callers without permission learn nothing from it."""
        assert outcome(client.get("/v1/users/me?nope=1"))[0] == 401
        assert outcome(jane.get("/v1/users?nope=1"))[0] == 403

    def test_escaped(self, jane):
        """The pointer of a strange name is escaped."""
        assert outcome(jane.get("/v1/users/me?a/b~c=1"))[2] == ["/a~1b~0c"]


LISTS = ["/v1/sessions", "/v1/users/me/api-keys"]


@pytest.fixture
def busy_jane(jane):
    """Jane with five sessions and five keys; the ids of each, newest first."""
    for _ in range(4):
        with_key(jane)
        jane.client.post("/v1/sessions", json={"login": "jane", "password": jane.password})
    with_key(jane)
    return jane


class TestPages:
    @pytest.mark.parametrize("path", LISTS)
    def test_all_at_once(self, busy_jane, path):
        """Without a limit the first page has all."""
        response = busy_jane.get(path)

        assert LIMIT_OF_ALL["default"] == 100
        assert len(response.json["items"]) == 5
        assert response.json["next_cursor"] is None
        assert "Link" not in response.headers

    @pytest.mark.parametrize("path", LISTS)
    @pytest.mark.parametrize("limit", [1, 2, 4])
    def test_pages(self, busy_jane, path, limit):
        """The pages together have each item once, in the order of the whole list."""
        everything = [item["id"] for item in busy_jane.get(path).json["items"]]
        found, url = [], f"{path}?limit={limit}"
        while url:
            response = busy_jane.get(url)
            assert len(response.json["items"]) <= limit
            found += [item["id"] for item in response.json["items"]]
            link = response.headers.get("Link")
            url = link and link[1 : link.index(">")]

        assert found == everything

    def test_deleted_meanwhile(self, app, busy_jane):
        """A page continues although the last item of the previous one is gone."""
        everything = [item["id"] for item in busy_jane.get("/v1/sessions").json["items"]]
        first = busy_jane.get("/v1/sessions?limit=2").json
        with app.app_context():
            Session(busy_jane.id, everything[1]).delete()

        second = busy_jane.get("/v1/sessions", query_string={"cursor": first["next_cursor"]})

        assert [item["id"] for item in second.json["items"]] == everything[2:]

    @pytest.mark.parametrize("path", [*LISTS, "/v1/users/me/events"])
    def test_of_another_user(self, busy_jane, john, path):
        """A cursor is for one user's list only, also where the path says `me` (L8)."""
        with_key(john)
        cursor = busy_jane.get(f"{path}?limit=1").json["next_cursor"]

        response = john.get(path, query_string={"cursor": cursor})

        assert outcome(response) == (400, "invalid-cursor", ["/cursor"])

    @pytest.mark.parametrize("path", [*LISTS, "/v1/users/me/events"])
    @pytest.mark.parametrize("limit", ["0", "101", "x", ""])
    def test_limit(self, jane, path, limit):
        """The limit is 1 to 100."""
        assert outcome(jane.get(f"{path}?limit={limit}")) == (422, "invalid-request", ["/limit"])

    def test_by_an_admin(self, busy_jane, john):
        """An admin reads pages of another user's sessions and keys."""
        for name in ("sessions", "api-keys"):
            path = f"{busy_jane.path}/{name}"
            first = john.get(f"{path}?limit=3").json
            rest = john.get(path, query_string={"cursor": first["next_cursor"]}).json
            assert (len(first["items"]), len(rest["items"])) == (3, 2)
            assert rest["next_cursor"] is None

    def test_own_events_by_id(self, busy_jane):
        """A cursor of one path is not for another, even of the same list."""
        cursor = busy_jane.get("/v1/users/me/events?limit=1").json["next_cursor"]
        user = busy_jane.get("/v1/users/me").json["id"]

        response = busy_jane.get(f"/v1/users/{user}/events", query_string={"cursor": cursor})

        assert outcome(response)[1] == "invalid-cursor"
