"""What the namespace of accounts speaks: its schemas and the filters of its list."""

from typing import Any

from flask_restx import Namespace, fields

from api.fields import Text
from api.schemas import EMAIL, NEW_PASSWORD, user
from api.validation import NO_NUL, refine
from models import USERNAME_PATTERN, Role, Status

users = Namespace(
    "users",
    "Accounts: register, list, read, change, delete. A user name and an address belong to one user"
    " at a time, whatever their case. Admins see everybody; to others only they themselves exist.",
    path="/v1/users",
)

users.add_model(user.name, user)
page_of_users = users.model(
    "UserPage",
    {
        "items": fields.List(
            fields.Nested(user), required=True, description="Newest first", max_items=100
        ),
        "next_cursor": Text(
            required=True,
            nullable=True,
            description="Send it as `cursor` to get the next page; null on the last page",
            max_length=2048,
            example=None,
        ),
    },
)

USERNAME = {
    "type": "string",
    "minLength": 3,
    "maxLength": 32,
    "pattern": USERNAME_PATTERN,
    "description": "Unique; stored in lower case.",
    "example": "ada",
    "x-rule": "It must be letters (a-z), digits, dots, underscores or hyphens, and start with a"
    " letter or digit.",
}
CHANGEABLE: dict[str, dict[str, Any]] = {
    "username": USERNAME,
    "email": EMAIL,
    "full_name": {
        "type": "string",
        "maxLength": 200,
        # Neither control characters nor those that turn or hide text on a reader's screen.
        "pattern": r"^[^\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufeff]*$",
        "x-nullable": True,
        "x-rule": "It must not contain control characters.",
        "description": "As the user wants to be called.",
        "example": "Ada Lovelace",
    },
    "metadata": {
        "type": "object",
        "additionalProperties": True,
        "description": "A JSON object of your own, up to 4 KB.",
        "example": {"team": "engines"},
    },
}
ADMINISTERED: dict[str, dict[str, Any]] = {
    "roles": {
        "type": "array",
        "items": {"type": "string", "enum": [role.value for role in Role]},
        "maxItems": len(Role),
        "uniqueItems": True,
        "description": "Only an admin may set this.",
        "example": ["user"],
    },
    "status": {
        "type": "string",
        "enum": [Status.ACTIVE.value, Status.SUSPENDED.value],
        "description": "Only an admin may set this.",
        "example": "active",
    },
}
new_user = refine(
    users,
    "NewUser",
    {
        "properties": {**CHANGEABLE, "password": NEW_PASSWORD, **ADMINISTERED},
        "required": ["username", "email", "password"],
        "example": {
            "username": "ada",
            "email": "ada@example.com",
            "password": "a stone bridge over the river",
            "full_name": "Ada Lovelace",
            "metadata": {"team": "engines"},
        },
    },
)
user_patch = refine(
    users,
    "UserPatch",
    {
        "properties": {
            **CHANGEABLE,
            "metadata": {**CHANGEABLE["metadata"], "x-nullable": True},
            **ADMINISTERED,
        },
        "example": {"full_name": "Ada King", "metadata": {"team": None, "likes": "trains"}},
    },
)
password_change = refine(
    users,
    "PasswordChange",
    {
        "properties": {
            "current_password": {
                "type": "string",
                "maxLength": 1024,
                **NO_NUL,
                "format": "password",
                "description": "The one to be replaced.",
                "example": "correct horse battery staple",
            },
            "new_password": NEW_PASSWORD,
        },
        "required": ["current_password", "new_password"],
    },
)
FILTERS: dict[str, dict[str, Any]] = {
    "status": {
        "type": "string",
        "enum": [status.value for status in Status],
        "description": "Only users with this status.",
    },
    "role": {
        "type": "string",
        "enum": [role.value for role in Role],
        "description": "Only users with this role.",
    },
    "username": {"type": "string", "maxLength": 32, "description": "Exact, whatever its case."},
    "email": {"type": "string", "maxLength": 254, "description": "Exact, whatever its case."},
}
