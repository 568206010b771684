"""The schema of a user and of its id, which more than one namespace speaks."""

from flask_restx import Model, fields

from api.fields import Object, Text, Timestamp
from api.validation import NO_NUL
from models import USER_ID_PATTERN, USERNAME_PATTERN, Role, Status

# How a URL names a user.
USER_ID = {
    "id": {
        "description": "A user's id, or `me` for the signed-in user.",
        "pattern": f"^me$|{USER_ID_PATTERN}",
        "maxLength": 36,
        "x-example": "01a1fb07-5f9c-7229-8e0e-c7853035f505",
    }
}

EMAIL = {
    "type": "string",
    "maxLength": 254,
    "format": "email",
    "description": "Unique, whatever its case.",
    "example": "ada@example.com",
}
# Looked up, not stored: whatever could be an address may be asked about.
EMAIL_OF_ACCOUNT = {
    "type": "string",
    "maxLength": 254,
    "pattern": r"^[^@\x00]+@[^@\x00]+$",
    "description": "The address of the account, in whatever case.",
    "example": "ada@example.com",
    "x-rule": "It must be an e-mail address.",
}
NEW_PASSWORD = {
    "type": "string",
    "maxLength": 1024,
    **NO_NUL,
    "format": "password",
    "description": "15 characters or more unless configured otherwise, not common, not your name.",
    "example": "a stone bridge over the river",
}
MAILED_TOKEN = {
    "type": "string",
    "maxLength": 128,
    "pattern": "^[A-Za-z0-9_-]+$",
    "description": "Out of the mail.",
    "example": "rso_AaH7G2h2dkSZNQAAAAAAAHRoaXMgaXMgbm8gcmVhbCB0b2tlbg",
    "x-rule": "It must be letters, digits, underscores and hyphens.",
}

user = Model(
    "User",
    {
        "id": Text(
            required=True,
            description="Time-ordered UUID; never changes",
            pattern=USER_ID_PATTERN,
            max_length=36,
            example="01a1fb07-5f9c-7229-8e0e-c7853035f505",
        ),
        "username": Text(
            required=True,
            description="Unique, in lower case",
            pattern=USERNAME_PATTERN,
            min_length=3,
            max_length=32,
            example="john",
        ),
        "email": Text(
            required=True,
            description="Unique, whatever its case",
            pattern="^[^@]+@[^@]+$",
            max_length=254,
            example="john@example.com",
        ),
        "email_verified": fields.Boolean(
            required=True, description="Whether the address is known to be the user's"
        ),
        "full_name": Text(
            required=True,
            nullable=True,
            description="As the user wants to be called",
            max_length=200,
            example="John Doe",
        ),
        "status": Text(
            required=True,
            description="Only an active user can sign in",
            enum=[status.value for status in Status],
        ),
        "roles": fields.List(
            Text(enum=[role.value for role in Role]),
            required=True,
            description="What the user may do: an admin may see and change every user",
            max_items=len(Role),
            unique=True,
            example=["user"],
        ),
        "metadata": Object(
            required=True,
            description="A JSON object of the client's own",
            example={"team": "engines"},
        ),
        "created_at": Timestamp(required=True, description="When the user was registered"),
        "updated_at": Timestamp(required=True, description="The last change; not the last sign-in"),
        "last_login_at": Timestamp(
            required=True, nullable=True, description="Null until the first sign-in"
        ),
    },
)
