"""Every answer that the description has, made to happen.

That nothing else happens is held by the client of all tests of the API: see tests/api/described.py.
"""

from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests.api.answers import ABSENT_ID, ADA, NEW_PASSWORD
from tests.api.described import DOCUMENT, faults, slugs_of
from tests.conftest import PASSWORD, Person

JSON = "application/json"
ABSENT_SESSION = "0" * 64
STALE = {"If-Match": '"1f-0"'}
NEW = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
SIGN_IN = {"login": "jane", "password": PASSWORD}

CALLS = {
    operation["operationId"]: (method.upper(), path)
    for path, item in DOCUMENT["paths"].items()
    for method, operation in item.items()
    if method != "parameters"
}
SAID = {
    operation["operationId"]: operation
    for item in DOCUMENT["paths"].values()
    for method, operation in item.items()
    if method != "parameters"
}
# A request that each operation grants: by whom, for which id, with which body.
GRANTED: dict[str, tuple[str, str, Any]] = {
    "list_users": ("john", "", None),
    "create_user": ("john", "", ADA),
    "get_user": ("jane", "me", None),
    "update_user": ("jane", "me", {"full_name": "Jane"}),
    "delete_user": ("jane", "me", None),
    "change_password": ("jane", "me", NEW),
    "list_user_sessions": ("john", "me", None),
    "end_user_sessions": ("john", "me", None),
    "sign_in": ("jane", "", SIGN_IN),
    "list_sessions": ("jane", "", None),
    "sign_out_everywhere": ("jane", "", None),
    "sign_out": ("jane", "", None),
    "end_session": ("jane", "session", None),
    "check_live": ("jane", "", None),
    "check_ready": ("jane", "", None),
    "get_problem_type": ("jane", "forbidden", None),
}
# What makes each problem of a request that would be granted, where one way serves all operations.
TOKENLESS = {"headers": {"Authorization": "Bearer rst_none"}}
ALIKE: dict[str, dict[str, Any]] = {
    "unauthenticated": TOKENLESS,
    "malformed-json": {"data": "{", "content_type": JSON},
    "payload-too-large": {"data": "x" * 65_537, "content_type": JSON},
    "unsupported-media-type": {"data": "{}", "content_type": "text/plain"},
    "invalid-request": {"json": {"nothing": 1}},
    "user-not-found": {"id": ABSENT_ID},
    "session-not-found": {"id": ABSENT_SESSION},
    "not-found": {"id": "nothing"},
    "version-mismatch": {"headers": STALE},
    "email-taken": {"json": {**ADA, "email": "john@example.com"}},
    "username-taken": {"json": {**ADA, "username": "john"}},
    "invalid-cursor": {"query_string": {"cursor": "x"}},
}
# And where it does not.
SINGLE: dict[tuple[str, str], dict[str, Any]] = {
    ("list_users", "invalid-request"): {"query_string": {"limit": "0"}},
    ("list_users", "forbidden"): {"by": "jane"},
    ("list_user_sessions", "forbidden"): {"by": "jane"},
    ("end_user_sessions", "forbidden"): {"by": "jane"},
    ("create_user", "forbidden"): {"by": "jane", "json": {**ADA, "roles": ["admin"]}},
    ("update_user", "forbidden"): {"json": {"roles": ["admin"]}},
    ("change_password", "forbidden"): {"by": "john", "id": "jane"},
    ("update_user", "email-taken"): {"json": {"email": "john@example.com"}},
    ("update_user", "username-taken"): {"json": {"username": "john"}},
    ("update_user", "last-admin"): {"by": "john", "json": {"roles": []}},
    ("delete_user", "last-admin"): {"by": "john"},
    ("sign_in", "invalid-credentials"): {"json": {**SIGN_IN, "password": "wrong"}},
    ("change_password", "invalid-credentials"): {"json": {**NEW, "current_password": "wrong"}},
}
PROBLEMS = [(name, slug) for name, said in SAID.items() for slug in sorted(slugs_of(said))]
REFUSED = [each for each in PROBLEMS if each[1] not in ("internal-error", "store-unavailable")]
FAILED = [each for each in PROBLEMS if each not in REFUSED]
SUCCESSES = [(name, status) for name, said in SAID.items()
             for status in said["responses"] if status < "400"]  # fmt: skip


def ask(cast: dict[str, Person], name: str, **changes: Any) -> TestResponse:
    """Make the request that an operation grants, but for the changes."""
    who, id, body = GRANTED[name]
    method, path = CALLS[name]
    jane = cast["jane"]
    id = changes.pop("id", id)
    id = {"session": jane.session_id, "jane": jane.id}.get(id, id)
    options = {} if body is None or "data" in changes else {"json": body}
    path = path.replace("{id}", id).replace("{slug}", id)
    return cast[changes.pop("by", who)].request(method, path, **{**options, **changes})


@pytest.fixture
def cast(john, jane) -> dict[str, Person]:
    return {"john": john, "jane": jane}


def fail(**_: Any) -> None:
    raise RuntimeError("A fault of ours.")


class TestAnswers:
    @pytest.mark.parametrize("name, status", SUCCESSES)
    def test_success(self, cast, name, status):
        """Each operation grants what it says that it grants."""
        known = {"If-None-Match": "*"} if status == "304" else {}

        response = ask(cast, name, headers=known)

        assert str(response.status_code) == status

    @pytest.mark.parametrize("name, slug", REFUSED)
    def test_refusal(self, cast, name, slug):
        """Each problem that an operation names is one that it can answer with."""
        response = ask(cast, name, **(SINGLE.get((name, slug)) or ALIKE[slug]))

        assert response.json["type"] == f"/problems/{slug}"

    @pytest.mark.parametrize("name, slug", FAILED)
    def test_failure(self, cast, bare, nowhere, name, slug):
        """Without its store, or with a fault of ours, an operation answers as it says."""
        broken = bare.test_client()
        bare.before_request(fail)
        client = broken if slug == "internal-error" else nowhere
        others = {who: replace(person, client=client) for who, person in cast.items()}

        response = ask(others, name)

        assert response.json["type"] == f"/problems/{slug}"

    def test_next_page_is_linked(self, cast):
        """The header that only some answers have is there where more follows."""
        response = ask(cast, "list_users", query_string={"limit": 1})

        assert "Link" in response.headers


class TestHold:
    @pytest.mark.parametrize(
        "status, headers, body, fault",
        [
            (418, {}, {}, "get_problem_type answers 418"),
            (200, {"X-Other": "1"}, {}, "the header X-Other is not described"),
            (200, {}, {"type": 1}, "is not of type 'string'"),
            (404, {}, {}, "the content is application/json"),
        ],
    )
    def test_undescribed_answer_is_a_fault(self, status, headers, body, fault):
        """The client of these tests would notice an answer that is not described."""
        app = Flask("other")
        app.add_url_rule("/problems/x", view_func=lambda: (body, status, headers))

        found = list(faults(app.test_client().get("/problems/x")))

        assert [text for text in found if fault in text] != []
