"""The routes that explain problem types."""

from dataclasses import asdict
from typing import Any

from flask import current_app
from flask_restx import Resource

from api.errors import BASE_URL, RequestError
from api.openapi.annotations import error_responses
from api.problem_types.schemas import explanation, explanation_list, problem_types
from api.problems import PROBLEMS, Problem
from api.serialization import marshal_with


@problem_types.route("")
class ProblemTypes(Resource):
    @problem_types.doc("list_problem_types", security=[])
    @error_responses("busy")
    @marshal_with(explanation_list, description="All problem types")
    def get(self) -> Any:
        """List the problem types

        A browser gets a page.
        """
        return {"items": list(map(_explained, PROBLEMS.values()))}


@problem_types.route("/<slug>")
@problem_types.doc(
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
    @problem_types.doc("get_problem_type", security=[])
    @error_responses("not-found", "busy")
    @marshal_with(explanation, description="What the type means")
    def get(self, slug: str) -> Any:
        """Explain a problem type

        The `type` of an error is the URL of this resource. A browser gets a page.
        """
        if slug not in PROBLEMS:
            raise RequestError("not-found", "There is no problem with this name.")
        return _explained(PROBLEMS[slug])


def _explained(problem: Problem) -> dict[str, Any]:
    return {**asdict(problem), "type": problem.uri(current_app.config[BASE_URL])}
