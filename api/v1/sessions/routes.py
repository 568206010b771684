"""The routes of sessions."""

from typing import Any

from flask_restx import Resource

from api import services
from api.auth import Principal, right_required, signed_in
from api.client import client
from api.delays import delay_response
from api.lanes import hashes_password
from api.openapi.annotations import error_responses, headers, links
from api.pagination import CURSOR, LIMIT_OF_ALL, decode_cursor, page_of, page_response
from api.rate_limits import PASSWORDS, SIGN_INS, rate_limited
from api.responses import no_content
from api.schemas import USER_ID, opened_body, opened_session
from api.serialization import marshal_with
from api.v1.sessions.schemas import (
    SESSION_ID,
    credentials,
    reauthentication,
    session_list,
    sessions,
)
from api.validation import body, query
from models import Right, Session, User
from models.errors import InvalidCredentials


@sessions.route("/sessions")
class Sessions(Resource):
    @hashes_password
    @sessions.doc("sign_in", security=[])
    @body(credentials)
    @rate_limited(SIGN_INS)
    @error_responses("invalid-credentials", "second-factor-required", "hook-failed")
    @marshal_with(opened_session, code=201, description="The session and its token")
    def post(self, payload: dict[str, Any]) -> Any:
        """Sign in

        The response contains the token, which is shown only once. It does not reveal whether the
        user is unknown, the password is wrong or the user is suspended. After several wrong
        passwords the next attempt has to wait, longer each time, whether it is correct or not:
        `Retry-After` says how long. Attempts with the `device_token` of an earlier sign-in are
        counted apart, so that others cannot lock this device out. The operator can refuse a user
        whose credentials are correct: 422 with a reason.
        """
        try:
            opened = services.sessions.sign_in(**payload, client=client())
        except InvalidCredentials:
            delay_response(services.rules.failed_sign_in_time)
            raise
        return opened_body(opened), 201

    @sessions.doc("list_sessions")
    @signed_in()
    @query({"limit": LIMIT_OF_ALL, "cursor": CURSOR})
    @error_responses("invalid-cursor")
    @links(
        200,
        {
            "list_sessions": {"query.cursor": "$response.body#/next_cursor"},
            "end_session": {"id": "$response.body#/items/0/id"},
        },
    )
    @headers("Link")
    @marshal_with(session_list, description="The active sessions")
    def get(self, caller: Principal, limit: int = 100, cursor: str | None = None) -> Any:
        """List the current user's sessions

        Newest first; `current` marks the session that makes the request. A user has at most 100
        sessions: a new one ends the oldest.
        """
        return _list(caller.user, caller, limit, cursor)

    @sessions.doc("sign_out_everywhere")
    @signed_in(recent=True)
    @sessions.response(204, "All sessions have ended")
    def delete(self, caller: Principal) -> Any:
        """Sign out everywhere

        Every session of the user ends at once, on every device, including the current one.
        Requires recent authentication.
        """
        services.sessions.end_all(caller.user, by=caller.actor)
        return no_content()


@sessions.route("/sessions/current")
class CurrentSession(Resource):
    @sessions.doc("sign_out")
    @signed_in()
    @sessions.response(204, "The session has ended")
    def delete(self, caller: Principal) -> Any:
        """Sign out

        Ends the current session; other sessions stay.
        """
        services.sessions.end(caller.user, caller.session.id, by=caller.actor)
        return no_content()


@sessions.route("/sessions/current/reauthenticate")
class Reauthentication(Resource):
    @hashes_password
    @sessions.doc("reauthenticate")
    @signed_in()
    @body(reauthentication)
    @rate_limited(PASSWORDS)
    @error_responses("invalid-credentials", "second-factor-required")
    @marshal_with(opened_session, code=201, description="The new session and its token")
    def post(self, caller: Principal, payload: dict[str, Any]) -> Any:
        """Reauthenticate

        For changes that require recent authentication. A new session with a new token replaces
        the current one, which ends.
        """
        opened = services.sessions.reauthenticate(caller.session, **payload, client=client())
        return opened_body(opened), 201


@sessions.route("/sessions/<id>")
@sessions.doc(params=SESSION_ID)
class SessionItem(Resource):
    @sessions.doc("end_session")
    @signed_in()
    @error_responses("session-not-found", "fresh-sign-in-required")
    @sessions.response(204, "The session has ended")
    def delete(self, id: str, caller: Principal) -> Any:
        """End one of the current user's sessions

        For a lost device or an unknown sign-in. Requires recent authentication, unless it is the
        current session.
        """
        if id != caller.session.id:
            caller.require_recent_auth()
        services.sessions.end(caller.user, id, by=caller.actor)
        return no_content()


@sessions.route("/users/<id>/sessions")
@sessions.doc(params=USER_ID)
class UserSessions(Resource):
    @sessions.doc("list_user_sessions")
    @right_required(Right.READ)
    @query({"limit": LIMIT_OF_ALL, "cursor": CURSOR})
    @error_responses("user-not-found", "invalid-cursor")
    @links(
        200,
        {
            "list_user_sessions": {
                "id": "$request.path.id",
                "query.cursor": "$response.body#/next_cursor",
            }
        },
    )
    @headers("Link")
    @marshal_with(session_list, description="The user's active sessions")
    def get(self, id: str, caller: Principal, limit: int = 100, cursor: str | None = None) -> Any:
        """List a user's sessions

        For admins, support and auditors, newest first. Tokens are never shown.
        """
        return _list(caller.get_visible_user(id), caller, limit, cursor)

    @sessions.doc("end_user_sessions")
    @right_required(Right.SUPPORT, recent=True)
    @error_responses("user-not-found")
    @sessions.response(204, "All sessions of the user have ended")
    def delete(self, id: str, caller: Principal) -> Any:
        """End every session of a user

        For admins, and for support unless the user is an admin, with recent authentication. The
        user can sign in again; to prevent that, suspend the user.
        """
        target = caller.get_controlled_user(id, Right.SUPPORT, even_own=True)
        services.sessions.end_all(target, by=caller.actor)
        return no_content()


def _list(owner: User, caller: Principal, limit: int, cursor: str | None) -> Any:
    after = decode_cursor(cursor, {}, owner=owner.id)
    rows, after = page_of(services.sessions.list_for(owner), after, limit)
    items = [_session_body(row, caller) for row in rows]
    return page_response(items, after, {}, limit, owner=owner.id)


def _session_body(row: Session, caller: Principal) -> dict[str, Any]:
    return {
        "id": row.id,
        "created_at": row.created_at,
        "authenticated_at": row.authenticated_at or row.created_at,
        "amr": row.methods,
        "last_used_at": row.last_used_at,
        "expires_at": row.expires_at,
        "user_agent": row.user_agent,
        "ip": row.ip,
        "current": row.id == caller.session.id,
    }
