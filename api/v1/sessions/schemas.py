"""The schemas of sessions."""

from flask_restx import Namespace, fields

from api.fields import Text, Timestamp
from api.schemas import (
    DEVICE_TOKEN,
    EXAMPLE_SESSION_ID,
    NEXT_CURSOR,
    OTP,
    PASSWORD,
    ip_field,
    opened_session,
    text_field,
    text_schema,
    user,
)
from api.validation import strict_schema
from models import field_rules
from models.field_rules import any_case

sessions = Namespace(
    "sessions",
    "Sign in, list sessions, sign out. A session has a token that is shown once; it ends when it is"
    " not used for a while, by signing out, with a suspension or with a new password.",
    path="/v1",
)
sessions.add_model(user.name, user)
sessions.add_model(opened_session.name, opened_session)

session = sessions.model(
    "Session",
    {
        "id": text_field(
            field_rules.SESSION_ID,
            description="The ID of the session; it is not its token",
            example=EXAMPLE_SESSION_ID,
        ),
        "created_at": Timestamp(required=True, description="When the user signed in"),
        "authenticated_at": Timestamp(
            required=True, description="When the password was last verified for this session"
        ),
        "amr": fields.List(
            Text(pattern="^[a-z]+$", max_length=10, example="pwd"),
            required=True,
            max_items=4,
            description="The factors that were verified (RFC 8176): `pwd`, and `otp` for a code of"
            " an authenticator or a recovery code",
        ),
        "last_used_at": Timestamp(required=True, description="Accurate to five minutes"),
        "expires_at": Timestamp(required=True, description="When it ends unless it is used"),
        "user_agent": Text(
            required=True,
            nullable=True,
            description="The `User-Agent` of the client that signed in",
            max_length=400,
            example="curl/8.5.0",
        ),
        "ip": ip_field("The address of the client that signed in"),
        "current": fields.Boolean(
            required=True, description="Whether this session makes the request"
        ),
    },
)
session_list = sessions.model(
    "SessionList",
    {
        "items": fields.List(
            fields.Nested(session), required=True, description="Newest first", max_items=100
        ),
        "next_cursor": NEXT_CURSOR,
    },
)
credentials = strict_schema(
    sessions,
    "Credentials",
    {
        "properties": {
            "login": text_schema(
                field_rules.LOGIN, description="The username or the email address.", example="john"
            ),
            "password": PASSWORD,
            "otp": OTP,
            "device_token": DEVICE_TOKEN,
        },
        "required": ["login", "password"],
    },
)
reauthentication = strict_schema(
    sessions,
    "Reauthentication",
    {
        "properties": {
            "password": {**PASSWORD, "description": "The user's password."},
            "otp": OTP,
            "device_token": DEVICE_TOKEN,
        },
        "required": ["password"],
    },
)
SESSION_ID = {
    "id": {
        "description": "The ID of a session.",
        "pattern": any_case(field_rules.SESSION_ID.pattern),
        "maxLength": field_rules.SESSION_ID.max_length,
        "x-example": EXAMPLE_SESSION_ID,
    }
}
