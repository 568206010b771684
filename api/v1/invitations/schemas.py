"""The schemas of invitations."""

from flask_restx import Namespace, fields

from api.fields import Object, Text, Timestamp
from api.schemas import (
    EMAIL,
    EXAMPLE_USER_ID,
    NEW_PASSWORD,
    NEXT_CURSOR,
    ROLES,
    roles_field,
    text_field,
    text_schema,
    user,
)
from api.validation import strict_schema
from models import field_rules
from models.field_rules import any_case

invitations = Namespace(
    "invitations",
    "Invite an email address: its owner gets a link, chooses a password, and so creates the account"
    " that the invitation describes. Works while sign-up is closed. An invitation counts while the"
    " admin who sent it is an active admin, is accepted once, and expires"
    " (`ROSTER_INVITATION_LIFETIME`, 7 days by default).",
    path="/v1/invitations",
)

invitations.add_model(user.name, user)
# Not the address in the example of a new user: on the docs page both examples succeed.
_EXAMPLE_EMAIL = "grace@example.com"
_EXAMPLE_ID = "01a1fb08-1c52-7b1e-8f0a-6b3c9d2e5f47"
_STATUSES = ["pending", "expired"]
invitation = invitations.model(
    "Invitation",
    {
        "id": text_field(
            field_rules.INVITATION_ID,
            description="Time-ordered UUID; never changes. It is no secret",
            example=_EXAMPLE_ID,
        ),
        "email": Text(
            required=True,
            description="The invited address",
            pattern="^[^@]+@[^@]+$",
            max_length=field_rules.EMAIL.max_length,
            example=_EXAMPLE_EMAIL,
        ),
        "roles": roles_field("The roles that the user will have"),
        "app_metadata": Object(
            required=True,
            attribute="app_metadata_object",
            description="The `app_metadata` that the user will have",
            example={"plan": "pro"},
        ),
        "external_id": text_field(
            field_rules.EXTERNAL_ID,
            nullable=True,
            description="The ID that the user will have in another system",
            example="crm-1042",
        ),
        "locale": text_field(
            field_rules.LOCALE,
            nullable=True,
            description="The language of the email, and the one that the user will have",
            example="en-GB",
        ),
        "status": Text(
            required=True,
            description="`expired` can only be sent again or revoked. Expired invitations are"
            " removed after 30 days",
            enum=_STATUSES,
        ),
        "invited_by": text_field(
            field_rules.USER_ID,
            nullable=True,
            description="The admin who sent the last email, and who must be an active admin until"
            " it is accepted; null for the operator of the service",
            example=EXAMPLE_USER_ID,
        ),
        "created_at": Timestamp(required=True, description="When the first email was sent"),
        "sent_at": Timestamp(
            required=True, description="When the last email was sent, whose token is valid"
        ),
        "expires_at": Timestamp(required=True, description="Until when it can be accepted"),
    },
)
invitation_page = invitations.model(
    "InvitationPage",
    {
        "items": fields.List(
            fields.Nested(invitation), required=True, description="Newest first", max_items=100
        ),
        "next_cursor": NEXT_CURSOR,
    },
)
new_invitation = strict_schema(
    invitations,
    "NewInvitation",
    {
        "properties": {
            "email": {
                **EMAIL,
                "description": "No user may have it, and no pending invitation, regardless of"
                " case. Its domain may be closed to sign-ups.",
                "example": _EXAMPLE_EMAIL,
            },
            "roles": {
                **ROLES,
                "description": "The roles of the user; `user` by default. Those with rights over"
                " other accounts require recent authentication.",
            },
            "app_metadata": {
                "type": "object",
                "additionalProperties": True,
                "description": "The `app_metadata` of the user: a JSON object of up to 4 KB.",
                "example": {"plan": "pro"},
            },
            "external_id": text_schema(
                field_rules.EXTERNAL_ID,
                description="The ID of the user in another system; no user may have it.",
                example="crm-1042",
            ),
            "locale": text_schema(
                field_rules.LOCALE,
                description="The language of the email, and of the user: a language tag (BCP 47).",
                example="en-GB",
            ),
        },
        "required": ["email"],
        "example": {
            "email": _EXAMPLE_EMAIL,
            "roles": ["user"],
            "app_metadata": {"plan": "pro"},
        },
    },
)
acceptance = strict_schema(
    invitations,
    "InvitationAcceptance",
    {
        "properties": {
            "token": text_schema(
                field_rules.EMAILED_TOKEN,
                description="The token from the email.",
                example="roi_AaH7CBxSex6PCms8nS5fRwAAAAB0aGlzIGlzIG5vIHRva2Vu",
            ),
            "password": NEW_PASSWORD,
            "username": {
                **text_schema(
                    field_rules.USERNAME,
                    description="Unique; stored in lower case. `ROSTER_USERNAMES` can require it,"
                    " or turn it off.",
                    example="ada",
                ),
                "x-nullable": True,
            },
            "full_name": {
                **text_schema(
                    field_rules.FULL_NAME, description="The display name.", example="Ada Lovelace"
                ),
                "x-nullable": True,
            },
            "locale": {
                **text_schema(
                    field_rules.LOCALE,
                    description="The language of the user, if the invitation has none: a language"
                    " tag (BCP 47).",
                    example="en-GB",
                ),
                "x-nullable": True,
            },
        },
        "required": ["token", "password"],
    },
)
INVITATION_ID = {
    "invitation_id": {
        "description": "The ID of an invitation.",
        "pattern": any_case(field_rules.INVITATION_ID.pattern),
        "maxLength": field_rules.INVITATION_ID.max_length,
        "x-example": _EXAMPLE_ID,
    }
}
