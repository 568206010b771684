"""Sessions: sign in, see where one is signed in, sign out."""

from typing import Any

from flask_restx import Namespace, Resource, fields

from api import services
from api.auth import Principal, admin, client, signed_in
from api.fields import Text, Timestamp
from api.openapi.annotations import links, problems
from api.rate_limits import PASSWORDS, SIGN_INS, limited
from api.responses import no_content
from api.schemas import USER_ID, user
from api.serialization import marshal_with
from api.validation import NO_NUL, body, refine
from models import SESSION_ID_PATTERN, Session, User

sessions = Namespace(
    "sessions",
    "Sign in, see where one is signed in, sign out. A session is a token that is shown once; it"
    " ends when it is not used for a while, by signing out, with a suspension or a new password.",
    path="/v1",
)
sessions.add_model(user.name, user)

_EXAMPLE_ID = "5f2c8a1e9b7d4c305f2c8a1e9b7d4c305f2c8a1e9b7d4c305f2c8a1e9b7d4c30"

session = sessions.model(
    "Session",
    {
        "id": Text(
            required=True,
            description="Names the session; it is not its token",
            pattern=SESSION_ID_PATTERN,
            max_length=64,
            example=_EXAMPLE_ID,
        ),
        "created_at": Timestamp(required=True, description="When somebody signed in"),
        "last_used_at": Timestamp(required=True, description="To within five minutes"),
        "expires_at": Timestamp(required=True, description="When it ends unless it is used"),
        "user_agent": Text(
            required=True,
            nullable=True,
            description="What the client that signed in calls itself",
            max_length=400,
            example="curl/8.5.0",
        ),
        "ip": Text(
            required=True,
            nullable=True,
            description="From where somebody signed in",
            pattern="^[0-9A-Fa-f:.]+$",
            max_length=45,
            example="192.0.2.7",
        ),
        "current": fields.Boolean(required=True, description="Whether it makes this request"),
    },
)
list_of_sessions = sessions.model(
    "SessionList",
    {"items": fields.List(fields.Nested(session), required=True, description="Newest first")},
)
opened_session = sessions.model(
    "OpenedSession",
    {
        "id": Text(
            required=True,
            description="Names the session",
            pattern=SESSION_ID_PATTERN,
            max_length=64,
            example=_EXAMPLE_ID,
        ),
        "token": Text(
            required=True,
            description="Send it as `Authorization: Bearer <token>`",
            pattern="^rst_[A-Za-z0-9_-]+$",
            max_length=128,
            example="rst_AaH7G2h2dkSZNQAAAAAAAHRoaXMgaXMgbm8gcmVhbCB0b2tlbg",
        ),
        "expires_at": Timestamp(required=True, description="When it ends unless it is used"),
        "user": fields.Nested(user, required=True),
    },
)
OTP: dict[str, Any] = {
    "type": "string",
    "maxLength": 64,
    **NO_NUL,
    "description": "The code that the authenticator shows, or a recovery code. Needed where the"
    " user has a second factor, ignored elsewhere.",
    "example": "123456",
}
credentials = refine(
    sessions,
    "Credentials",
    {
        "properties": {
            "login": {
                "type": "string",
                "maxLength": 254,
                **NO_NUL,
                "description": "The user name or the e-mail address.",
                "example": "john",
            },
            "password": {
                "type": "string",
                "maxLength": 1024,
                **NO_NUL,
                "format": "password",
                "description": "The user's password, exactly as it was set.",
                "example": "correct horse battery staple",
            },
            "otp": OTP,
        },
        "required": ["login", "password"],
    },
)
reauthentication = refine(
    sessions,
    "Reauthentication",
    {
        "properties": {
            "password": {
                "type": "string",
                "maxLength": 1024,
                **NO_NUL,
                "format": "password",
                "description": "The user's password.",
                "example": "correct horse battery staple",
            },
            "otp": OTP,
        },
        "required": ["password"],
    },
)
SESSION_ID = {
    "id": {
        "description": "A session's id.",
        "pattern": SESSION_ID_PATTERN,
        "maxLength": 64,
        "x-example": _EXAMPLE_ID,
    }
}


@sessions.route("/sessions")
class Sessions(Resource):
    @sessions.doc("sign_in", security=[])
    @body(credentials)
    @limited(SIGN_INS)
    @problems("invalid-credentials", "second-factor-required", "busy")
    @marshal_with(opened_session, code=201, description="The session and its token")
    def post(self, payload: dict[str, Any]) -> Any:
        """Sign in

        The answer holds the token, which is shown this once. Whether the user is unknown, the
        password wrong or the user suspended is never told. After several wrong passwords the next
        try has to wait, longer each time, whether it is right or not: `Retry-After` says how long.
        """
        return _opened(*services.sessions.open(**payload, client=client()))

    @sessions.doc("list_sessions")
    @signed_in
    @links(200, {"end_session": {"id": "$response.body#/items/0/id"}})
    @marshal_with(list_of_sessions, description="The sessions that live")
    def get(self, caller: Principal) -> Any:
        """List one's own sessions, newest first

        Where one is signed in, and since when; `current` marks the session that asks.
        """
        return _list(caller.user, caller)

    @sessions.doc("sign_out_everywhere")
    @signed_in
    @sessions.response(204, "All sessions have ended")
    def delete(self, caller: Principal) -> Any:
        """Sign out everywhere, here too

        Every session of the user ends at once, on every device.
        """
        services.sessions.end_all(caller.user, by=caller.actor)
        return no_content()


@sessions.route("/sessions/current")
class CurrentSession(Resource):
    @sessions.doc("sign_out")
    @signed_in
    @sessions.response(204, "The session has ended")
    def delete(self, caller: Principal) -> Any:
        """Sign out here

        The session whose token makes this request ends; others go on.
        """
        services.sessions.end(caller.user, caller.session.id, by=caller.actor)
        return no_content()


@sessions.route("/sessions/current/reauthenticate")
class FreshSession(Resource):
    @sessions.doc("reauthenticate")
    @signed_in
    @body(reauthentication)
    @limited(PASSWORDS)
    @problems("invalid-credentials", "second-factor-required", "busy")
    @marshal_with(opened_session, code=201, description="The fresh session and its token")
    def post(self, caller: Principal, payload: dict[str, Any]) -> Any:
        """Give one's password once more

        For changes that ask for a fresh sign-in. A new session with a new token takes the place of
        the present one, which ends.
        """
        return _opened(*services.sessions.renew(caller.session, **payload, client=client()))


@sessions.route("/sessions/<id>")
@sessions.doc(params=SESSION_ID)
class SessionItem(Resource):
    @sessions.doc("end_session")
    @signed_in
    @problems("session-not-found")
    @sessions.response(204, "The session has ended")
    def delete(self, id: str, caller: Principal) -> Any:
        """End one of one's own sessions

        For a device that was lost, or a sign-in that one does not know.
        """
        services.sessions.end(caller.user, id, by=caller.actor)
        return no_content()


@sessions.route("/users/<id>/sessions")
@sessions.doc(params=USER_ID)
class UserSessions(Resource):
    @sessions.doc("list_user_sessions")
    @admin
    @problems("user-not-found")
    @marshal_with(list_of_sessions, description="The user's sessions that live")
    def get(self, id: str, caller: Principal) -> Any:
        """List a user's sessions, newest first

        Only an admin may; tokens are shown to nobody.
        """
        return _list(caller.get_visible_user(id), caller)

    @sessions.doc("end_user_sessions")
    @admin
    @problems("user-not-found")
    @sessions.response(204, "All sessions of the user have ended")
    def delete(self, id: str, caller: Principal) -> Any:
        """End every session of a user

        Only an admin may. The user can sign in again; to prevent that, suspend the user.
        """
        services.sessions.end_all(caller.get_visible_user(id), by=caller.actor)
        return no_content()


def _list(owner: User, caller: Principal) -> dict[str, Any]:
    rows = services.sessions.sessions_of(owner)
    return {"items": [_shown(row, caller) for row in rows]}


def _opened(row: Session, token: str, owner: User) -> Any:
    return {"id": row.id, "token": token, "expires_at": row.expires_at, "user": owner}, 201


def _shown(row: Session, caller: Principal) -> dict[str, Any]:
    return {
        "id": row.id,
        "created_at": row.created_at,
        "last_used_at": row.last_used_at,
        "expires_at": row.expires_at,
        "user_agent": row.user_agent,
        "ip": row.ip,
        "current": row.id == caller.session.id,
    }
