"""The routes of email verification."""

from typing import Any

from flask_restx import Resource

from api.auth import Principal, anonymous_actor, session_accepted
from api.lanes import hashes_password
from api.openapi.annotations import error_responses
from api.rate_limits import EMAIL_REQUESTS, EMAILED_TOKENS, rate_limited
from api.responses import accepted, no_content
from api.services import email_verification
from api.v1.email_verifications.schemas import (
    email_verifications,
    verification,
    verification_request,
)
from api.validation import body


@email_verifications.route("")
class EmailVerifications(Resource):
    @email_verifications.doc("request_email_verification", security=[])
    @body(verification_request)
    @rate_limited(EMAIL_REQUESTS)
    @error_responses("mail-not-configured")
    @email_verifications.response(202, "If the address is not verified yet, an email will be sent")
    def post(self, payload: dict[str, Any]) -> Any:
        """Request a verification email

        The response is the same whether an account has the address or not. For a new address that
        is still pending, set the user's `email` to it again instead.
        """
        email_verification.request(**payload, by=anonymous_actor())
        return accepted()


@email_verifications.route("/confirm")
class EmailConfirmation(Resource):
    @hashes_password
    @email_verifications.doc("confirm_email")
    @session_accepted()
    @body(verification)
    @rate_limited(EMAILED_TOKENS)
    @error_responses("invalid-token", "email-taken", "invalid-credentials")
    @email_verifications.response(204, "The email address is verified")
    def post(self, caller: Principal | None, payload: dict[str, Any]) -> Any:
        """Verify an email address with the emailed token

        A pending new address becomes the user's address; the old one is notified. Requires a
        session of the account, or its password: another person may have registered it with this
        address. Repeating the request succeeds without effect while the address is still the user's
        verified one, for as long as the token would have been valid.
        """
        by = caller.actor if caller else anonymous_actor()
        email_verification.confirm(**payload, by=by)
        return no_content()
