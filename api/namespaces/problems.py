"""What the `type` of an error leads to."""

from typing import Any

from flask_restx import Namespace, Resource, fields

from api import describe
from api.errors import PROBLEMS, RequestError
from api.fields import Text
from api.marshalling import marshal_with

problems = Namespace("problems", "What the `type` of an error means", path="/problems")

explanation = problems.model(
    "ProblemType",
    {
        "type": Text(required=True, example="/problems/email-taken"),
        "status": fields.Integer(required=True, example=409),
        "title": Text(required=True),
        "meaning": Text(required=True, description="When it happens and what a client can do"),
    },
)


@problems.route("/<slug>")
@problems.doc(params={"slug": "The last part of the problem's `type`."})
class ProblemType(Resource):
    @describe.problems("not-found")
    @marshal_with(explanation)
    def get(self, slug: str) -> Any:
        """Explain a type of problem"""
        if slug not in PROBLEMS:
            raise RequestError("not-found", "There is no problem of this name.")
        return PROBLEMS[slug]
