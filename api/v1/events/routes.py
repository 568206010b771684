"""What happened to a user: for the user itself and for admins."""

from typing import Any

from flask_restx import Namespace, Resource, fields

from api.auth import Principal, signed_in
from api.fields import Text, Timestamp
from api.openapi.annotations import headers, links, problems
from api.pagination import CURSOR, LIMIT, envelope, position
from api.schemas import USER_ID
from api.serialization import marshal_with
from api.validation import query
from models import (
    API_KEY_ID_PATTERN,
    EVENT_ID_PATTERN,
    USER_ID_PATTERN,
    AuditEvent,
    EventType,
    events_of,
)

events = Namespace(
    "events",
    "What happened to a user, written in the transaction that made the change: sign-ins that"
    " failed, changes, resets, and who made them. Events are never changed, and hold the names of"
    " changed members but none of their values.",
    path="/v1",
)

_TYPES = [type.value for type in EventType]
_EXAMPLE_USER = "01a1fb07-5f9c-7229-8e0e-c7853035f505"

event = events.model(
    "AuditEvent",
    {
        "id": Text(
            required=True,
            description="Time-ordered UUID",
            pattern=EVENT_ID_PATTERN,
            max_length=36,
            example="01a1fb1b-6876-7644-9935-2f0d4c8b71aa",
        ),
        "type": Text(
            required=True,
            description="What happened; more types may be added",
            enum=_TYPES,
            example=EventType.USER_UPDATED.value,
        ),
        "at": Timestamp(required=True, description="When it happened"),
        "actor_id": Text(
            required=True,
            nullable=True,
            description="The signed-in user who did it; null for callers who were not signed in,"
            " and for the service's operator",
            pattern=USER_ID_PATTERN,
            max_length=36,
            example=_EXAMPLE_USER,
        ),
        "ip": Text(
            required=True,
            nullable=True,
            description="From where; where somebody else did it, only admins are told",
            pattern="^[0-9A-Fa-f:.]+$",
            max_length=45,
            example="192.0.2.7",
        ),
        "api_key_id": Text(
            required=True,
            nullable=True,
            description="The API key that it was done with or, where one was created or revoked,"
            " that it is about",
            pattern=API_KEY_ID_PATTERN,
            max_length=64,
            example=None,
        ),
        "members": fields.List(
            Text(pattern="^[a-z_]+$", max_length=32),
            required=True,
            description="The names of the members that changed; never their values",
            max_items=16,
            example=["full_name"],
        ),
        "reason": Text(
            required=True,
            nullable=True,
            description="Why it failed, where it did",
            pattern="^[a-z-]+$",
            max_length=32,
            example=None,
        ),
    },
)
page_of_events = events.model(
    "EventPage",
    {
        "items": fields.List(
            fields.Nested(event), required=True, description="Newest first", max_items=100
        ),
        "next_cursor": Text(
            required=True,
            nullable=True,
            description="Send it as `cursor` to get the next page; null on the last page",
            max_length=2048,
            example=None,
        ),
    },
)
TYPE = {"type": "string", "enum": _TYPES, "description": "Only events of this type."}


@events.route("/users/<id>/events")
@events.doc(params=USER_ID)
class UserEvents(Resource):
    @events.doc("list_user_events")
    @signed_in
    @query({"limit": LIMIT, "cursor": CURSOR, "type": TYPE})
    @problems("user-not-found", "second-factor-missing", "invalid-cursor")
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
    @marshal_with(page_of_events, description="One page of events")
    def get(
        self, id: str, caller: Principal, limit: int = 25, cursor: str | None = None, **filters: str
    ) -> Any:
        """List what happened to a user, newest first

        The user itself and admins may; to others the user does not exist. The list is strongly
        consistent. With `type`, a page can be shorter than `limit`, even empty, while
        `next_cursor` says that more follow.
        """
        owner = caller.get_visible_user(id)
        after = position(cursor, filters)
        type = EventType(filters["type"]) if "type" in filters else None
        found, after = events_of(owner.id, type=type, after=after, limit=limit)
        items = [shown(row, hides_ip=not caller.is_admin) for row in found]
        return envelope(items, after, filters, limit)


def shown(row: AuditEvent, *, hides_ip: bool) -> dict[str, Any]:
    """An event in the form of its schema.

    Args:
        row: The event.
        hides_ip: Whether it is not told from where somebody else than the user did it: an admin's
            address is none of the user's business (ASVS 15.3.1).
    """
    is_somebody_elses = row.actor_id not in (None, row.user_id)
    return {
        "id": row.id,
        "type": row.type,
        "at": row.at,
        "actor_id": row.actor_id,
        "ip": None if hides_ip and is_somebody_elses else row.ip,
        "api_key_id": row.key_id,
        "members": row.members,
        "reason": row.reason,
    }
