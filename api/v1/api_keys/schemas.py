"""The schemas of API keys."""

from flask_restx import Namespace, fields

from api.fields import Text, Timestamp
from api.schemas import NEXT_CURSOR, ROLES, roles_field, text_field, text_schema
from api.validation import strict_schema
from models import Scope, field_rules
from models.field_rules import any_case

api_keys = Namespace(
    "api-keys",
    "Keys for programs: each authenticates as its user, with some of the user's roles, until it"
    " expires or is revoked. A key without roles can only read. One with roles may also register"
    " and update users, as far as its roles allow; usernames, roles, statuses, new admins and"
    " deleting users require the scope `accounts`. Sessions, passwords, second factors, email"
    " addresses and keys themselves require a session.",
    path="/v1",
)

_EXAMPLE_ID = "8d1f0c6b3a5e9274e0b7c41d9a26f3588d1f0c6b3a5e9274e0b7c41d9a26f358"
DEFAULT_DAYS = 90
_SCOPES = [scope.value for scope in Scope]

api_key = api_keys.model(
    "ApiKey",
    {
        "id": text_field(
            field_rules.API_KEY_ID,
            description="The ID of the key; it is not the key",
            example=_EXAMPLE_ID,
        ),
        "name": text_field(
            field_rules.API_KEY_NAME,
            min_length=None,
            description="The owner's name for it",
            example="nightly import",
        ),
        "roles": roles_field(
            "The roles it was created with; a role that its owner has lost does not count"
        ),
        "scopes": fields.List(
            Text(enum=_SCOPES),
            required=True,
            description="What it may do besides; see the request that creates it",
            max_items=len(_SCOPES),
            unique=True,
            example=_SCOPES,
        ),
        "created_at": Timestamp(required=True, description="When it was created"),
        "expires_at": Timestamp(required=True, description="When it ends, however much it is used"),
        "last_used_at": Timestamp(
            required=True,
            nullable=True,
            description="Accurate to five minutes; null until the first use",
        ),
    },
)
created_api_key = api_keys.clone(
    "CreatedApiKey",
    api_key,
    {
        "key": text_field(
            field_rules.API_KEY,
            description="Shown only once: send it as `Authorization: Bearer <key>`",
            example="rsk_AaH7G2h2dkSZNQAAAAAAAHRoaXMgaXMgbm8gcmVhbCB0b2tlbg",
        )
    },
)
api_key_list = api_keys.model(
    "ApiKeyList",
    {
        "items": fields.List(
            fields.Nested(api_key), required=True, description="Newest first", max_items=100
        ),
        "next_cursor": NEXT_CURSOR,
    },
)
new_api_key = strict_schema(
    api_keys,
    "NewApiKey",
    {
        "properties": {
            "name": text_schema(
                field_rules.API_KEY_NAME,
                description="A name by which you recognize it.",
                example="nightly import",
            ),
            "roles": {
                **ROLES,
                "description": "Some of your roles; by default all but `admin`, `support` and"
                " `auditor`. A key can only read without `user`, `support` or `admin`.",
            },
            "scopes": {
                "type": "array",
                "items": {"type": "string", "enum": _SCOPES},
                "maxItems": len(_SCOPES),
                "uniqueItems": True,
                "description": "What the key may do besides; by default nothing. `accounts`: change"
                " usernames, roles and statuses, register users with rights over others, and delete"
                " users, as far as its roles allow.",
                "example": _SCOPES,
            },
            "expires_in_days": {
                "type": "integer",
                "format": "int32",
                "minimum": 1,
                "maximum": 366,
                # No `default`: client generators take a field with a default for a required one.
                "description": f"Days until it expires; by default {DEFAULT_DAYS}.",
                "example": 30,
            },
        },
        "required": ["name"],
        # Without roles, which have to be some of the user's own.
        "example": {"name": "nightly import", "expires_in_days": 30},
    },
)
KEY_ID = {
    "key_id": {
        "description": "The ID of an API key.",
        "pattern": any_case(field_rules.API_KEY_ID.pattern),
        "maxLength": field_rules.API_KEY_ID.max_length,
        "x-example": _EXAMPLE_ID,
    }
}
