"""The schemas of statistics."""

from typing import Any

from flask_restx import Namespace, fields

from models import MAX_DAYS

statistics = Namespace(
    "statistics",
    "How many users there are, and how many sign-ups and sign-ins each day had. Counting costs no"
    " request a round trip, so the numbers of a killed process can be a few seconds short.",
    path="/v1/statistics",
)

DAYS: dict[str, Any] = {
    "type": "integer",
    "format": "int32",
    "minimum": 1,
    "maximum": MAX_DAYS,
    "default": 30,
    "description": "How many days, today included.",
}


def _number(description: str, example: int) -> fields.Integer:
    return fields.Integer(
        required=True, min=0, max=2**53 - 1, description=description, example=example
    )


day_counts = statistics.model(
    "DayCounts",
    {
        "date": fields.Date(required=True, description="The day, in UTC", example="2026-11-28"),
        "sign_ups": _number(
            "Created accounts, also by admins and operators; imported ones are not counted", 12
        ),
        "sign_ins": _number("New sessions; reauthentication is not counted", 340),
        "failed_sign_ins": _number(
            "Rejected attempts to sign in or to reauthenticate: an unknown login, a wrong password"
            " or code, or a user who may not sign in. Attempts during a lockout and over a quota"
            " are not counted",
            25,
        ),
    },
)
counts = statistics.model(
    "Statistics",
    {
        "users": _number(
            "How many users there are, suspended ones included. DynamoDB updates this number about"
            " every six hours",
            1204,
        ),
        "days": fields.List(
            fields.Nested(day_counts),
            required=True,
            description="The last days, today first, also those on which nothing happened",
            max_items=MAX_DAYS,
        ),
    },
)
