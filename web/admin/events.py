"""Audit events: what happened to a user, and what a user did."""

from typing import Any

from flask import Response, request

from api.pagination import decode_cursor, page_response
from api.principal import Principal
from api.services import accounts
from api.v1.events.routes import event_body
from models import EventFilter, EventType, Right, field_rules, is_user_id, list_events
from web.guards import page_for_users
from web.html import page

_PER_PAGE = 25
_TYPES = [type.value for type in EventType]


@page_for_users(right=Right.READ)
def show(caller: Principal) -> Response:
    """List events by user, by actor, or by both; the URL of each page can be shared."""
    typed = {name: request.args.get(name, "").strip() for name in ("user", "actor", "type")}
    unknown = []
    filters: dict[str, str] = {}
    for name in ("user", "actor"):
        if typed[name]:
            id = _id_of(typed[name])
            filters[name] = id or ""
            unknown += [] if id else [name]
    if typed["type"] in _TYPES:
        filters["type"] = typed["type"]
    shown: dict[str, Any] = {"items": [], "next_cursor": None}
    if not unknown and filters.keys() & {"user", "actor"}:
        shown = _page(filters)
    return page(
        "admin/events.html",
        caller=caller,
        typed=typed,
        unknown=unknown,
        is_asked=bool(typed["user"] or typed["actor"]),
        filters=filters,
        types=_TYPES,
        **shown,
    )


def _page(filters: dict[str, str]) -> dict[str, Any]:
    after = decode_cursor(request.args.get("cursor"), filters)
    type = EventType(filters["type"]) if "type" in filters else None
    chosen = EventFilter(filters.get("user"), filters.get("actor"), type)
    rows, after = list_events(chosen, after=after, limit=_PER_PAGE)
    items = [event_body(row, hides_ip=False) for row in rows]
    return page_response(items, after, filters, _PER_PAGE)[0]


def _id_of(text: str) -> str | None:
    """Return the ID of a user, also a deleted one, or of an API key, from an ID or a login."""
    lowered = text.lower()
    if is_user_id(lowered) or field_rules.ACTOR.matches(lowered):
        return lowered
    user = accounts.find(text)
    return user.id if user else None
