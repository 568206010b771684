"""The schemas of audit events."""

from flask_restx import Namespace, fields

from api.fields import Text, Timestamp
from api.schemas import EXAMPLE_USER_ID, NEXT_CURSOR, ip_field, text_field, text_schema
from models import EventType, field_rules
from models.field_rules import any_case

events = Namespace(
    "events",
    "What happened to a user, written in the transaction of the change: failed sign-ins, changes,"
    " resets, and who made them. Events never change, except for the `count` of merged ones; they"
    " contain the names of changed fields but not their values.",
    path="/v1",
)

_TYPES = [type.value for type in EventType]

event = events.model(
    "Event",
    {
        "id": text_field(
            field_rules.EVENT_ID,
            description="Time-ordered UUID",
            example="01a1fb1b-6876-7644-9935-2f0d4c8b71aa",
        ),
        "user_id": text_field(
            field_rules.USER_ID,
            description="The user it happened to, who may be deleted",
            example=EXAMPLE_USER_ID,
        ),
        "type": Text(
            required=True,
            description="What happened; more types may be added",
            enum=_TYPES,
            example=EventType.USER_UPDATED.value,
        ),
        "at": Timestamp(required=True, description="When it happened"),
        "actor_id": text_field(
            field_rules.USER_ID,
            nullable=True,
            description="The signed-in user or the client that did it; null for anonymous callers"
            " and for the operator of the service",
            example=EXAMPLE_USER_ID,
        ),
        "ip": ip_field("The address of the client; another user's address is shown to admins only"),
        "user_agent": Text(
            required=True,
            nullable=True,
            description="The `User-Agent` of the client, under the same rule; null in merged"
            " events, and in those of versions before 0.9",
            max_length=400,
            example="curl/8.5.0",
        ),
        "api_key_id": text_field(
            field_rules.API_KEY_ID,
            nullable=True,
            description="The API key that made the change or, where one was created or revoked,"
            " that key",
            example=None,
        ),
        "members": fields.List(
            Text(pattern="^[a-z_]+$", max_length=32),
            required=True,
            description="The names of the fields that changed; never their values",
            max_items=16,
            example=["full_name"],
        ),
        "reason": Text(
            required=True,
            nullable=True,
            description="Why it failed, if it did",
            pattern="^[a-z-]+$",
            max_length=32,
            example=None,
        ),
        "amr": fields.List(
            Text(pattern="^[a-z]+$", max_length=10),
            required=True,
            max_items=4,
            description="The factors that were verified for a session (RFC 8176): `pwd`, and `otp`"
            " for a code of an authenticator or a recovery code; empty for other events, and for"
            " sessions of versions before 0.7",
            example=[],
        ),
        "second_factor": Text(
            required=True,
            nullable=True,
            description="Which kind of code `otp` was; null without one",
            enum=["totp", "recovery-code"],
            example=None,
        ),
        "count": fields.Integer(
            required=True,
            min=1,
            max=2**31 - 1,
            description="How many times it happened: more than once for merged events, which count"
            " what happened in ten minutes from `at` on",
            example=1,
        ),
    },
)
event_page = events.model(
    "EventPage",
    {
        "items": fields.List(
            fields.Nested(event), required=True, description="Newest first", max_items=100
        ),
        "next_cursor": NEXT_CURSOR,
    },
)
TYPE = {"type": "string", "enum": _TYPES, "description": "Only events of this type."}
USER = {
    **text_schema(
        field_rules.USER_ID,
        pattern=any_case(field_rules.USER_ID.pattern),
        description="What happened to the user with this ID, who may be deleted.",
    ),
    # An example of the parameter, which Swagger UI fills in, as it does not that of a schema.
    "x-example": EXAMPLE_USER_ID,
}
ACTOR = text_schema(
    field_rules.ACTOR,
    pattern=any_case(field_rules.ACTOR.pattern),
    description="What the user with this ID did, in sessions and by API keys, or what the client or"
    " the API key with this ID did.",
    example=EXAMPLE_USER_ID,
)
