"""Produce every documented response.

The client of all API tests rejects undocumented ones: see tests/support/openapi_client.py.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests.support.openapi_client import DOCUMENT, faults, slugs_of
from tests.support.openapi_requests import ALIKE, GRANTED, LOCKED, OTHER_SUCCESS, SINGLE
from tests.support.preconditions import Scenario, locked

CALLS = {
    operation["operationId"]: (method.upper(), path)
    for path, item in DOCUMENT["paths"].items()
    for method, operation in item.items()
    if method != "parameters"
}
OPERATIONS = {
    operation["operationId"]: operation
    for item in DOCUMENT["paths"].values()
    for method, operation in item.items()
    if method != "parameters"
}
PROBLEMS = [
    (name, slug) for name, operation in OPERATIONS.items() for slug in sorted(slugs_of(operation))
]
# The app itself responds with `busy` here only.
HASHING = (
    "accept_invitation",
    "change_password",
    "confirm_password_reset",
    "create_user",
    "reauthenticate",
    "sign_in",
)
# These have tests of their own.
OPTIONAL_HEADERS = {"Link", "Idempotency-Replayed"}
FAULTS = ("internal-error", "store-unavailable")
# The front of a worker responds with these, before the app: see tests/processes/test_front.py.
OF_THE_FRONT = {
    (name, slug)
    for name, slug in PROBLEMS
    if slug == "request-timeout" or (slug == "busy" and name not in HASHING)
}
REJECTIONS = [each for each in PROBLEMS if each[1] not in FAULTS and each not in OF_THE_FRONT]
FAILURES = [each for each in PROBLEMS if each[1] in FAULTS]
SUCCESSES = [(name, status) for name, operation in OPERATIONS.items()
             for status in operation["responses"] if status < "400"]  # fmt: skip


def send(scenario: Scenario, name: str, **changes: Any) -> TestResponse:
    """Send the successful request of an operation with changes."""
    by, id, body, given, query, form = GRANTED[name]
    for bring_about in changes.pop("given", given):
        bring_about(scenario)
    method, path = CALLS[name]
    words = {"session": scenario.jane.session_id, "jane": scenario.jane.id, **scenario.placeholders}
    id = changes.pop("id", id)
    path = path.format(
        id=words.get(id, id),
        slug=id,
        key_id=words["key"],
        client_id=words["client"],
        secret_id=words["secret"],
        invitation_id=words["invitation"],
    )
    body = changes.pop("json", body)
    options = {} if body is None or "data" in changes else {"json": fill(body, words)}
    if form is not None:
        options["data"] = fill(form, words)
    options["query_string"] = fill(query, words) | changes.pop("query_string", {})
    return scenario.people[changes.pop("by", by)].request(method, path, **options, **changes)


def fill(body: dict[str, Any], words: dict[str, str]) -> dict[str, Any]:
    """Return a body with its placeholders replaced by known values."""
    places = {f"{{{word}}}": text for word, text in words.items()}
    return {
        name: places.get(value, value) if isinstance(value, str) else value
        for name, value in body.items()
    }


@pytest.fixture
def scenario(app, make_app, john, jane, tmp_path, monkeypatch) -> Iterator[Scenario]:
    """John and jane, on a service with tables and without email."""
    people = {"john": john, "jane": jane}
    with contextlib.ExitStack() as at_end:
        yield Scenario(app, people, tmp_path, make_app, monkeypatch, at_end)


def fail() -> None:
    raise RuntimeError("A fault of ours.")


@pytest.fixture(scope="module")
def failing_client(make_app):
    """Return a client of a service where every request fails."""
    app = make_app()
    app.before_request(fail)
    return app.test_client()


class TestResponses:
    @pytest.mark.parametrize("name, status", SUCCESSES)
    def test_success(self, scenario, name, status):
        """Each operation succeeds as documented, with the documented headers."""
        known = {"If-None-Match": "*"} if status == "304" else {}

        changes = OTHER_SUCCESS.get((name, status), {})
        response = send(scenario, name, headers=known, **changes)

        named = OPERATIONS[name]["responses"][status]["headers"].keys() - OPTIONAL_HEADERS
        assert str(response.status_code) == status, response.text
        assert named - set(response.headers.keys()) == set()

    @pytest.mark.parametrize("name, slug", REJECTIONS)
    def test_problem(self, scenario, name, slug):
        """Each documented problem of an operation can occur."""
        response = send(scenario, name, **(SINGLE.get((name, slug)) or ALIKE[slug]))

        assert response.json["type"] == f"/problems/{slug}"

    @pytest.mark.parametrize("name", LOCKED)
    def test_lockout(self, scenario, name):
        """Each operation that verifies a password reports a lockout and its remaining time."""
        response = send(scenario, name, given=(locked,))

        assert response.json["type"] == "/problems/too-many-requests"
        assert int(response.headers["Retry-After"]) > 0

    @pytest.mark.parametrize("name, slug", FAILURES)
    def test_failure(self, scenario, failing_client, no_database_client, name, slug):
        """Without a database, or after an internal error, an operation responds as documented."""
        client = failing_client if slug == "internal-error" else no_database_client
        scenario.people = {
            caller: replace(person, client=client) for caller, person in scenario.people.items()
        }

        response = send(scenario, name, given=())

        assert response.json["type"] == f"/problems/{slug}"

    @pytest.mark.parametrize("name", ["list_users", "list_user_events", "list_events"])
    def test_next_page_is_linked(self, scenario, name):
        """The optional `Link` header is present if there is a next page."""
        response = send(scenario, name, query_string={"limit": 1})

        assert "Link" in response.headers


class TestWithoutUsername:
    @pytest.fixture
    def jane(self, create_user):
        """Return jane without a username."""
        return create_user("jane", has_username=False)

    @pytest.fixture
    def john(self, create_user):
        """Return john, an admin, without a username."""
        return create_user("john", roles=["admin"], has_username=False)

    @pytest.mark.parametrize("name, status", SUCCESSES)
    def test_success(self, scenario, name, status):
        """Each operation succeeds as documented for users without a username."""
        known = {"If-None-Match": "*"} if status == "304" else {}

        changes = OTHER_SUCCESS.get((name, status), {})
        response = send(scenario, name, headers=known, **changes)

        assert str(response.status_code) == status, response.text


class TestOpenApiClient:
    @pytest.mark.parametrize(
        "status, headers, body, fault",
        [
            (418, {}, {}, "get_problem_type answers 418"),
            (200, {"X-Other": "1"}, {}, "the header X-Other is not described"),
            (200, {}, {"title": 1}, 'is not of type "string"'),
            (404, {}, {}, "the content is application/json"),
        ],
    )
    def test_undocumented_response_is_reported(self, status, headers, body, fault):
        """The client of the API tests reports a response that is not documented."""
        app = Flask("other")
        app.add_url_rule("/problems/x", view_func=lambda: (body, status, headers))

        found = list(faults(app.test_client().get("/problems/x")))

        assert [text for text in found if fault in text] != []
