"""The schemas of users and the filters of their list."""

from typing import Any

from flask_restx import Namespace, fields

from api.schemas import EMAIL, NEW_PASSWORD, NEXT_CURSOR, PASSWORD, ROLE, ROLES, text_schema, user
from api.validation import strict_schema
from models import Status, field_rules

users = Namespace(
    "users",
    "Accounts: register, list, read, update, delete. A username and an email address belong to one"
    " user at a time, regardless of case. Admins, support and auditors see every user; other users"
    " see only themselves.",
    path="/v1/users",
)

users.add_model(user.name, user)
user_page = users.model(
    "UserPage",
    {
        "items": fields.List(
            fields.Nested(user),
            required=True,
            description="Newest first; with `q`, in alphabetical order",
            max_items=100,
        ),
        "next_cursor": NEXT_CURSOR,
    },
)

_FULL_NAME = text_schema(
    field_rules.FULL_NAME, description="The display name.", example="Ada Lovelace"
)
_LOCALE = text_schema(
    field_rules.LOCALE,
    description="The language of pages and emails for the user: a language tag (BCP 47) in any"
    " case; null for the language of the browser.",
    example="en-GB",
)
# The fields that a user may set.
USER_FIELDS: dict[str, dict[str, Any]] = {
    "username": {
        **text_schema(
            field_rules.USERNAME,
            description="Unique; stored in lower case. Null or absent for a user without one."
            " `ROSTER_USERNAMES` can require it, or turn it off.",
            example="ada",
        ),
        "x-nullable": True,
    },
    "email": EMAIL,
    "full_name": {**_FULL_NAME, "x-nullable": True},
    "locale": {**_LOCALE, "x-nullable": True},
    "metadata": {
        "type": "object",
        "additionalProperties": True,
        "description": "A JSON object, up to 4 KB, that the user may change: never decide about"
        " access by it.",
        "example": {"team": "engines"},
    },
}
# The fields that only an admin or a client may set.
MANAGED_FIELDS: dict[str, dict[str, Any]] = {
    "app_metadata": {
        "type": "object",
        "additionalProperties": True,
        "description": "A JSON object of your own, up to 4 KB, that the user may read. Only an"
        " admin or a client may set this.",
        "example": {"plan": "pro"},
    },
    "external_id": {
        **text_schema(
            field_rules.EXTERNAL_ID,
            description="The ID of the user in another system; unique, and compared to the letter."
            " Only an admin or a client may set this.",
            example="crm-1042",
        ),
        "x-nullable": True,
    },
}
# The fields that decide about rights.
ADMIN_FIELDS: dict[str, dict[str, Any]] = {
    "roles": {
        **ROLES,
        "description": "`admin`, `user`, `auditor`, `support` or a role that the service is"
        " configured with (`ROSTER_ROLES`). Only an admin may set this.",
    },
    "status": {
        "type": "string",
        "enum": [Status.ACTIVE.value, Status.SUSPENDED.value],
        "description": "Only an admin may set this, or support for users who are no admins.",
        "example": "active",
    },
    "email_verified": {
        "type": "boolean",
        "description": "Whether the email address is known to be the user's. Only an admin may set"
        " this.",
    },
}
new_user = strict_schema(
    users,
    "NewUser",
    {
        "properties": {
            **USER_FIELDS,
            "password": NEW_PASSWORD,
            **MANAGED_FIELDS,
            **ADMIN_FIELDS,
        },
        "required": ["email", "password"],
        "example": {
            "username": "ada",
            "email": "ada@example.com",
            "password": "a stone bridge over the river",
            "full_name": "Ada Lovelace",
            "metadata": {"team": "engines"},
        },
    },
)
user_patch = strict_schema(
    users,
    "UserPatch",
    {
        "properties": {
            **USER_FIELDS,
            "metadata": {**USER_FIELDS["metadata"], "x-nullable": True},
            **MANAGED_FIELDS,
            "app_metadata": {**MANAGED_FIELDS["app_metadata"], "x-nullable": True},
            **ADMIN_FIELDS,
        },
        "example": {"full_name": "Ada King", "metadata": {"team": None, "likes": "trains"}},
    },
)
password_change = strict_schema(
    users,
    "PasswordChange",
    {
        "properties": {
            "current_password": {**PASSWORD, "description": "The password to replace."},
            "new_password": NEW_PASSWORD,
        },
        "required": ["current_password", "new_password"],
    },
)
FILTERS: dict[str, dict[str, Any]] = {
    "q": text_schema(
        field_rules.SEARCH,
        description="Only users whose username, email address or a word of whose name begins with"
        " this text, regardless of case and accents; at least two characters. They are listed in"
        " the alphabetical order of what begins with it.",
        example="ada l",
    ),
    "status": {
        "type": "string",
        "enum": [status.value for status in Status],
        "description": "Only users with this status.",
    },
    "role": {**ROLE, "description": "Only users with this role."},
    "username": text_schema(
        field_rules.USERNAME, description="An exact match, regardless of case.", example="john"
    ),
    "email": text_schema(
        field_rules.EMAIL_LOOKUP,
        description="An exact match, regardless of case.",
        example="john@example.com",
    ),
    "external_id": text_schema(
        field_rules.EXTERNAL_ID, description="An exact match, by case.", example="crm-1042"
    ),
}
