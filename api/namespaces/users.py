"""Accounts: register, list, read, change, delete."""

from typing import Any

from flask import url_for
from flask_restx import Namespace, Resource, fields

from api.auth import Caller, actor_of, admin, anyone_or_admin, only_self, signed_in
from api.conditional import matched, tagged
from api.describe import headers, links, problems
from api.fields import Text
from api.marshalling import marshal_with
from api.pagination import CURSOR, LIMIT, envelope, position
from api.responses import no_content
from api.schemas import user
from api.services import accounts
from api.validation import JSON, MERGE_PATCH, body, query, refine
from models import USER_ID_PATTERN, USERNAME_PATTERN, Role, Status, User, UserFilter

USER_ENDPOINT = "users_user_item"

users = Namespace(
    "users",
    "Accounts: register, list, read, change, delete. A user name and an address belong to one user"
    " at a time, whatever their case. Admins see everybody; to others only they themselves exist.",
    path="/v1/users",
)

users.add_model(user.name, user)
page_of_users = users.model(
    "UserPage",
    {
        "items": fields.List(
            fields.Nested(user), required=True, description="Newest first", max_items=100
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

USERNAME = {
    "type": "string",
    "minLength": 3,
    "maxLength": 32,
    "pattern": USERNAME_PATTERN,
    "description": "Unique; stored in lower case.",
    "example": "ada",
    "x-rule": "It must be letters (a-z), digits, dots, underscores or hyphens, and start with a"
    " letter or digit.",
}
EMAIL = {
    "type": "string",
    "maxLength": 254,
    "format": "email",
    "description": "Unique, whatever its case.",
    "example": "ada@example.com",
}
PASSWORD = {
    "type": "string",
    "maxLength": 1024,
    "format": "password",
    "description": "15 characters or more unless configured otherwise, not common, not your name.",
    "example": "a stone bridge over the river",
}
CHANGEABLE: dict[str, dict[str, Any]] = {
    "username": USERNAME,
    "email": EMAIL,
    "full_name": {
        "type": "string",
        "maxLength": 200,
        # Neither control characters nor those that turn or hide text on a reader's screen.
        "pattern": r"^[^\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufeff]*$",
        "x-nullable": True,
        "x-rule": "It must not contain control characters.",
        "description": "As the user wants to be called.",
        "example": "Ada Lovelace",
    },
    "metadata": {
        "type": "object",
        "additionalProperties": True,
        "description": "A JSON object of your own, up to 4 KB.",
        "example": {"team": "engines"},
    },
}
ADMINISTERED: dict[str, dict[str, Any]] = {
    "roles": {
        "type": "array",
        "items": {"type": "string", "enum": [role.value for role in Role]},
        "uniqueItems": True,
        "description": "Only an admin may set this.",
        "example": ["user"],
    },
    "status": {
        "type": "string",
        "enum": [Status.ACTIVE.value, Status.SUSPENDED.value],
        "description": "Only an admin may set this.",
        "example": "active",
    },
}
new_user = refine(
    users,
    "NewUser",
    {
        "properties": {**CHANGEABLE, "password": PASSWORD, **ADMINISTERED},
        "required": ["username", "email", "password"],
        "example": {
            "username": "ada",
            "email": "ada@example.com",
            "password": "a stone bridge over the river",
            "full_name": "Ada Lovelace",
            "metadata": {"team": "engines"},
        },
    },
)
user_patch = refine(
    users,
    "UserPatch",
    {
        "properties": {
            **CHANGEABLE,
            "metadata": {**CHANGEABLE["metadata"], "x-nullable": True},
            **ADMINISTERED,
        },
        "example": {"full_name": "Ada King", "metadata": {"team": None, "likes": "trains"}},
    },
)
password_change = refine(
    users,
    "PasswordChange",
    {
        "properties": {
            "current_password": {
                "type": "string",
                "maxLength": 1024,
                "format": "password",
                "description": "The one to be replaced.",
                "example": "correct horse battery staple",
            },
            "new_password": PASSWORD,
        },
        "required": ["current_password", "new_password"],
    },
)
FILTERS: dict[str, dict[str, Any]] = {
    "status": {
        "type": "string",
        "enum": [status.value for status in Status],
        "description": "Only users with this status.",
    },
    "role": {
        "type": "string",
        "enum": [role.value for role in Role],
        "description": "Only users with this role.",
    },
    "username": {"type": "string", "maxLength": 32, "description": "Exact, whatever its case."},
    "email": {"type": "string", "maxLength": 254, "description": "Exact, whatever its case."},
}
USER_ID = {
    "id": {
        "description": "A user's id, or `me` for the signed-in user.",
        "pattern": f"^me$|{USER_ID_PATTERN}",
        "maxLength": 36,
        "x-example": "me",
    }
}
ITS_ID = {"id": "$response.body#/id"}


@users.route("")
class Users(Resource):
    @users.doc("list_users")
    @admin
    @query({"limit": LIMIT, "cursor": CURSOR, **FILTERS})
    @problems("invalid-cursor")
    @links(
        200,
        {
            "list_users": {"query.cursor": "$response.body#/next_cursor"},
            "get_user": {"id": "$response.body#/items/0/id"},
        },
    )
    @headers("Link")
    @marshal_with(page_of_users, description="One page of users")
    def get(
        self, caller: Caller, limit: int = 25, cursor: str | None = None, **filters: str
    ) -> Any:
        """List users, newest first

        The list is eventually consistent: a user registered a moment ago may still be missing.
        A page can be shorter than `limit`, even empty, while `next_cursor` says that more follow.
        """
        after = position(cursor, filters)
        found, after = _find_page(filters, after, limit)
        return envelope(found, after, filters, limit)

    @users.doc("create_user")
    @anyone_or_admin
    @body(new_user, admin_only=ADMINISTERED)
    @problems("username-taken", "email-taken")
    @links(201, dict.fromkeys(("get_user", "update_user", "delete_user"), ITS_ID))
    @headers("Location")
    @marshal_with(user, code=201, description="The user as it was registered")
    @tagged
    def post(self, caller: Caller | None, payload: dict[str, Any]) -> Any:
        """Register a user

        Anyone may, unless sign-up is closed; only an admin may give `roles` and `status`.
        """
        made = accounts.register(**payload, by=actor_of(caller))
        return made, 201, {"Location": url_for(USER_ENDPOINT, id=made.id)}


@users.route("/<id>")
@users.doc(params=USER_ID)
class UserItem(Resource):
    @users.doc("get_user")
    @signed_in
    @problems("user-not-found")
    @links(200, dict.fromkeys(("update_user", "delete_user"), ITS_ID))
    @marshal_with(user, description="The user as it is now")
    @tagged
    def get(self, id: str, caller: Caller) -> Any:
        """Read a user

        The user itself and admins may; to others it does not exist.
        """
        return caller.may_see(id), 200, {}

    @users.doc("update_user")
    @signed_in
    @body(user_patch, media_types=(MERGE_PATCH, JSON), admin_only=ADMINISTERED)
    @matched
    @problems("user-not-found", "username-taken", "email-taken", "last-admin")
    @links(200, dict.fromkeys(("get_user", "delete_user"), ITS_ID))
    @marshal_with(user, description="The user after the change")
    @tagged
    def patch(
        self, id: str, caller: Caller, payload: dict[str, Any], versions: frozenset[int] | None
    ) -> Any:
        """Change some members of a user

        The body is a JSON merge patch (RFC 7396): members it does not name stay, null removes
        `full_name`, `metadata` or a member of `metadata`. With `If-Match` nobody else's change is
        overwritten. Suspending a user ends its sessions at once.
        """
        seen = caller.may_see(id)
        return accounts.update(seen, payload, versions=versions, by=caller.actor), 200, {}

    @users.doc("delete_user")
    @signed_in
    @matched
    @problems("user-not-found", "last-admin")
    @users.response(204, "The user is deleted")
    def delete(self, id: str, caller: Caller, versions: frozenset[int] | None) -> Any:
        """Delete a user

        Its sessions end at once; its user name and address are free again.
        """
        accounts.delete(caller.may_see(id), versions=versions, by=caller.actor)
        return no_content()


@users.route("/<id>/password")
@users.doc(params=USER_ID)
class UserPassword(Resource):
    @users.doc("change_password")
    @only_self
    @body(password_change)
    @problems("invalid-credentials")
    @users.response(204, "The password is changed")
    def put(self, id: str, caller: Caller, payload: dict[str, Any]) -> Any:
        """Change one's own password

        Every other session of the user ends; the one that asks goes on.
        """
        accounts.change_password(caller.user, **payload, session=caller.session, by=caller.actor)
        return no_content()


def _find_page(
    filters: dict[str, str], after: str | None, limit: int
) -> tuple[list[User], str | None]:
    chosen = UserFilter(
        Status(filters["status"]) if "status" in filters else None,
        Role(filters["role"]) if "role" in filters else None,
    )
    if "username" in filters or "email" in filters:
        found = accounts.find_named(filters.get("username"), filters.get("email"))
        return [found] if found and found.matches(chosen) else [], None
    return accounts.newest_first(chosen, after=after, limit=limit)
