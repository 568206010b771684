"""The routes of audit events."""

from collections.abc import Mapping
from typing import Any

from flask_restx import Resource

from api.auth import Caller, right_required, signed_in
from api.openapi.annotations import error_responses, headers, links
from api.pagination import CURSOR, LIMIT, decode_cursor, page_response
from api.schemas import USER_ID
from api.serialization import marshal_with
from api.v1.events.schemas import ACTOR, TYPE, USER, event_page, events
from api.validation import query
from api.validation_errors import raise_if_any
from models import AuditEvent, ClientScope, EventFilter, EventType, Right, list_events


@events.route("/events")
class Events(Resource):
    @events.doc("list_events")
    @right_required(Right.READ, client_scope=ClientScope.EVENTS_READ)
    @query({"limit": LIMIT, "cursor": CURSOR, "type": TYPE, "user": USER, "actor": ACTOR})
    @error_responses("invalid-cursor")
    @links(200, {"list_events": {"query.cursor": "$response.body#/next_cursor"}})
    @headers("Link")
    @marshal_with(event_page, description="One page of events")
    def get(
        self, caller: Caller, limit: int = 25, cursor: str | None = None, **filters: str
    ) -> Any:
        """List audit events by user or by actor

        For admins, support, auditors, and clients with the scope `events:read`, newest first, also
        of deleted users. `user` or `actor` is required; both together list what the actor did to
        the user. The events of a user are strongly consistent; what an actor did to other users,
        and what an API key did, appears after about a second. A page can have fewer events than
        `limit`, or none, while `next_cursor` says that more follow.
        """
        if not filters.keys() & {"user", "actor"}:
            detail = "Send `user` or `actor`, or both."
            raise_if_any([(f"/{name}", detail) for name in ("user", "actor")])
        filters = {name: value.lower() for name, value in filters.items()}
        after = decode_cursor(cursor, filters)
        chosen = EventFilter(filters.get("user"), filters.get("actor"), _type_of(filters))
        found, after = list_events(chosen, after=after, limit=limit)
        items = [event_body(row, hides_ip=False) for row in found]
        return page_response(items, after, filters, limit)


@events.route("/users/<id>/events")
@events.doc(params=USER_ID)
class UserEvents(Resource):
    @events.doc("list_user_events")
    @signed_in(client_scope=ClientScope.EVENTS_READ)
    @query({"limit": LIMIT, "cursor": CURSOR, "type": TYPE})
    @error_responses("user-not-found", "second-factor-missing", "invalid-cursor")
    @links(
        200,
        {
            "list_user_events": {
                "id": "$request.path.id",
                "query.cursor": "$response.body#/next_cursor",
            }
        },
    )
    @headers("Link")
    @marshal_with(event_page, description="One page of events")
    def get(
        self, id: str, caller: Caller, limit: int = 25, cursor: str | None = None, **filters: str
    ) -> Any:
        """List a user's audit events

        Newest first, for the user, for admins, support and auditors, and for clients with the scope
        `events:read`; for other callers the user does not exist. The list is strongly consistent.
        With `type`, a page can have fewer events than `limit`, or none, while `next_cursor` says
        that more follow.
        """
        owner = caller.get_visible_user(id)
        after = decode_cursor(cursor, filters, owner=owner.id)
        chosen = EventFilter(owner.id, type=_type_of(filters))
        found, after = list_events(chosen, after=after, limit=limit)
        items = [event_body(row, hides_ip=not caller.sees_all_users) for row in found]
        return page_response(items, after, filters, limit, owner=owner.id)


def event_body(row: AuditEvent, *, hides_ip: bool) -> dict[str, Any]:
    """Return an audit event in the form of its schema.

    Args:
        row: The event.
        hides_ip: Whether to hide address and user agent of an actor other than the user: those of
            an admin must not be shown to the user (ASVS 15.3.1).
    """
    is_hidden = hides_ip and row.actor_id not in (None, row.user_id)
    return {
        "id": row.id,
        "user_id": row.user_id,
        "type": row.type,
        "at": row.at,
        "actor_id": row.actor_id,
        "ip": None if is_hidden else row.ip,
        "user_agent": None if is_hidden else row.user_agent,
        "api_key_id": row.key_id,
        "members": row.changed_fields,
        "reason": row.reason,
        "amr": row.amr or [],
        "second_factor": row.second_factor,
        "count": int(row.occurrences or 1),
    }


def _type_of(filters: Mapping[str, str]) -> EventType | None:
    return EventType(filters["type"]) if "type" in filters else None
