"""Resetting a forgotten password: ask for a mail, bring its token back."""

from typing import Any

from flask_restx import Namespace, Resource

from api.auth import actor_of
from api.openapi.annotations import problems
from api.rate_limits import MAIL_REQUESTS, MAILED_TOKENS, limited
from api.responses import accepted, no_content
from api.schemas import EMAIL_OF_ACCOUNT, MAILED_TOKEN, NEW_PASSWORD
from api.services import passwords
from api.validation import body, refine

password_resets = Namespace(
    "password-resets",
    "Reset a forgotten password. A token is mailed to the address of the account; it works once,"
    " for some minutes, until the password changes.",
    path="/v1/password-resets",
)

reset_request = refine(
    password_resets,
    "PasswordResetRequest",
    {"properties": {"email": EMAIL_OF_ACCOUNT}, "required": ["email"]},
)
reset = refine(
    password_resets,
    "PasswordReset",
    {
        "properties": {"token": MAILED_TOKEN, "new_password": NEW_PASSWORD},
        "required": ["token", "new_password"],
    },
)


@password_resets.route("")
class PasswordResets(Resource):
    @password_resets.doc("request_password_reset", security=[])
    @body(reset_request)
    @limited(MAIL_REQUESTS)
    @problems("mail-not-configured")
    @password_resets.response(202, "If an account has the address, a mail is on its way")
    def post(self, payload: dict[str, Any]) -> Any:
        """Ask for a mail to reset a password

        The answer is the same whether an account has the address or not. It works while the
        account is locked, too.
        """
        passwords.start_reset(**payload, by=actor_of(None))
        return accepted()


@password_resets.route("/confirm")
class PasswordResetConfirmation(Resource):
    @password_resets.doc("confirm_password_reset", security=[])
    @body(reset)
    @limited(MAILED_TOKENS)
    @problems("invalid-token", "busy")
    @password_resets.response(204, "The password is set")
    def post(self, payload: dict[str, Any]) -> Any:
        """Set a new password by the token out of the mail

        Every session of the user ends and a lock after failed sign-ins is lifted. Nobody is signed
        in by this: who has a second factor needs it as ever.
        """
        passwords.finish_reset(**payload, by=actor_of(None))
        return no_content()
