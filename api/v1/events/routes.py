"""The routes of audit events."""

from typing import Any

from flask_restx import Resource

from api.auth import Principal, signed_in
from api.openapi.annotations import error_responses, headers, links
from api.pagination import CURSOR, LIMIT, decode_cursor, page_response
from api.schemas import USER_ID
from api.serialization import marshal_with
from api.v1.events.schemas import TYPE, event_page, events
from api.validation import query
from models import AuditEvent, EventType, events_of


@events.route("/users/<id>/events")
@events.doc(params=USER_ID)
class UserEvents(Resource):
    @events.doc("list_user_events")
    @signed_in()
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
        self, id: str, caller: Principal, limit: int = 25, cursor: str | None = None, **filters: str
    ) -> Any:
        """List a user's audit events

        Newest first, for the user and for admins; for other callers the user does not exist. The
        list is strongly consistent. With `type`, a page can have fewer events than `limit`, or
        none, while `next_cursor` says that more follow.
        """
        owner = caller.get_visible_user(id)
        after = decode_cursor(cursor, filters, owner=owner.id)
        type = EventType(filters["type"]) if "type" in filters else None
        found, after = events_of(owner.id, type=type, after=after, limit=limit)
        items = [event_body(row, hides_ip=not caller.is_admin) for row in found]
        return page_response(items, after, filters, limit, owner=owner.id)


def event_body(row: AuditEvent, *, hides_ip: bool) -> dict[str, Any]:
    """Return an audit event in the form of its schema.

    Args:
        row: The event.
        hides_ip: Whether to hide the address of an actor other than the user: an admin's address
            must not be shown to the user (ASVS 15.3.1).
    """
    is_by_another_user = row.actor_id not in (None, row.user_id)
    return {
        "id": row.id,
        "type": row.type,
        "at": row.at,
        "actor_id": row.actor_id,
        "ip": None if hides_ip and is_by_another_user else row.ip,
        "api_key_id": row.key_id,
        "members": row.changed_fields,
        "reason": row.reason,
    }
