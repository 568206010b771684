"""The schemas of email verification."""

from flask_restx import Namespace

from api.schemas import EMAIL_OF_ACCOUNT, EMAILED_TOKEN, PASSWORD
from api.validation import strict_schema

email_verifications = Namespace(
    "email-verifications",
    "Verify an email address. A token is emailed to it; a new address replaces the old one once"
    " its token is confirmed.",
    path="/v1/email-verifications",
)

verification_request = strict_schema(
    email_verifications,
    "EmailVerificationRequest",
    {"properties": {"email": EMAIL_OF_ACCOUNT}, "required": ["email"]},
)
verification = strict_schema(
    email_verifications,
    "EmailVerification",
    {
        "properties": {
            "token": EMAILED_TOKEN,
            "password": {
                **PASSWORD,
                "description": "The password of the account; not needed in one of its sessions.",
            },
        },
        "required": ["token"],
    },
)
