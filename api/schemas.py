"""Schemas that more than one namespace uses, built from the rules of the domain."""

from typing import Any

from flask_restx import Model, fields

from api.fields import Object, Text, Timestamp
from models import MAX_ROLES, MAX_TOKEN_LIFETIME, OpenedSession, Status, field_rules
from models.field_rules import FieldRule, any_case


def text_schema(rule: FieldRule, **documentation: Any) -> dict[str, Any]:
    """Return the JSON schema of a text field.

    Args:
        rule: What the field must look like.
        documentation: Further keywords, such as `description` and `example`.
    """
    schema: dict[str, Any] = {"type": "string", "maxLength": rule.max_length}
    if rule.min_length:
        schema["minLength"] = rule.min_length
    if rule.pattern:
        schema.update({"pattern": rule.pattern, "x-rule": rule.requirement})
    return {**schema, **documentation}


def text_field(rule: FieldRule, **documentation: Any) -> Text:
    """Return the field of a response that holds a value under a rule; see `text_schema`."""
    bounds: dict[str, Any] = {"pattern": rule.pattern, "max_length": rule.max_length}
    if rule.min_length:
        bounds["min_length"] = rule.min_length
    return Text(required=True, **{**bounds, **documentation})


EXAMPLE_USER_ID = "01a1fb07-5f9c-7229-8e0e-c7853035f505"
EXAMPLE_CLIENT_SECRET = "rsc_AaH7B2oQfQKcHkDYovaRAaTHRoaXMgaXMgbm8gcmVhbCBzZWNy"  # nosec B105 - of nothing
EXAMPLE_TOKEN = "rst_AaH7G2h2dkSZNQAAAAAAAHRoaXMgaXMgbm8gcmVhbCB0b2tlbg"  # nosec B105 - of nothing
EXAMPLE_SESSION_ID = "5f2c8a1e9b7d4c305f2c8a1e9b7d4c305f2c8a1e9b7d4c305f2c8a1e9b7d4c30"
# How a URL names a user.
USER_ID = {
    "id": {
        "description": "The ID of a user, or `me` for the signed-in user.",
        "pattern": f"^me$|{any_case(field_rules.USER_ID.pattern)}",
        "maxLength": field_rules.USER_ID.max_length,
        # Works for every signed-in user.
        "x-example": "me",
    }
}

EMAIL = text_schema(
    field_rules.EMAIL,
    format="email",
    description="Unique, regardless of case.",
    example="ada@example.com",
)
EMAIL_OF_ACCOUNT = text_schema(
    field_rules.EMAIL_LOOKUP,
    description="The email address of the account, in any case.",
    example="ada@example.com",
)
PASSWORD = text_schema(
    field_rules.PASSWORD,
    format="password",
    description="The user's password, exactly as it was set.",
    example="correct horse battery staple",
)
NEW_PASSWORD = text_schema(
    field_rules.PASSWORD,
    format="password",
    description="At least 15 characters unless configured otherwise; not common, breached or easy"
    " to guess, and not your name.",
    example="a stone bridge over the river",
)
EMAILED_TOKEN = text_schema(
    field_rules.EMAILED_TOKEN,
    description="The token from the email.",
    example="rso_AaH7G2h2dkSZNQAAAAAAAHRoaXMgaXMgbm8gcmVhbCB0b2tlbg",
)
OTP: dict[str, Any] = text_schema(
    field_rules.OTP,
    description="The code of the authenticator app, or a recovery code. Required if the user has a"
    " second factor, ignored otherwise.",
    example="123456",
)
DEVICE_TOKEN: dict[str, Any] = text_schema(
    field_rules.OPTIONAL_DEVICE_TOKEN,
    description="The `device_token` of an earlier sign-in on this device. An unknown one is"
    " ignored.",
    example="rdv_AaH7G2h2dkSZNQAAAAAAAHRoaXMgaXMgbm8gcmVhbCB0b2tlbga",
)
# Not an enumeration: the roles of the operator are settings, and the documents are the same for
# every service.
ROLE: dict[str, Any] = text_schema(field_rules.ROLE, example="user")
ROLES: dict[str, Any] = {
    "type": "array",
    "items": text_schema(field_rules.ROLE),
    "maxItems": MAX_ROLES,
    "uniqueItems": True,
    "example": ["user"],
}
NEXT_CURSOR = Text(
    required=True,
    nullable=True,
    description="Send it as `cursor` to get the next page; null on the last page",
    max_length=2048,
    example=None,
)


def roles_field(description: str) -> fields.List:
    """Return the field of a response that holds roles."""
    return fields.List(
        Text(pattern=field_rules.ROLE.pattern, max_length=field_rules.ROLE.max_length),
        required=True,
        description=description,
        max_items=MAX_ROLES,
        unique=True,
        example=["user"],
    )


def ip_field(description: str) -> Text:
    """Return the field of a response that holds an IP address."""
    return Text(
        required=True,
        nullable=True,
        description=description,
        pattern="^[0-9A-Fa-f:.]+$",
        max_length=45,
        example="192.0.2.7",
    )


user = Model(
    "User",
    {
        "id": text_field(
            field_rules.USER_ID,
            description="Time-ordered UUID; never changes",
            example=EXAMPLE_USER_ID,
        ),
        "username": text_field(
            field_rules.USERNAME,
            nullable=True,
            description="Unique, in lower case; null for a user without one",
            example="john",
        ),
        "email": Text(
            required=True,
            description="Unique, regardless of case",
            pattern="^[^@]+@[^@]+$",
            max_length=field_rules.EMAIL.max_length,
            example="john@example.com",
        ),
        "email_verified": fields.Boolean(
            required=True, description="Whether the email address is known to be the user's"
        ),
        "full_name": Text(
            required=True,
            nullable=True,
            description="The display name",
            max_length=field_rules.FULL_NAME.max_length,
            example="John Doe",
        ),
        "locale": text_field(
            field_rules.LOCALE,
            nullable=True,
            description="The language of pages and emails for the user: a language tag (BCP 47)",
            example="en-GB",
        ),
        "status": Text(
            required=True,
            description="Only an active user can sign in",
            enum=[status.value for status in Status],
        ),
        "roles": roles_field(
            "What the user may do: `admin`, `user`, `auditor`, `support` and the roles that the"
            " service is configured with"
        ),
        "metadata": Object(
            required=True,
            description="A JSON object of the user, who may change it: never decide about access by"
            " it",
            example={"team": "engines"},
        ),
        "app_metadata": Object(
            required=True,
            attribute="app_metadata_object",
            description="A JSON object that admins and clients write, and the user may read",
            example={"plan": "pro"},
        ),
        "external_id": text_field(
            field_rules.EXTERNAL_ID,
            nullable=True,
            description="The ID of the user in another system; unique",
            example="crm-1042",
        ),
        "created_at": Timestamp(required=True, description="When the user was registered"),
        "updated_at": Timestamp(
            required=True, description="When the user was last changed; sign-ins do not count"
        ),
        "last_login_at": Timestamp(
            required=True, nullable=True, description="Null until the first sign-in"
        ),
    },
)
opened_session = Model(
    "OpenedSession",
    {
        "id": text_field(
            field_rules.SESSION_ID, description="The ID of the session", example=EXAMPLE_SESSION_ID
        ),
        "token": text_field(
            field_rules.SESSION_TOKEN,
            description="Send it as `Authorization: Bearer <token>`",
            example=EXAMPLE_TOKEN,
        ),
        "expires_at": Timestamp(required=True, description="When it ends unless it is used"),
        "device_token": text_field(
            field_rules.DEVICE_TOKEN,
            nullable=True,
            description="Keep it on this device and send it with the next sign-in: failed attempts"
            " of others then do not lock this device out. It gives no access. Null if the user"
            " reauthenticated without one",
            example=DEVICE_TOKEN["example"],
        ),
        "user": fields.Nested(user, required=True),
    },
)


def opened_body(opened: OpenedSession) -> dict[str, Any]:
    """Return the response about a new session, for `opened_session` to serialize."""
    return {
        "id": opened.session.id,
        "token": opened.token,
        "expires_at": opened.session.expires_at,
        "device_token": opened.device_token,
        "user": opened.user,
    }


# What both `POST /v1/tokens` and `POST /oauth/token` return.
ACCESS_TOKEN_FIELDS = {
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
}
