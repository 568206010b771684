"""Confirming an address: ask for a mail, bring its token back."""

from typing import Any

from flask_restx import Namespace, Resource

from api.auth import actor_of
from api.openapi.annotations import problems
from api.rate_limits import MAIL_REQUESTS, MAILED_TOKENS, limited
from api.responses import accepted, no_content
from api.schemas import EMAIL_OF_ACCOUNT, MAILED_TOKEN
from api.services import email_verification
from api.validation import body, refine

email_verifications = Namespace(
    "email-verifications",
    "Show that an address is one's own. A token is mailed to it; a new address takes the place of"
    " the old one when its token comes back.",
    path="/v1/email-verifications",
)

verification_request = refine(
    email_verifications,
    "EmailVerificationRequest",
    {"properties": {"email": EMAIL_OF_ACCOUNT}, "required": ["email"]},
)
verification = refine(
    email_verifications,
    "EmailVerification",
    {"properties": {"token": MAILED_TOKEN}, "required": ["token"]},
)


@email_verifications.route("")
class EmailVerifications(Resource):
    @email_verifications.doc("request_email_verification", security=[])
    @body(verification_request)
    @limited(MAIL_REQUESTS)
    @problems("mail-not-configured")
    @email_verifications.response(202, "If it is to be confirmed, a mail is on its way")
    def post(self, payload: dict[str, Any]) -> Any:
        """Ask for a mail to confirm an address

        The answer is the same whether an account has the address or not. For a new address that
        waits to be confirmed, change the user's `email` to it once more instead.
        """
        email_verification.start(**payload, by=actor_of(None))
        return accepted()


@email_verifications.route("/confirm")
class EmailConfirmation(Resource):
    @email_verifications.doc("confirm_email", security=[])
    @body(verification)
    @limited(MAILED_TOKENS)
    @problems("invalid-token", "email-taken")
    @email_verifications.response(204, "The address is confirmed")
    def post(self, payload: dict[str, Any]) -> Any:
        """Confirm an address by the token out of the mail

        An address that the user wants to change to is the user's from now on; the old one is told.
        """
        email_verification.finish(**payload, by=actor_of(None))
        return no_content()
