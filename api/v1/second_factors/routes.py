"""Second factors: a code from an authenticator that signing in asks for besides the password."""

from typing import Any

import segno
from flask_restx import Namespace, Resource, fields

from api.auth import Principal, fresh, only_self, signed_in
from api.fields import Text, Timestamp
from api.openapi.annotations import problems
from api.rate_limits import limited
from api.responses import no_content
from api.schemas import USER_ID
from api.serialization import marshal_with
from api.services import second_factors
from api.validation import NO_NUL, body, refine
from models import RECOVERY_CODES, Policy

second_factor = Namespace(
    "second-factor",
    "A second factor: signing in then asks for a code besides the password, which an authenticator"
    " app shows (TOTP, RFC 6238), or for one of ten recovery codes. Each code works once.",
    path="/v1",
)

# Who confirms knows the secret. Whoever merely has the session must not guess a code (ASVS 6.6.3).
CONFIRMATIONS = Policy("second-factor-confirmations", quota=60)
_EXAMPLE_SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
_EXAMPLE_CODES = [f"mzxw-6ytb-oi2g-k3th-n5xw-4zz{letter}" for letter in "abcdefghij"]
# Four pixels a module make a square of some 5 cm, which a camera reads from a hand's breadth.
_PIXELS_PER_MODULE = 4

status = second_factor.model(
    "SecondFactorStatus",
    {
        "enabled": fields.Boolean(
            required=True, description="Whether signing in asks for a code", example=True
        ),
        "enabled_at": Timestamp(
            required=True, nullable=True, description="Since when; null if it does not"
        ),
        "recovery_codes_left": fields.Integer(
            required=True,
            description="How many recovery codes are not used yet",
            min=0,
            max=RECOVERY_CODES,
            example=RECOVERY_CODES,
        ),
    },
)
enrolment = second_factor.model(
    "SecondFactorEnrolment",
    {
        "secret": Text(
            required=True,
            description="For who types it into the authenticator; shown this once",
            pattern="^[A-Z2-7]+$",
            max_length=64,
            example=_EXAMPLE_SECRET,
        ),
        "uri": Text(
            required=True,
            description="The same as a URI, for who opens the authenticator by a link",
            pattern="^otpauth://totp/",
            max_length=512,
            example=f"otpauth://totp/Roster:john?secret={_EXAMPLE_SECRET}&issuer=Roster",
        ),
        "qr_svg": Text(
            required=True,
            description="The URI as a QR code, an SVG image to show on the page",
            pattern="^<svg ",
            max_length=16384,
            example='<svg xmlns="http://www.w3.org/2000/svg" width="180" height="180"></svg>',
        ),
    },
)
recovery_codes = second_factor.model(
    "RecoveryCodes",
    {
        "recovery_codes": fields.List(
            Text(
                description="One of them",
                pattern="^[a-z2-7]{4}(-[a-z2-7]{4}){5}$",
                max_length=29,
                example=_EXAMPLE_CODES[0],
            ),
            required=True,
            description="Each works once in place of a code of the authenticator; shown this once",
            min_items=RECOVERY_CODES,
            max_items=RECOVERY_CODES,
            unique=True,
            example=_EXAMPLE_CODES,
        )
    },
)
first_code = refine(
    second_factor,
    "SecondFactorConfirmation",
    {
        "properties": {
            "otp": {
                "type": "string",
                "maxLength": 64,
                **NO_NUL,
                "description": "The code that the authenticator shows.",
                "example": "123456",
            }
        },
        "required": ["otp"],
    },
)


@second_factor.route("/users/<id>/second-factor")
@second_factor.doc(params=USER_ID)
class SecondFactorItem(Resource):
    @second_factor.doc("get_second_factor")
    @signed_in
    @problems("user-not-found", "second-factor-missing")
    @marshal_with(status, description="Whether there is one")
    def get(self, id: str, caller: Principal) -> Any:
        """See whether a user has a second factor

        The user itself and admins may. The secret and the codes are shown to nobody.
        """
        return second_factors.status(caller.get_visible_user(id))

    @second_factor.doc("enrol_second_factor")
    @only_self
    @fresh
    @problems("second-factor-exists")
    @marshal_with(enrolment, code=201, description="What the authenticator has to learn")
    def post(self, id: str, caller: Principal) -> Any:
        """Begin to set up a second factor

        Signing in does not ask for it until it is confirmed with a first code. Beginning again
        replaces a secret that is not confirmed.
        """
        made = second_factors.enrol(caller.user, by=caller.actor)
        return {"secret": made.secret, "uri": made.uri, "qr_svg": _qr_code(made.uri)}, 201

    @second_factor.doc("disable_second_factor")
    @signed_in
    @fresh
    @problems("user-not-found", "second-factor-not-found", "second-factor-missing")
    @second_factor.response(204, "Signing in asks for no code any more")
    def delete(self, id: str, caller: Principal) -> Any:
        """Turn a second factor off

        The user may, and admins for users who have lost their device, with a fresh sign-in. The
        user is told by mail.
        """
        second_factors.disable(caller.get_visible_user(id), by=caller.actor)
        return no_content()


@second_factor.route("/users/<id>/second-factor/confirm")
@second_factor.doc(params=USER_ID)
class SecondFactorConfirmation(Resource):
    @second_factor.doc("confirm_second_factor")
    @only_self
    @body(first_code)
    @limited(CONFIRMATIONS)
    @problems("second-factor-not-found")
    @marshal_with(recovery_codes, description="The recovery codes, shown this once")
    def post(self, id: str, caller: Principal, payload: dict[str, Any]) -> Any:
        """Turn the second factor on with a first code

        From now on signing in asks for a code. Keep the recovery codes for the day the device is
        lost. The code that is sent here is used up.
        """
        return _shown(second_factors.confirm(caller.user, **payload, by=caller.actor))


@second_factor.route("/users/<id>/second-factor/recovery-codes")
@second_factor.doc(params=USER_ID)
class RecoveryCodes(Resource):
    @second_factor.doc("renew_recovery_codes")
    @only_self
    @fresh
    @problems("second-factor-not-found")
    @marshal_with(recovery_codes, description="The new recovery codes, shown this once")
    def post(self, id: str, caller: Principal) -> Any:
        """Get new recovery codes

        All the old ones stop working.
        """
        return _shown(second_factors.renew_recovery_codes(caller.user, by=caller.actor))


def _shown(codes: list[str]) -> dict[str, list[str]]:
    return {"recovery_codes": codes}


def _qr_code(uri: str) -> str:
    """The URI as an image, dark on light whatever the page's colours: cameras ask for that."""
    svg = segno.make_qr(uri, error="m").svg_inline(
        scale=_PIXELS_PER_MODULE,
        dark="#000",
        light="#fff",
        title="QR code for an authenticator",
        svgclass=None,
        lineclass=None,
    )
    # Shown as a file it needs the namespace that it has by itself within HTML.
    return svg.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" role="img" ', 1)
