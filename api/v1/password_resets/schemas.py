"""The schemas of password resets."""

from flask_restx import Namespace

from api.schemas import EMAIL_OF_ACCOUNT, EMAILED_TOKEN, NEW_PASSWORD
from api.validation import strict_schema

password_resets = Namespace(
    "password-resets",
    "Reset a forgotten password. A token is emailed to the address of the account; it works once,"
    " for some minutes, until the password changes.",
    path="/v1/password-resets",
)

reset_request = strict_schema(
    password_resets,
    "PasswordResetRequest",
    {"properties": {"email": EMAIL_OF_ACCOUNT}, "required": ["email"]},
)
reset = strict_schema(
    password_resets,
    "PasswordReset",
    {
        "properties": {
            "token": EMAILED_TOKEN,
            "new_password": NEW_PASSWORD,
            "revoke_api_keys": {
                "type": "boolean",
                "description": "Whether to revoke every API key, too; by default they stay valid.",
                "example": True,
            },
        },
        "required": ["token", "new_password"],
    },
)
