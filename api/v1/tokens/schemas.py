"""The schemas of access tokens."""

from flask_restx import Namespace, fields

from api.fields import Text
from api.schemas import ROLES, text_field, text_schema
from api.validation import strict_schema
from models import MAX_TOKEN_LIFETIME, field_rules

tokens = Namespace(
    "tokens",
    "Signed access tokens (JWT, RFC 9068) for other services, which verify them with the keys at"
    " `/.well-known/jwks.json`, without asking. A token is meant for one service, its audience, and"
    " cannot be used at Roster. It is valid until it expires, after 5 minutes unless configured"
    " otherwise, whatever happens to its session; there is no refresh token, since the session is"
    " one.",
    path="/v1/tokens",
)

new_access_token = strict_schema(
    tokens,
    "NewAccessToken",
    {
        "properties": {
            "audience": text_schema(
                field_rules.AUDIENCE,
                description="The `audience` of the client that the token is meant for, to the"
                " letter.",
                example="https://billing.example.com",
            ),
            "roles": {
                **ROLES,
                "description": "The roles in the token; by default all that the session or the API"
                " key has.",
            },
        },
        "required": ["audience"],
        # Without roles, which not every user has.
        "example": {"audience": "https://billing.example.com"},
    },
)
access_token = tokens.model(
    "AccessToken",
    {
        "access_token": Text(
            required=True,
            description="Send it to the service as `Authorization: Bearer <access_token>`",
            pattern=r"^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$",
            max_length=4096,
            example="eyJhbGciOiJSUzI1NiIsInR5cCI6ImF0K2p3dCJ9.eyJzdWIiOiIwMWExZmIwNyJ9.c2lnbmF0dXJl",
        ),
        "token_type": Text(required=True, description="Always `Bearer`", enum=["Bearer"]),
        "expires_in": fields.Integer(
            required=True,
            description="After how many seconds it expires",
            min=0,
            max=int(MAX_TOKEN_LIFETIME.total_seconds()),
            example=300,
        ),
        "audience": text_field(
            field_rules.AUDIENCE,
            description="The service that it is meant for",
            example="https://billing.example.com",
        ),
    },
)
