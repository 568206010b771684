"""The routes of accounts."""

from typing import Any

from flask import url_for
from flask_restx import Resource

from api.auth import (
    Principal,
    actor_of,
    admin,
    anyone_or_admin,
    fresh,
    only_self,
    open_to_keys,
    signed_in,
)
from api.etags import matched, tagged
from api.openapi.annotations import headers, links, problems
from api.pagination import CURSOR, LIMIT, envelope, position
from api.rate_limits import PASSWORDS, SIGN_UPS, limited
from api.responses import accepted, no_content
from api.schemas import USER_ID, user
from api.serialization import marshal_with
from api.services import accounts, passwords
from api.v1.users.schemas import (
    ADMINISTERED,
    FILTERS,
    new_user,
    page_of_users,
    password_change,
    user_patch,
    users,
)
from api.validation import JSON, MERGE_PATCH, body, query
from models import Role, Status, User, UserFilter

USER_ENDPOINT = "users_user_item"
ITS_ID = {"id": "$response.body#/id"}


@users.route("")
class Users(Resource):
    @users.doc("list_users")
    @admin
    @open_to_keys
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
        self, caller: Principal, limit: int = 25, cursor: str | None = None, **filters: str
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
    @open_to_keys
    @body(new_user, admin_only=ADMINISTERED)
    @limited(SIGN_UPS, spares_admins=True)
    @problems("username-taken", "email-taken", "busy")
    @links(201, dict.fromkeys(("get_user", "update_user", "delete_user"), ITS_ID))
    @headers("Location")
    @marshal_with(user, code=201, description="The user as it was registered")
    @tagged
    def post(self, caller: Principal | None, payload: dict[str, Any]) -> Any:
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
    @open_to_keys
    @problems("user-not-found", "second-factor-missing")
    @links(200, dict.fromkeys(("update_user", "delete_user"), ITS_ID))
    @marshal_with(user, description="The user as it is now")
    @tagged
    def get(self, id: str, caller: Principal) -> Any:
        """Read a user

        The user itself and admins may; to others it does not exist.
        """
        return caller.get_visible_user(id), 200, {}

    @users.doc("update_user")
    @signed_in
    @open_to_keys
    @body(user_patch, media_types=(MERGE_PATCH, JSON), admin_only=ADMINISTERED)
    @matched
    @problems("user-not-found", "username-taken", "email-taken", "last-admin")
    @problems("fresh-sign-in-required", "too-many-requests")
    @links(200, dict.fromkeys(("get_user", "delete_user"), ITS_ID))
    @marshal_with(user, description="The user after the change")
    @tagged
    def patch(
        self, id: str, caller: Principal, payload: dict[str, Any], versions: frozenset[int] | None
    ) -> Any:
        """Change some members of a user

        The body is a JSON merge patch (RFC 7396): members it does not name stay, null removes
        `full_name`, `metadata` or a member of `metadata`. With `If-Match` nobody else's change is
        overwritten. Suspending a user ends its sessions at once.

        A new `email` asks for a fresh sign-in. One's own takes the place of the old one when it is
        confirmed by the token that is mailed to it; until then the old one is shown.
        """
        seen = caller.get_visible_user(id)
        is_own = caller.is_self(id)
        # Whoever has the address can reset the password: no stale session decides on it.
        if "email" in payload:
            caller.must_be_fresh()
        changed = accounts.update(
            seen, payload, versions=versions, confirms_email=is_own, by=caller.actor
        )
        return changed, 200, {}

    @users.doc("delete_user")
    @signed_in
    @open_to_keys
    @matched
    @problems("user-not-found", "last-admin", "fresh-sign-in-required")
    @problems("forbidden", "second-factor-missing")
    @users.response(204, "The user is deleted")
    def delete(self, id: str, caller: Principal, versions: frozenset[int] | None) -> Any:
        """Delete a user

        Its sessions end at once; its user name and address are free again. Deleting oneself asks
        for a fresh sign-in.
        """
        if caller.is_self(id):
            caller.must_be_fresh()
        accounts.delete(caller.get_visible_user(id), versions=versions, by=caller.actor)
        return no_content()


@users.route("/<id>/password")
@users.doc(params=USER_ID)
class UserPassword(Resource):
    @users.doc("change_password")
    @only_self
    @fresh
    @body(password_change)
    @limited(PASSWORDS)
    @problems("invalid-credentials", "busy")
    @users.response(204, "The password is changed")
    def put(self, id: str, caller: Principal, payload: dict[str, Any]) -> Any:
        """Change one's own password

        Every other session of the user ends; the one that asks goes on.
        """
        passwords.change_password(caller.user, **payload, session=caller.session, by=caller.actor)
        return no_content()


@users.route("/<id>/password-reset")
@users.doc(params=USER_ID)
class UserPasswordReset(Resource):
    @users.doc("start_password_reset")
    @admin
    @problems("user-not-found", "mail-not-configured", "too-many-requests")
    @users.response(202, "A mail is on its way to the user")
    def post(self, id: str, caller: Principal) -> Any:
        """Email a user what resets the password

        Only an admin may, and no admin ever chooses or learns a password. The present password
        goes on until the user sets a new one.
        """
        passwords.start_reset_for(caller.get_visible_user(id), by=caller.actor)
        return accepted()


@users.route("/<id>/lock")
@users.doc(params=USER_ID)
class UserLock(Resource):
    @users.doc("unlock_user")
    @admin
    @problems("user-not-found")
    @users.response(204, "The next try to sign in is granted")
    def delete(self, id: str, caller: Principal) -> Any:
        """Lift the lock after failed sign-ins

        Only an admin may. The count of failed tries begins anew.
        """
        passwords.unlock(caller.get_visible_user(id), by=caller.actor)
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
