"""The schemas of access tokens."""

from flask_restx import Namespace

from api.schemas import ACCESS_TOKEN_FIELDS, ROLES, text_field, text_schema
from api.validation import strict_schema
from models import field_rules

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
        **ACCESS_TOKEN_FIELDS,
        "audience": text_field(
            field_rules.AUDIENCE,
            description="The service that it is meant for",
            example="https://billing.example.com",
        ),
    },
)
