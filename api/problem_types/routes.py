"""What the `type` of an error leads to."""

from typing import Any

from flask_restx import Namespace, Resource, fields

from api.errors import RequestError
from api.fields import Text
from api.openapi import annotations
from api.problems import PROBLEMS
from api.serialization import marshal_with

problems = Namespace("problems", "What the `type` of an error means", path="/problems")

explanation = problems.model(
    "ProblemType",
    {
        "type": Text(
            required=True,
            description="The `type` of such a problem",
            pattern="^/problems/[a-z-]+$",
            max_length=64,
            example="/problems/email-taken",
        ),
        "status": fields.Integer(
            required=True, description="Its HTTP status", min=400, max=599, example=409
        ),
        "title": Text(
            required=True,
            description="What it is, in a few words",
            max_length=100,
            example="E-mail address is already in use",
        ),
        "meaning": Text(
            required=True,
            description="When it happens and what a client can do",
            max_length=500,
            example="There is an account with this address, in whatever case it is written.",
        ),
    },
)


@problems.route("/<slug>")
@problems.doc(
    params={
        "slug": {
            "description": "The last part of the problem's `type`.",
            "pattern": "^[a-z-]+$",
            "maxLength": 64,
            "x-example": "email-taken",
        }
    }
)
class ProblemType(Resource):
    @problems.doc("get_problem_type", security=[])
    @annotations.problems("not-found")
    @marshal_with(explanation, description="What the type means")
    def get(self, slug: str) -> Any:
        """Explain a type of problem

        The `type` of an error is the path of this page about it.
        """
        if slug not in PROBLEMS:
            raise RequestError("not-found", "There is no problem of this name.")
        return PROBLEMS[slug]
