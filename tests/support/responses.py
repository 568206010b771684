"""Ways to read answers, so that a test asserts in one line."""

import re
from collections.abc import Iterator
from typing import Any

from werkzeug.test import TestResponse

from tests.support.person import NEW_PASSWORD

ABSENT_ID = "01a1fb1b-6876-7644-9935-000000000000"
ADA = {"username": "ada", "email": "ada@example.com", "password": NEW_PASSWORD}


def outcome(response: TestResponse) -> tuple[int, str, list[str]]:
    """Status, type and pointers of a problem, which must be one in every respect."""
    assert response.mimetype == "application/problem+json", response.text
    assert response.json["status"] == response.status_code
    assert response.json["request_id"] == response.headers["X-Request-Id"]
    kind = response.json["type"].removeprefix("/problems/")
    return response.status_code, kind, pointers(response)


def pointers(response: TestResponse) -> list[str]:
    """The members that a problem names, each once."""
    return sorted({error["pointer"] for error in response.json.get("errors", ())})


def names(response: TestResponse) -> list[str]:
    """The user names on a page."""
    return [user["username"] for user in response.json["items"]]


def next_path(response: TestResponse) -> str | None:
    """Where the `Link` header of a page leads."""
    link = re.fullmatch(r'<(.+)>; rel="next"', response.headers.get("Link", ""))
    return link and link[1]


def walk(person: Any, path: str) -> Iterator[list[str]]:
    """The user names of page after page, as long as there is a next one."""
    following: str | None = path
    while following:
        response = person.get(following)
        assert response.status_code == 200, response.text
        yield names(response)
        following = next_path(response)
