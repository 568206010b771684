"""The schemas of OAuth endpoints."""

from typing import Any

from flask_restx import Namespace, fields

from api.fields import Text
from api.schemas import (
    ACCESS_TOKEN_FIELDS,
    EXAMPLE_CLIENT_SECRET,
    EXAMPLE_SESSION_ID,
    EXAMPLE_TOKEN,
    EXAMPLE_USER_ID,
)
from models import MAX_ROLES, ClientScope, field_rules
from models.field_rules import any_case

oauth = Namespace(
    "oauth",
    "The endpoints for other services that OAuth libraries speak: introspection (RFC 7662) and"
    " access tokens for clients (RFC 6749, RFC 8693). Requests are forms, and errors have `error`"
    " and `error_description`. A client authenticates with HTTP Basic authentication, with"
    " `client_id` and `client_secret` in the form, or with its secret as a bearer token.",
    path="/oauth",
)

ACCESS_TOKEN_TYPE = "urn:ietf:params:oauth:token-type:access_token"  # nosec B105 - a name
CLIENT_CREDENTIALS = "client_credentials"
TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"  # nosec B105 - a name
_EXAMPLE_AUDIENCE = "https://billing.example.com"
_EXAMPLE_CLIENT_ID = "01a1fb07-6a10-7d02-9c1e-40d8a2f6b911"
_SCOPE_PATTERN = "^[a-z:-]+( [a-z:-]+)*$"
_SCOPES = [scope.value for scope in ClientScope]
# Seconds since 1970, which exceed 32 bits in 2038.
_TIME: dict[str, Any] = {"min": 0, "max": 2**53 - 1}


def _text(description: str, example: str | None = None, **bounds: Any) -> dict[str, Any]:
    # Without an example, Swagger UI shows a random text that obeys the pattern.
    shown = {"x-example": example} if example else {}
    return {"in": "formData", "type": "string", "description": description, **shown, **bounds}


CLIENT_FIELDS = {
    "client_id": _text(
        "The ID of the client, if it does not authenticate in the header.",
        example=_EXAMPLE_CLIENT_ID,
        pattern=any_case(field_rules.CLIENT_ID.pattern),
        maxLength=field_rules.CLIENT_ID.max_length,
    ),
    "client_secret": _text(
        "Its secret, if it does not authenticate in the header.",
        example=EXAMPLE_CLIENT_SECRET,
        pattern=field_rules.CLIENT_SECRET.pattern,
        maxLength=field_rules.CLIENT_SECRET.max_length,
        format="password",
    ),
}
INTROSPECTION_FIELDS = {
    "token": _text(
        "The token of a session, an API key, or an access token for the client's audience; a longer"
        " text is not active.",
        required=True,
        maxLength=4096,
        example=EXAMPLE_TOKEN,
    ),
    "token_type_hint": _text(
        "Ignored: the token tells its type.", example="access_token", maxLength=100
    ),
    **CLIENT_FIELDS,
}
TOKEN_FIELDS = {
    "grant_type": _text(
        "A token for the client itself, or in exchange for a token of a user.",
        required=True,
        enum=[CLIENT_CREDENTIALS, TOKEN_EXCHANGE],
    ),
    "audience": _text(
        "The `audience` of the client that the token is meant for, to the letter.",
        required=True,
        pattern=field_rules.AUDIENCE.pattern,
        maxLength=field_rules.AUDIENCE.max_length,
        example=_EXAMPLE_AUDIENCE,
    ),
    "scope": _text(
        "What is in the token, separated by spaces: scopes of the client, or for an exchange roles"
        " of the user. By default all.",
        example=ClientScope.USERS_READ.value,
        pattern=_SCOPE_PATTERN,
        maxLength=1024,
    ),
    "subject_token": _text(
        "For an exchange: the token of the user's session, or an API key.",
        example=EXAMPLE_TOKEN,
        pattern="^rs[tk]_[A-Za-z0-9_-]+$",
        maxLength=field_rules.SESSION_TOKEN.max_length,
    ),
    "subject_token_type": _text("For an exchange: its type.", enum=[ACCESS_TOKEN_TYPE]),
    "requested_token_type": _text("For an exchange: the only type.", enum=[ACCESS_TOKEN_TYPE]),
    **CLIENT_FIELDS,
}

_SCOPE = Text(
    description="The roles or scopes that are in the token; absent if there are none",
    pattern=_SCOPE_PATTERN,
    max_length=1024,
    example="user",
)
_CLIENT = {"pattern": field_rules.CLIENT_ID.pattern, "max_length": field_rules.CLIENT_ID.max_length}
token_response = oauth.model(
    "OAuthToken",
    {
        **ACCESS_TOKEN_FIELDS,
        "scope": _SCOPE,
        "issued_token_type": Text(
            description="The type of the token, after an exchange", enum=[ACCESS_TOKEN_TYPE]
        ),
    },
)
# The client that acts for the user of an access token (RFC 8693, section 4.1).
_actor = oauth.model(
    "OAuthActor",
    {
        "sub": Text(
            required=True, description="The ID of the client", example=_EXAMPLE_CLIENT_ID, **_CLIENT
        )
    },
)
introspection_response = oauth.model(
    "Introspection",
    {
        "active": fields.Boolean(
            required=True,
            description="Whether the token counts now; if not, there is nothing else",
            example=True,
        ),
        "token_type": Text(description="Always `Bearer`", enum=["Bearer"]),
        "iss": Text(
            description="The issuer",
            pattern="^https?://",
            max_length=1024,
            example="https://id.example.com",
        ),
        "sub": Text(
            description="The ID of the user, or of the client of a client's own token",
            pattern=field_rules.USER_ID.pattern,
            max_length=field_rules.USER_ID.max_length,
            example=EXAMPLE_USER_ID,
        ),
        "username": Text(
            description="The username now; absent for a user without one",
            pattern=field_rules.USERNAME.pattern,
            max_length=field_rules.USERNAME.max_length,
            example="john",
        ),
        "exp": fields.Integer(
            description="When it ends unless it is used, in seconds since 1970",
            example=1796000000,
            **_TIME,
        ),
        "iat": fields.Integer(
            description="When it was created, in seconds since 1970", example=1795395200, **_TIME
        ),
        "roles": fields.List(
            Text(pattern=field_rules.ROLE.pattern, max_length=field_rules.ROLE.max_length),
            description="The roles that count with it",
            max_items=MAX_ROLES,
            example=["user"],
        ),
        "scope": _SCOPE,
        "sid": Text(
            description="The ID of the session",
            pattern=field_rules.SESSION_ID.pattern,
            max_length=field_rules.SESSION_ID.max_length,
            example=EXAMPLE_SESSION_ID,
        ),
        "auth_time": fields.Integer(
            description="When the user authenticated, in seconds since 1970",
            example=1795395200,
            **_TIME,
        ),
        "amr": fields.List(
            Text(pattern="^[a-z]+$", max_length=10),
            description="The factors that were verified for the session (RFC 8176)",
            max_items=4,
            example=["pwd"],
        ),
        "key_id": Text(
            description="The ID of the API key",
            pattern=field_rules.API_KEY_ID.pattern,
            max_length=field_rules.API_KEY_ID.max_length,
            example=EXAMPLE_SESSION_ID,
        ),
        "aud": Text(
            description="The audience of an access token",
            pattern=field_rules.AUDIENCE.pattern,
            max_length=field_rules.AUDIENCE.max_length,
            example=_EXAMPLE_AUDIENCE,
        ),
        "client_id": Text(
            description="Who requested an access token: `roster` for the user, the ID of an API key"
            " or of a client",
            pattern="^(roster|[0-9a-f-]{36}|[0-9a-f]{64})$",
            max_length=64,
            example="roster",
        ),
        "jti": Text(
            description="The ID of an access token",
            pattern="^[0-9a-f]{32}$",
            max_length=32,
            example="9f86d081884c7d659a2feaa0c55ad015",
        ),
        "act": fields.Nested(_actor),
        "email": Text(
            description="The email address, for clients with the scope `email`",
            pattern=field_rules.EMAIL_LOOKUP.pattern,
            max_length=field_rules.EMAIL.max_length,
            example="john@example.com",
        ),
        "email_verified": fields.Boolean(
            description="Whether the address is verified, for clients with the scope `email`",
            example=False,
        ),
    },
)
