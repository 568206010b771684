"""The schema of an explanation of a problem type."""

from flask_restx import Namespace, fields

from api.fields import Text
from api.problems import MAX_TYPE_LENGTH, TYPE_PATTERN

problem_types = Namespace("problems", "What the `type` of an error means", path="/problems")

explanation = problem_types.model(
    "ProblemType",
    {
        "type": Text(
            required=True,
            description="The `type` of the problem",
            pattern=TYPE_PATTERN,
            max_length=MAX_TYPE_LENGTH,
            example="/problems/email-taken",
        ),
        "status": fields.Integer(
            required=True, description="Its HTTP status", min=400, max=599, example=409
        ),
        "title": Text(
            required=True,
            description="A short summary of the problem type",
            max_length=100,
            example="Email address is already in use",
        ),
        "meaning": Text(
            required=True,
            description="When it happens and what a client can do",
            max_length=500,
            example="There is already an account with this email address, regardless of case.",
        ),
    },
)
explanation_list = problem_types.model(
    "ProblemTypeList",
    {
        "items": fields.List(
            fields.Nested(explanation),
            required=True,
            description="All problem types, by status",
            max_items=100,
        )
    },
)
