"""Lets the cast call with API keys instead of sessions."""

from dataclasses import replace
from typing import Any

from tests.support.person import Person


def with_key(person: Person, **members: Any) -> Person:
    """The same person with a new API key: `with_key(john, roles=["admin"])`."""
    answer = person.post("/v1/users/me/api-keys", json={"name": "nightly", **members})
    assert answer.status_code == 201, answer.text
    return replace(person, token=answer.json["key"], session_id=answer.json["id"])
