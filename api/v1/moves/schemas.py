"""The schema of moves."""

from flask_restx import Namespace

from api.schemas import EMAIL_OF_ACCOUNT, EXAMPLE_USER_ID, text_schema
from api.validation import strict_schema
from models import field_rules
from models.field_rules import any_case

moves = Namespace(
    "moves",
    "Merge duplicates: move a username or an email address from one user to another.",
    path="/v1/users",
)

name_move = strict_schema(
    moves,
    "NameMove",
    {
        "properties": {
            "from": {
                **text_schema(
                    field_rules.USER_ID,
                    description="The ID of the user who has the email address or the username.",
                    example=EXAMPLE_USER_ID,
                ),
                "pattern": any_case(field_rules.USER_ID.pattern),
                "x-rule": "It must be the ID of a user.",
            },
            "email": {
                **EMAIL_OF_ACCOUNT,
                "description": "The email address to move, in any case: that of the user in `from`"
                " at present. It requires `delete_source`.",
            },
            "username": text_schema(
                field_rules.USERNAME,
                description="The username to move, in any case: that of the user in `from` at"
                " present.",
                example="ada",
            ),
            "delete_source": {
                "type": "boolean",
                "description": "Whether to delete the user in `from` in the same transaction.",
                "default": False,
            },
        },
        "required": ["from"],
        "example": {
            "from": EXAMPLE_USER_ID,
            "email": "ada@example.com",
            "delete_source": True,
        },
    },
)
