"""The routes of users."""

from collections.abc import Container
from functools import partial
from typing import Any

from flask import url_for
from flask_restx import Resource

from api.auth import (
    Caller,
    Principal,
    anonymous_actor,
    right_required,
    self_required,
    signed_in,
    signup_allowed,
)
from api.errors import pointers_in
from api.etags import preconditions, with_etag
from api.idempotency import idempotent
from api.lanes import hashes_password
from api.merge_patch import merge_patch
from api.openapi.annotations import error_responses, headers, links
from api.pagination import CURSOR, LIMIT, decode_cursor, page_response
from api.rate_limits import (
    NAME_CHANGES,
    PASSWORDS,
    SIGN_UPS,
    limit_user_and_client,
    rate_limited,
)
from api.responses import accepted, no_content
from api.schemas import USER_ID, user
from api.serialization import marshal_with
from api.services import accounts, passwords, rules
from api.v1.users.schemas import (
    ADMIN_FIELDS,
    FILTERS,
    MANAGED_FIELDS,
    new_user,
    password_change,
    user_page,
    user_patch,
    users,
)
from api.validation import JSON, MERGE_PATCH, body, query
from models import (
    ClientScope,
    IdempotentRequest,
    Right,
    Status,
    User,
    UserFilter,
    strongest_role,
)

_USER_ENDPOINT = "users_user_item"
# The fields that decide about access to an account.
_CONTROL_FIELDS = frozenset({"username", *ADMIN_FIELDS})
# Fields whose values are unique, so that a rejected value reveals another user.
_UNIQUE_FIELDS = frozenset({"username", "email"})
# What changing a field requires, also for the caller's account.
_RIGHTS_TO_CHANGE = {
    "roles": Right.ADMINISTER,
    "status": Right.SUPPORT,
    "email_verified": Right.ADMINISTER,
}
_ITS_ID = {"id": "$response.body#/id"}


def _faults_of_new_user(accepted: dict[str, Any]) -> list[tuple[str, str]]:
    texts = {name: value for name, value in accepted.items() if isinstance(value, str)}
    faults = [
        *accounts.faults_of({"username": None, **texts}, offline=True),
        *accounts.roles.faults_of(accepted.get("roles", ())),
        *accounts.metadata_rules.faults_of(accepted),
    ]
    return [pair for fault in faults for pair in pointers_in(fault)]


@users.route("")
class Users(Resource):
    @users.doc("list_users")
    @right_required(Right.READ, api_keys=True, client_scope=ClientScope.USERS_READ)
    @query({"limit": LIMIT, "cursor": CURSOR, **FILTERS})
    @error_responses("invalid-cursor")
    @links(
        200,
        {
            "list_users": {"query.cursor": "$response.body#/next_cursor"},
            "get_user": {"id": "$response.body#/items/0/id"},
        },
    )
    @headers("Link")
    @marshal_with(user_page, description="One page of users")
    def get(
        self, caller: Caller, limit: int = 25, cursor: str | None = None, **filters: str
    ) -> Any:
        """List users

        For admins, support, auditors, and clients with the scope `users:read`, newest first. The
        list is eventually consistent: a user registered just now may be missing. A page can have
        fewer users than `limit`, or none, while `next_cursor` says that more follow. `q` searches,
        also together with the filters; it is rejected where `ROSTER_SEARCH` is `off`.
        """
        after = decode_cursor(cursor, filters)
        found, after = _find_page(filters, after, limit)
        return page_response(found, after, filters, limit)

    @hashes_password
    @users.doc("create_user")
    @signup_allowed(api_keys=True, client_scope=ClientScope.USERS_WRITE)
    @body(
        new_user,
        rights=dict.fromkeys(ADMIN_FIELDS, Right.ADMINISTER),
        managed=MANAGED_FIELDS,
        rules=_faults_of_new_user,
    )
    @idempotent("create_user")
    @rate_limited(SIGN_UPS, spares_admins=True)
    @error_responses("username-taken", "email-taken", "external-id-taken")
    @error_responses("fresh-sign-in-required", "hook-failed")
    @links(201, dict.fromkeys(("get_user", "update_user", "delete_user"), _ITS_ID))
    @headers("Location")
    @marshal_with(user, code=201, description="The registered user")
    @with_etag
    def post(
        self,
        caller: Caller | None,
        payload: dict[str, Any],
        repeatable: IdempotentRequest | None,
    ) -> Any:
        """Register a user

        Open to everyone unless sign-up is closed. A user without `username` signs in with the email
        address; `ROSTER_USERNAMES` can require a username, or turn all of them off: then a request
        that has one is rejected. Only an admin may set `roles`, `status` and `email_verified`, or
        assign a reserved username such as `support`, or one that another user gave up lately;
        `app_metadata` and `external_id` are for admins and clients. A role with rights over other
        accounts requires recent authentication, and a new admin is reported to the other admins by
        email. A client with the scope `users:write` registers users also while sign-up is closed.
        """
        if caller and strongest_role(payload.get("roles", ())):
            caller.require_account_control()
        created = accounts.register(
            **payload,
            any_username=caller is not None and caller.may_assign_any_username(),
            any_domain=caller is not None and caller.may_use_any_domain(),
            by=caller.actor if caller else anonymous_actor(),
            request=repeatable,
        )
        return created, 201, {"Location": url_for(_USER_ENDPOINT, id=created.id)}


@users.route("/<id>")
@users.doc(params=USER_ID)
class UserItem(Resource):
    @users.doc("get_user")
    @signed_in(api_keys=True, client_scope=ClientScope.USERS_READ)
    @error_responses("user-not-found", "second-factor-missing")
    @links(200, dict.fromkeys(("update_user", "delete_user"), _ITS_ID))
    @marshal_with(user, description="The current user")
    @with_etag
    def get(self, id: str, caller: Caller) -> Any:
        """Read a user

        Allowed for the user, for admins, support and auditors, and for clients with the scope
        `users:read`; for other callers the user does not exist.
        """
        return caller.get_visible_user(id), 200, {}

    @users.doc("update_user")
    @signed_in(api_keys=True, client_scope=ClientScope.USERS_WRITE)
    @body(
        user_patch,
        media_types=(MERGE_PATCH, JSON),
        rights=_RIGHTS_TO_CHANGE,
        managed=MANAGED_FIELDS,
    )
    @preconditions
    @error_responses("user-not-found", "username-taken", "email-taken", "external-id-taken")
    @error_responses("last-admin", "hook-failed")
    @error_responses("fresh-sign-in-required", "too-many-requests")
    @links(200, dict.fromkeys(("get_user", "delete_user"), _ITS_ID))
    @marshal_with(
        user,
        description="The updated user",
        others={202: "An email to confirm the new address was requested"},
    )
    @with_etag
    def patch(
        self, id: str, caller: Caller, payload: dict[str, Any], versions: Container[int] | None
    ) -> Any:
        """Update a user

        The body is a JSON merge patch (RFC 7396): fields that it does not name stay unchanged, null
        removes `username`, `full_name`, `locale`, `external_id`, `metadata`, `app_metadata` or a
        field of the last two. With `If-Match`, concurrent changes are not overwritten. Suspending a
        user ends its sessions at once.

        A new `email`, `username`, `roles`, `status` or `email_verified` requires recent
        authentication; an API key may set all but the first with the scope `accounts`, a client
        none of them. A client with the scope `users:write` changes only users who are no admins,
        and support only their `status`. A role that is no longer known stays where the body keeps
        it.

        Your own new address replaces the old one once it is confirmed with the token that is
        emailed to it; until then the response is 202 and shows the old one. It is the same if the
        address is another user's, who then gets an email. Users may change their own username and
        address 30 times an hour.
        """
        is_support = payload.keys() == {"status"}
        target = caller.get_controlled_user(
            id,
            Right.SUPPORT if is_support else Right.ADMINISTER,
            even_own=not _RIGHTS_TO_CHANGE.keys().isdisjoint(payload),
        )
        # Control of the address allows a password reset: an old session must not decide on it.
        if "email" in payload:
            caller.require_recent_auth()
        elif not _CONTROL_FIELDS.isdisjoint(payload):
            caller.require_account_control()
        if not _UNIQUE_FIELDS.isdisjoint(payload) and not caller.is_admin:
            limit_user_and_client(NAME_CHANGES, caller.id)
        updated = accounts.update(
            target,
            _changes(payload),
            versions=versions,
            confirms_email=caller.is_self(id),
            any_username="username" in payload and caller.may_assign_any_username(),
            any_domain="email" in payload and caller.may_use_any_domain(),
            by=caller.actor,
        )
        is_pending = "email" in payload and updated.pending_email is not None
        return updated, 202 if is_pending else 200, {}

    @users.doc("delete_user")
    @signed_in(api_keys=True)
    @preconditions
    @error_responses("user-not-found", "last-admin", "fresh-sign-in-required")
    @error_responses("forbidden", "second-factor-missing")
    @users.response(204, "The user is deleted")
    def delete(self, id: str, caller: Principal, versions: Container[int] | None) -> Any:
        """Delete a user

        Its sessions end at once. Its email address becomes available; its username does after a
        quarantine (`ROSTER_USERNAME_QUARANTINE`). Requires recent authentication; an API key may
        delete other users with the scope `accounts`.
        """
        target = caller.get_controlled_user(id, Right.ADMINISTER)
        if caller.is_self(id):
            caller.require_recent_auth()
        else:
            caller.require_account_control()
        accounts.delete(target, versions=versions, by=caller.actor)
        return no_content()


@users.route("/<id>/password")
@users.doc(params=USER_ID)
class UserPassword(Resource):
    @hashes_password
    @users.doc("change_password")
    @self_required(recent=True)
    @body(password_change)
    @rate_limited(PASSWORDS)
    @error_responses("invalid-credentials")
    @users.response(204, "The password is changed")
    def put(self, id: str, caller: Principal, payload: dict[str, Any]) -> Any:
        """Change the current user's password

        Every other session of the user ends; the current one stays.
        """
        passwords.change_password(caller.user, **payload, session=caller.session, by=caller.actor)
        return no_content()


@users.route("/<id>/password-reset")
@users.doc(params=USER_ID)
class UserPasswordReset(Resource):
    @users.doc("start_password_reset")
    @right_required(Right.SUPPORT, recent=True)
    @error_responses("user-not-found", "mail-not-configured", "too-many-requests")
    @users.response(202, "An email will be sent to the user")
    def post(self, id: str, caller: Principal) -> Any:
        """Email a password reset link to a user

        For admins, and for support unless the user is an admin, with recent authentication; neither
        chooses or learns a password. The current password remains valid until the user sets a new
        one.
        """
        target = caller.get_controlled_user(id, Right.SUPPORT, even_own=True)
        passwords.send_reset(target, by=caller.actor)
        return accepted()


@users.route("/<id>/lock")
@users.doc(params=USER_ID)
class UserLock(Resource):
    @users.doc("unlock_user")
    @right_required(Right.SUPPORT, recent=True)
    @error_responses("user-not-found")
    @users.response(204, "The next attempt to sign in is granted")
    def delete(self, id: str, caller: Principal) -> Any:
        """Unlock a user

        For admins, and for support unless the user is an admin, with recent authentication. Ends
        the lockout after failed sign-ins and resets the count of failures.
        """
        target = caller.get_controlled_user(id, Right.SUPPORT, even_own=True)
        passwords.unlock(target, by=caller.actor)
        return no_content()


def _find_page(
    filters: dict[str, str], after: str | None, limit: int
) -> tuple[list[User], str | None]:
    if "role" in filters:
        rules.roles.require_filter(filters["role"])
    chosen = UserFilter(
        Status(filters["status"]) if "status" in filters else None,
        filters.get("role"),
    )
    names = [filters.get(name) for name in ("username", "email", "external_id")]
    is_exact = any(name is not None for name in names)
    if "q" not in filters:
        if not is_exact:
            return accounts.newest_first(chosen, after=after, limit=limit)
        found = accounts.find_named(*names)
        return [found] if found and chosen.passes(found) else [], None
    search = accounts.search
    if not is_exact:
        return search.find(filters["q"], chosen, after=after, limit=limit)
    text = search.normalize(filters["q"])
    found = accounts.find_named(*names)
    return [found] if found and chosen.passes(found) and search.finds(text, found) else [], None


def _changes(patch: dict[str, Any]) -> dict[str, Any]:
    """Return the new values that a merge patch asks for; objects are merged when it is written."""
    objects = {name: patch[name] for name in ("metadata", "app_metadata") if name in patch}
    return {**patch, **{name: partial(_merged, part) for name, part in objects.items()}}


def _merged(patch: dict[str, Any] | None, current: dict[str, Any]) -> dict[str, Any]:
    return merge_patch(current, patch) or {}
