"""The routes of password resets."""

from typing import Any

from flask_restx import Resource

from api.auth import anonymous_actor
from api.lanes import hashes_password
from api.openapi.annotations import error_responses
from api.rate_limits import EMAIL_REQUESTS, EMAILED_TOKENS, rate_limited
from api.responses import accepted, no_content
from api.services import passwords
from api.v1.password_resets.schemas import password_resets, reset, reset_request
from api.validation import body


@password_resets.route("")
class PasswordResets(Resource):
    @password_resets.doc("request_password_reset", security=[])
    @body(reset_request)
    @rate_limited(EMAIL_REQUESTS)
    @error_responses("mail-not-configured")
    @password_resets.response(202, "If an account has the address, an email will be sent")
    def post(self, payload: dict[str, Any]) -> Any:
        """Request a password reset email

        The response is the same whether an account has the address or not. It also works during a
        lockout of the account.
        """
        passwords.request_reset(**payload, by=anonymous_actor())
        return accepted()


@password_resets.route("/confirm")
class PasswordResetConfirmation(Resource):
    @hashes_password
    @password_resets.doc("confirm_password_reset", security=[])
    @body(reset)
    @rate_limited(EMAILED_TOKENS)
    @error_responses("invalid-token")
    @password_resets.response(204, "The password is set")
    def post(self, payload: dict[str, Any]) -> Any:
        """Reset the password with the emailed token

        Every session of the user ends, and so does a lockout after failed sign-ins. This signs
        no user in: a user with a second factor still needs it to sign in. If the address was not
        verified before, every API key is revoked and the second factor removed: another person may
        have registered the account.
        """
        passwords.reset_password(**payload, by=anonymous_actor())
        return no_content()
