"""The routes of password resets."""

from typing import Any

from flask_restx import Resource

from api.auth import anonymous_actor
from api.client import client
from api.lanes import hashes_password
from api.openapi.annotations import error_responses
from api.rate_limits import EMAIL_REQUESTS, EMAILED_TOKENS, rate_limited
from api.responses import accepted, no_content
from api.schemas import opened_body, opened_session
from api.serialization import marshal_with
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
        lockout of the account. Requests with the `device_token` of an earlier sign-in have a quota
        of their own, so that requests of others do not use up that of the user.
        """
        passwords.request_reset(**payload, by=anonymous_actor())
        return accepted()


@password_resets.route("/confirm")
class PasswordResetConfirmation(Resource):
    @hashes_password
    @password_resets.doc("confirm_password_reset", security=[])
    @body(reset)
    @rate_limited(EMAILED_TOKENS)
    @error_responses("invalid-token", "second-factor-required", "hook-failed")
    @password_resets.response(204, "The password is set")
    @marshal_with(opened_session, code=201, description="The password is set; the new session")
    def post(self, payload: dict[str, Any]) -> Any:
        """Reset the password with the emailed token

        Every session of the user ends, every device token becomes invalid, and a lockout after
        failed sign-ins ends. With `sign_in` the response is that of `POST /v1/sessions`; a user
        with a second factor needs a code for that. Without a correct one nothing changes, and the
        token stays valid; likewise if the operator refuses the sign-in, with 422 and a reason. If
        the address was not verified before, every API key is revoked and the second factor removed:
        another person may have registered the account.
        """
        signs_in = payload.pop("sign_in", False)
        # The reset voids it, like every other.
        payload.pop("device_token", None)
        opened = passwords.reset_password(
            **payload, sign_in=client() if signs_in else None, by=anonymous_actor()
        )
        return (opened_body(opened), 201) if opened else no_content()
