"""The schemas of clients."""

from typing import Any

from flask_restx import Namespace, fields

from api.fields import Text, Timestamp
from api.schemas import EXAMPLE_CLIENT_SECRET, NEXT_CURSOR, text_field, text_schema
from api.validation import strict_schema
from models import ClientKind, ClientScope, field_rules
from models.field_rules import any_case

clients = Namespace(
    "clients",
    "Programs that belong to no user, such as a gateway or another service. A client authenticates"
    " with a secret, and its scopes are all that it may do; its `audience` is the URI under which"
    " tokens are meant for it. A disabled or deleted client, and a revoked secret, are rejected"
    " after at most 30 seconds, and change nothing from the start.",
    path="/v1/clients",
)

_EXAMPLE_ID = "01a1fb07-6a10-7d02-9c1e-40d8a2f6b911"
_EXAMPLE_SECRET_ID = "01a1fb07-6a11-7c3f-b1d4-9a5e7f20c6d8"
_KINDS = [kind.value for kind in ClientKind]
_SCOPES = [scope.value for scope in ClientScope]

client_secret = clients.model(
    "ClientSecret",
    {
        "id": text_field(
            field_rules.CLIENT_SECRET_ID,
            description="The ID of the secret; it is not the secret",
            example=_EXAMPLE_SECRET_ID,
        ),
        "created_at": Timestamp(required=True, description="When it was created"),
        "last_used_at": Timestamp(
            required=True,
            nullable=True,
            description="Accurate to five minutes; null until the first use",
        ),
    },
)
_SHOWN_ONCE = text_field(
    field_rules.CLIENT_SECRET,
    description="Shown only once: the password of HTTP Basic authentication with the client's ID,"
    " or a bearer token",
    example=EXAMPLE_CLIENT_SECRET,
)
created_client_secret = clients.clone("CreatedClientSecret", client_secret, {"secret": _SHOWN_ONCE})
client = clients.model(
    "Client",
    {
        "id": text_field(
            field_rules.CLIENT_ID,
            description="Time-ordered UUID; never changes. OAuth calls it `client_id`",
            example=_EXAMPLE_ID,
        ),
        "kind": Text(required=True, description="What kind of program it is", enum=_KINDS),
        "name": text_field(
            field_rules.CLIENT_NAME,
            min_length=None,
            description="A name for people",
            example="billing",
        ),
        "scopes": fields.List(
            Text(enum=_SCOPES),
            required=True,
            description="What it may do; see the request that creates it",
            max_items=len(_SCOPES),
            unique=True,
            example=["introspect"],
        ),
        "audience": text_field(
            field_rules.AUDIENCE,
            nullable=True,
            description="The URI under which tokens are meant for it; unique",
            example="https://billing.example.com",
        ),
        "disabled": fields.Boolean(required=True, description="Whether it is rejected"),
        "secrets": fields.List(
            fields.Nested(client_secret), required=True, description="Oldest first", max_items=2
        ),
        "created_at": Timestamp(required=True, description="When it was created"),
        "updated_at": Timestamp(
            required=True, description="When it was last changed; uses do not count"
        ),
    },
)
created_client = clients.clone("CreatedClient", client, {"secret": _SHOWN_ONCE})
client_page = clients.model(
    "ClientPage",
    {
        "items": fields.List(
            fields.Nested(client), required=True, description="Newest first", max_items=100
        ),
        "next_cursor": NEXT_CURSOR,
    },
)
_NAME = text_schema(
    field_rules.CLIENT_NAME, description="A name by which people recognize it.", example="billing"
)
_SCOPE_LIST: dict[str, Any] = {
    "type": "array",
    "items": {"type": "string", "enum": _SCOPES},
    "maxItems": len(_SCOPES),
    "uniqueItems": True,
    "description": "What it may do; by default nothing. `introspect`: ask whether a token is"
    " active, and whose it is. `email`: get the email address of that user, too. `tokens`: get"
    " access tokens, for itself and in exchange for the tokens of users. `users:read`: read all"
    " users. `users:write`: register users, and change names and metadata of users who are no"
    " admins. `events:read`: read the audit events of all users.",
    "example": ["introspect"],
}
_AUDIENCE = text_schema(
    field_rules.AUDIENCE,
    description="The URI under which tokens are meant for it, such as the URL of its API. Unique,"
    " compared to the letter.",
    example="https://billing.example.com",
)
new_client = strict_schema(
    clients,
    "NewClient",
    {
        "properties": {
            "name": _NAME,
            "kind": {
                "type": "string",
                "enum": _KINDS,
                "description": "What kind of program it is; by default a service.",
                "example": "service",
            },
            "scopes": _SCOPE_LIST,
            "audience": _AUDIENCE,
        },
        "required": ["name"],
    },
)
client_patch = strict_schema(
    clients,
    "ClientPatch",
    {
        "properties": {
            "name": _NAME,
            "scopes": _SCOPE_LIST,
            "audience": {
                **_AUDIENCE,
                "x-nullable": True,
                "description": "The URI under which tokens are meant for it; null removes it.",
            },
            "disabled": {
                "type": "boolean",
                "description": "Whether it is rejected, after at most 30 seconds.",
                "example": False,
            },
        },
    },
)
CLIENT_ID = {
    "client_id": {
        "description": "The ID of a client.",
        "pattern": any_case(field_rules.CLIENT_ID.pattern),
        "maxLength": field_rules.CLIENT_ID.max_length,
        "x-example": _EXAMPLE_ID,
    }
}
SECRET_ID = {
    "secret_id": {
        "description": "The ID of a secret of the client.",
        "pattern": any_case(field_rules.CLIENT_SECRET_ID.pattern),
        "maxLength": field_rules.CLIENT_SECRET_ID.max_length,
        "x-example": _EXAMPLE_SECRET_ID,
    }
}
