"""Audit events of merged occurrences, which a background thread writes."""

from typing import Any

from flask import Flask


def recorded(app: Flask, person: Any, **query: Any) -> list[tuple[Any, ...]]:
    """Return type, subject, reason and count of events, once the background work is done."""
    assert app.extensions["roster"].background.drain(10)
    events = person.get("/v1/events", query_string=query).json["items"]
    return [(each["type"], each["user_id"], each["reason"], each["count"]) for each in events]


def merged(app: Flask, person: Any, **query: Any) -> list[tuple[Any, ...]]:
    """Return type, reason and count of merged events only."""
    types = ("access.denied", "quota.exceeded", "sign-in.rejected")
    found = recorded(app, person, **query)
    return sorted((type, reason, count) for type, _, reason, count in found if type in types)
