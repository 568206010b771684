"""The schemas of second factors."""

from flask_restx import Namespace, fields

from api.fields import Text, Timestamp
from api.schemas import text_schema
from api.validation import strict_schema
from models import RECOVERY_CODES, field_rules

second_factors = Namespace(
    "second-factor",
    "A second factor: signing in then requires a code besides the password, either from an"
    " authenticator app (TOTP, RFC 6238) or one of ten recovery codes. Each code works once.",
    path="/v1",
)

_EXAMPLE_SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
_EXAMPLE_CODES = [f"mzxw-6ytb-oi2g-k3th-n5xw-4zz{letter}" for letter in "abcdefghij"]

status = second_factors.model(
    "SecondFactorStatus",
    {
        "enabled": fields.Boolean(
            required=True, description="Whether signing in requires a code", example=True
        ),
        "enabled_at": Timestamp(
            required=True, nullable=True, description="When it was enabled; null if it is not"
        ),
        "recovery_codes_left": fields.Integer(
            required=True,
            description="The number of unused recovery codes",
            min=0,
            max=RECOVERY_CODES,
            example=RECOVERY_CODES,
        ),
    },
)
enrollment = second_factors.model(
    "SecondFactorEnrolment",
    {
        "secret": Text(
            required=True,
            description="For manual entry in the authenticator app; shown only once",
            pattern="^[A-Z2-7]+$",
            max_length=64,
            example=_EXAMPLE_SECRET,
        ),
        "uri": Text(
            required=True,
            description="The secret as a URI, which opens the authenticator app",
            pattern="^otpauth://totp/",
            max_length=512,
            example=f"otpauth://totp/Roster:john?secret={_EXAMPLE_SECRET}&issuer=Roster",
        ),
        "qr_svg": Text(
            required=True,
            description="The URI as a QR code, an SVG image to show on the page",
            pattern="^<svg ",
            max_length=16384,
            example='<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 180 180"></svg>',
        ),
    },
)
recovery_codes = second_factors.model(
    "RecoveryCodes",
    {
        "recovery_codes": fields.List(
            Text(
                description="One recovery code",
                pattern="^[a-z2-7]{4}(-[a-z2-7]{4}){5}$",
                max_length=29,
                example=_EXAMPLE_CODES[0],
            ),
            required=True,
            description="Each replaces a code of the authenticator app once; shown only once",
            min_items=RECOVERY_CODES,
            max_items=RECOVERY_CODES,
            unique=True,
            example=_EXAMPLE_CODES,
        )
    },
)
confirmation = strict_schema(
    second_factors,
    "SecondFactorConfirmation",
    {
        "properties": {
            "otp": text_schema(
                field_rules.OTP,
                description="The code that the authenticator app shows.",
                example="123456",
            )
        },
        "required": ["otp"],
    },
)
