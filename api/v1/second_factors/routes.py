"""The routes of second factors."""

from typing import Any

from flask_restx import Resource

from api import services
from api.auth import Principal, self_required, signed_in
from api.openapi.annotations import error_responses
from api.qr_code import qr_code
from api.rate_limits import SECOND_FACTOR_CONFIRMATIONS, rate_limited
from api.responses import no_content
from api.schemas import USER_ID
from api.serialization import marshal_with
from api.v1.second_factors.schemas import (
    confirmation,
    enrollment,
    recovery_codes,
    second_factors,
    status,
)
from api.validation import body
from models import Right
from models.errors import RecentAuthenticationRequired


@second_factors.route("/users/<id>/second-factor")
@second_factors.doc(params=USER_ID)
class SecondFactorItem(Resource):
    @second_factors.doc("get_second_factor")
    @signed_in()
    @error_responses("user-not-found", "second-factor-missing")
    @marshal_with(status, description="Whether the user has a second factor")
    def get(self, id: str, caller: Principal) -> Any:
        """Read the status of a user's second factor

        For the user, and for admins, support and auditors. The secret and the codes are never
        shown.
        """
        return services.second_factors.status(caller.get_visible_user(id))

    @second_factors.doc("enrol_second_factor")
    @self_required(recent=True, verified=True)
    @error_responses("second-factor-exists")
    @marshal_with(enrollment, code=201, description="The secret for the authenticator app")
    def post(self, id: str, caller: Principal) -> Any:
        """Enroll a second factor

        Signing in does not require it until it is confirmed with a first code. Enrolling again
        replaces an unconfirmed secret. Where emails are sent, the user's address must be verified
        before.
        """
        secret = services.second_factors.enroll(caller.user, by=caller.actor)
        return {"secret": secret.secret, "uri": secret.uri, "qr_svg": qr_code(secret.uri)}, 201

    @second_factors.doc("disable_second_factor")
    @signed_in(recent=True)
    @error_responses("user-not-found", "second-factor-not-found", "second-factor-missing")
    @second_factors.response(204, "Signing in no longer requires a code")
    def delete(self, id: str, caller: Principal) -> Any:
        """Disable a second factor

        For the user, and for admins when a user has lost the device. Requires recent
        authentication, of the user itself with a code. Every other session of the user ends, and
        the user is notified by email.
        """
        user = caller.get_controlled_user(id, Right.ADMINISTER)
        is_self = caller.is_self(id)
        if is_self and user.has_second_factor and not caller.session.used_second_factor:
            raise RecentAuthenticationRequired
        services.second_factors.disable(
            user, by=caller.actor, session=caller.session if is_self else None
        )
        return no_content()


@second_factors.route("/users/<id>/second-factor/confirm")
@second_factors.doc(params=USER_ID)
class SecondFactorConfirmation(Resource):
    @second_factors.doc("confirm_second_factor")
    @self_required()
    @body(confirmation)
    @rate_limited(SECOND_FACTOR_CONFIRMATIONS)
    @error_responses("second-factor-not-found")
    @marshal_with(recovery_codes, description="The recovery codes, shown only once")
    def post(self, id: str, caller: Principal, payload: dict[str, Any]) -> Any:
        """Enable the second factor with a first code

        From now on signing in requires a code, and every other session of the user ends. Keep the
        recovery codes for the loss of the device. The code of this request counts as used; a wrong
        one counts as a failed attempt to sign in. An enrollment can be confirmed for 10 minutes.
        If the response is lost, repeat the request in the same session with the same code within 10
        minutes: it shows the same recovery codes.
        """
        codes = services.second_factors.confirm(
            caller.user, **payload, by=caller.actor, session=caller.session
        )
        return _codes_body(codes)


@second_factors.route("/users/<id>/second-factor/recovery-codes")
@second_factors.doc(params=USER_ID)
class RecoveryCodes(Resource):
    @second_factors.doc("renew_recovery_codes")
    @self_required(recent=True)
    @error_responses("second-factor-not-found")
    @marshal_with(recovery_codes, description="The new recovery codes, shown only once")
    def post(self, id: str, caller: Principal) -> Any:
        """Renew the recovery codes

        All previous recovery codes become invalid, and every other session of the user ends.
        """
        codes = services.second_factors.renew_recovery_codes(
            caller.user, by=caller.actor, session=caller.session
        )
        return _codes_body(codes)


def _codes_body(codes: list[str]) -> dict[str, list[str]]:
    return {"recovery_codes": codes}
