"""The routes of API keys."""

from datetime import timedelta
from typing import Any

from flask import url_for
from flask_restx import Resource

from api import services
from api.auth import Principal, self_required, signed_in
from api.idempotency import idempotent
from api.openapi.annotations import error_responses, headers, links
from api.pagination import CURSOR, LIMIT_OF_ALL, decode_cursor, page_of, page_response
from api.rate_limits import EMAIL_REQUESTS, rate_limited
from api.responses import no_content
from api.schemas import USER_ID
from api.serialization import marshal_with
from api.services import rules
from api.v1.api_keys.schemas import (
    DEFAULT_DAYS,
    KEY_ID,
    api_key,
    api_key_list,
    api_keys,
    created_api_key,
    new_api_key,
)
from api.validation import body, query
from models import ApiKey, IdempotentRequest, Right, User, unprivileged


@api_keys.route("/users/<id>/api-keys")
@api_keys.doc(params=USER_ID)
class UserApiKeys(Resource):
    @api_keys.doc("create_api_key")
    @self_required(recent=True, verified=True)
    @body(new_api_key)
    @idempotent("create_api_key")
    # Each new key sends an email, to an address that may be another person's while it is not
    # verified.
    @rate_limited(EMAIL_REQUESTS)
    @links(201, {"revoke_api_key": {"id": "$request.path.id", "key_id": "$response.body#/id"}})
    @headers("Location")
    @marshal_with(created_api_key, code=201, description="The key, shown only once")
    def post(
        self,
        id: str,
        caller: Principal,
        payload: dict[str, Any],
        repeatable: IdempotentRequest | None,
    ) -> Any:
        """Create an API key for the current user

        The response contains the key, which is shown only once, and an email reports it. A user
        has at most 50 keys. Where emails are sent, the user's address must be verified before.
        """
        row, key = services.api_keys.create(
            caller.user,
            payload["name"],
            payload.get("roles", _default_roles(caller.user)),
            timedelta(days=payload.get("expires_in_days", DEFAULT_DAYS)),
            caller.actor,
            scopes=payload.get("scopes", ()),
            request=repeatable,
        )
        location = url_for("api-keys_user_api_key", id=row.user_id, key_id=row.id)
        return {**_key_body(row), "key": key}, 201, {"Location": location}

    @api_keys.doc("list_api_keys")
    @signed_in()
    @query({"limit": LIMIT_OF_ALL, "cursor": CURSOR})
    @error_responses("user-not-found", "second-factor-missing", "invalid-cursor")
    @links(
        200,
        {
            "list_api_keys": {
                "id": "$request.path.id",
                "query.cursor": "$response.body#/next_cursor",
            },
            "revoke_api_key": {"id": "$request.path.id", "key_id": "$response.body#/items/0/id"},
        },
    )
    @headers("Link")
    @marshal_with(api_key_list, description="The keys that have not expired")
    def get(self, id: str, caller: Principal, limit: int = 100, cursor: str | None = None) -> Any:
        """List a user's API keys

        Newest first, for the user, and for admins, support and auditors. The keys themselves are
        never shown.
        """
        owner = caller.get_visible_user(id)
        after = decode_cursor(cursor, {}, owner=owner.id)
        rows, after = page_of(services.api_keys.list_for(owner), after, limit)
        return page_response([_key_body(row) for row in rows], after, {}, limit, owner=owner.id)

    @api_keys.doc("revoke_api_keys")
    @signed_in()
    @error_responses("user-not-found", "second-factor-missing", "fresh-sign-in-required")
    @api_keys.response(204, "All keys are revoked")
    def delete(self, id: str, caller: Principal) -> Any:
        """Revoke all API keys of a user

        For the user, and for admins with recent authentication. Effective at once.
        """
        services.api_keys.revoke_all(_owner(id, caller), caller.actor)
        return no_content()


@api_keys.route("/users/<id>/api-keys/<key_id>")
@api_keys.doc(params={**USER_ID, **KEY_ID})
class UserApiKey(Resource):
    @api_keys.doc("revoke_api_key")
    @signed_in()
    @error_responses("user-not-found", "api-key-not-found", "second-factor-missing")
    @error_responses("fresh-sign-in-required")
    @api_keys.response(204, "The key is revoked")
    def delete(self, id: str, key_id: str, caller: Principal) -> Any:
        """Revoke an API key

        For the user, and for admins with recent authentication. Effective at once.
        """
        services.api_keys.revoke(_owner(id, caller), key_id, caller.actor)
        return no_content()


def _owner(id: str, caller: Principal) -> User:
    """Return the user whose keys the caller may revoke."""
    owner = caller.get_controlled_user(id, Right.ADMINISTER)
    if not caller.is_self(id):
        caller.require_recent_auth()
    return owner


def _key_body(row: ApiKey) -> dict[str, Any]:
    body = {name: getattr(row, name) for name in api_key}
    return {**body, "scopes": row.scopes or []}


def _default_roles(user: User) -> list[str]:
    """Return the roles of a key whose request names none: power over others is on request only."""
    return rules.roles.counting(unprivileged(user.roles))
