"""API keys: what machines sign in with in a user's stead."""

from datetime import timedelta
from typing import Any

from flask import url_for
from flask_restx import Namespace, Resource, fields

from api import services
from api.auth import Principal, fresh, only_self, signed_in
from api.fields import Text, Timestamp
from api.openapi.annotations import headers, links, problems
from api.rate_limits import MAIL_REQUESTS, limited
from api.responses import no_content
from api.schemas import USER_ID
from api.serialization import marshal_with
from api.validation import body, refine
from models import API_KEY_ID_PATTERN, API_KEY_NAME_PATTERN, ApiKey, Role, User

api_keys = Namespace(
    "api-keys",
    "Keys for programs: each signs in as its user, with some of the user's roles, until it expires"
    " or is revoked. A key may read and change users, as far as its roles go; sessions, passwords,"
    " second factors, addresses and keys themselves ask for a session.",
    path="/v1",
)

_EXAMPLE_ID = "8d1f0c6b3a5e9274e0b7c41d9a26f3588d1f0c6b3a5e9274e0b7c41d9a26f358"
_DEFAULT_DAYS = 90

api_key = api_keys.model(
    "ApiKey",
    {
        "id": Text(
            required=True,
            description="Names the key; it is not the key",
            pattern=API_KEY_ID_PATTERN,
            max_length=64,
            example=_EXAMPLE_ID,
        ),
        "name": Text(
            required=True,
            description="What its user calls it",
            pattern=API_KEY_NAME_PATTERN,
            max_length=100,
            example="nightly import",
        ),
        "roles": fields.List(
            Text(enum=[role.value for role in Role]),
            required=True,
            description="What it was made for; a role that its user has lost does not count",
            max_items=len(Role),
            unique=True,
            example=["user"],
        ),
        "created_at": Timestamp(required=True, description="When it was made"),
        "expires_at": Timestamp(required=True, description="When it ends, however much it is used"),
        "last_used_at": Timestamp(
            required=True,
            nullable=True,
            description="To within five minutes; null until the first use",
        ),
    },
)
created_api_key = api_keys.clone(
    "CreatedApiKey",
    api_key,
    {
        "key": Text(
            required=True,
            description="Shown this once: send it as `Authorization: Bearer <key>`",
            pattern="^rsk_[A-Za-z0-9_-]+$",
            max_length=128,
            example="rsk_AaH7G2h2dkSZNQAAAAAAAHRoaXMgaXMgbm8gcmVhbCB0b2tlbg",
        )
    },
)
list_of_api_keys = api_keys.model(
    "ApiKeyList",
    {"items": fields.List(fields.Nested(api_key), required=True, description="Newest first")},
)
new_api_key = refine(
    api_keys,
    "NewApiKey",
    {
        "properties": {
            "name": {
                "type": "string",
                "minLength": 1,
                "maxLength": 100,
                "pattern": API_KEY_NAME_PATTERN,
                "x-rule": "It must not start with a space nor contain control characters.",
                "description": "What you call it, to know it again.",
                "example": "nightly import",
            },
            "roles": {
                "type": "array",
                "items": {"type": "string", "enum": [role.value for role in Role]},
                "maxItems": len(Role),
                "uniqueItems": True,
                "description": "Some of your own roles; all but `admin` if not given.",
                "example": ["user"],
            },
            "expires_in_days": {
                "type": "integer",
                "format": "int32",
                "minimum": 1,
                "maximum": 366,
                # No `default`: client generators take a member that has one for a required one.
                "description": f"After how many days it ends; {_DEFAULT_DAYS} if not given.",
                "example": 30,
            },
        },
        "required": ["name"],
    },
)
KEY_ID = {
    "key_id": {
        "description": "An API key's id.",
        "pattern": API_KEY_ID_PATTERN,
        "maxLength": 64,
        "x-example": _EXAMPLE_ID,
    }
}


@api_keys.route("/users/<id>/api-keys")
@api_keys.doc(params=USER_ID)
class UserApiKeys(Resource):
    @api_keys.doc("create_api_key")
    @only_self
    @fresh
    @body(new_api_key)
    # Each new key sends a mail, to an address that may be somebody else's as long as it is not
    # confirmed.
    @limited(MAIL_REQUESTS)
    @links(201, {"revoke_api_key": {"id": "$request.path.id", "key_id": "$response.body#/id"}})
    @headers("Location")
    @marshal_with(created_api_key, code=201, description="The key, shown this once")
    def post(self, id: str, caller: Principal, payload: dict[str, Any]) -> Any:
        """Make an API key of one's own

        The answer holds the key, which is shown this once, and a mail tells of it. A user has 50
        at the most.
        """
        row, key = services.api_keys.create(
            caller.user,
            payload["name"],
            payload.get("roles", _everyday_roles(caller.user)),
            timedelta(days=payload.get("expires_in_days", _DEFAULT_DAYS)),
            caller.actor,
        )
        location = url_for("api-keys_user_api_key", id=row.user_id, key_id=row.id)
        return {**_shown(row), "key": key}, 201, {"Location": location}

    @api_keys.doc("list_api_keys")
    @signed_in
    @problems("user-not-found", "second-factor-missing")
    @links(
        200, {"revoke_api_key": {"id": "$request.path.id", "key_id": "$response.body#/items/0/id"}}
    )
    @marshal_with(list_of_api_keys, description="The keys that have not expired")
    def get(self, id: str, caller: Principal) -> Any:
        """List a user's API keys, newest first

        The user itself and admins may. The keys themselves are shown to nobody.
        """
        return {"items": services.api_keys.of_user(caller.get_visible_user(id))}


@api_keys.route("/users/<id>/api-keys/<key_id>")
@api_keys.doc(params={**USER_ID, **KEY_ID})
class UserApiKey(Resource):
    @api_keys.doc("revoke_api_key")
    @signed_in
    @problems("user-not-found", "api-key-not-found", "second-factor-missing")
    @api_keys.response(204, "The key is revoked")
    def delete(self, id: str, key_id: str, caller: Principal) -> Any:
        """Revoke an API key

        The user itself and admins may. It is dead at once.
        """
        services.api_keys.revoke(caller.get_visible_user(id), key_id, caller.actor)
        return no_content()


def _shown(row: ApiKey) -> dict[str, Any]:
    return {name: getattr(row, name) for name in api_key}


def _everyday_roles(user: User) -> list[str]:
    """A key administers only where that is asked for."""
    return [role for role in user.roles if role != Role.ADMIN]
