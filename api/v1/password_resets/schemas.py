"""The schemas of password resets."""

from flask_restx import Namespace

from api.schemas import (
    DEVICE_TOKEN,
    EMAIL_OF_ACCOUNT,
    EMAILED_TOKEN,
    NEW_PASSWORD,
    OTP,
    opened_session,
    user,
)
from api.validation import strict_schema

password_resets = Namespace(
    "password-resets",
    "Reset a forgotten password. A token is emailed to the address of the account; it works once,"
    " for some minutes, until the password changes.",
    path="/v1/password-resets",
)
password_resets.add_model(user.name, user)
password_resets.add_model(opened_session.name, opened_session)

reset_request = strict_schema(
    password_resets,
    "PasswordResetRequest",
    {
        "properties": {"email": EMAIL_OF_ACCOUNT, "device_token": DEVICE_TOKEN},
        "required": ["email"],
    },
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
            "sign_in": {
                "type": "boolean",
                "description": "Whether to sign the user in, too.",
                "example": True,
            },
            "otp": {
                **OTP,
                "description": "The code of the authenticator app, or a recovery code. Required to"
                " sign in if the user has a second factor, ignored otherwise.",
            },
            "device_token": DEVICE_TOKEN,
        },
        "required": ["token", "new_password"],
    },
)
