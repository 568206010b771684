"""Swagger 2.0 from RESTX, put in order, with what RESTX cannot say.

Decorators leave notes for both descriptions in vendor extensions. `annotated` still has them, for
OpenAPI 3.1; `plain` is Swagger 2.0 without them.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from flask_restx import Api

from api.oauth_errors import ERRORS, STATUSES, oauth_error_schema
from api.problems import MEDIA_TYPE, PROBLEMS, problem_member_schema, problem_schema

Json = dict[str, Any]

# The order in which a reader wants the operations of a path.
_METHODS = ("get", "post", "put", "patch", "delete")
_PROBLEM = {"$ref": f"#/definitions/{problem_schema.name}"}
_OAUTH_ERROR = {"$ref": f"#/definitions/{oauth_error_schema.name}"}
# What the notes are called, here and in `api/openapi/annotations.py`.
_NOTES = (
    "x-openapi",
    "x-problems",
    "x-oauth-errors",
    "x-headers",
    "x-limited",
    "x-produces",
    "x-consumes",
)


def annotated(api: Api) -> Json:
    """The description with every note in it.

    RESTX keeps methods in a set, whose order differs from process to process, and with it the
    order of everything that it meets on the way.
    """
    document: Json = api.__schema__
    for schema in (problem_schema, problem_member_schema, oauth_error_schema):
        document["definitions"][schema.name] = schema.__schema__
    document["definitions"] = dict(sorted(document["definitions"].items()))
    # RESTX describes how it answers to bad field masks, which are switched off.
    document.pop("responses", None)
    for path in document["paths"].values():
        operations = {method: path.pop(method) for method in _METHODS if method in path}
        path.update(operations)
        for operation in operations.values():
            if "x-oauth-errors" in operation:
                _add_oauth_errors(operation)
            else:
                _amend(operation)
    return document


def plain(document: Mapping[str, Any]) -> Json:
    """The description without notes."""
    kept: Json = _without_notes(document)
    return kept


def operations(document: Mapping[str, Any]) -> Iterator[tuple[str, str, Json]]:
    """Every operation of a description as path, method and its documentation."""
    for path, item in document["paths"].items():
        for method in _METHODS:
            if method in item:
                yield path, method, item[method]


def _amend(operation: Json) -> None:
    if "x-consumes" in operation:
        operation["consumes"] = operation["x-consumes"]
    operation["produces"] = ["application/json", MEDIA_TYPE]
    # Whatever a view does, it can fail.
    noted = {*operation.get("x-problems", ()), "internal-error"}
    problems = [problem for slug, problem in PROBLEMS.items() if slug in noted]
    operation["x-problems"] = [problem.slug for problem in problems]
    responses = operation["responses"]
    for success in responses.values():
        success["x-produces"] = ["application/json"]
    for status in {problem.status for problem in problems}:
        titles = [f"`{each.slug}`: {each.title}" for each in problems if each.status == status]
        responses[str(status)] = {
            "description": "; ".join(titles),
            "schema": _PROBLEM,
            "x-produces": [MEDIA_TYPE],
        }
    operation["responses"] = dict(sorted(responses.items()))


def _add_oauth_errors(operation: Json) -> None:
    """Add the errors that an endpoint of OAuth has, and those that each of them has."""
    operation["consumes"] = ["application/x-www-form-urlencoded"]
    operation["produces"] = ["application/json"]
    operation["x-problems"] = []
    responses = operation["responses"]
    noted: dict[str, list[str]] = {}
    for error in ERRORS:
        for status in STATUSES[error]:
            if error in operation["x-oauth-errors"] or status not in (400, 403):
                noted.setdefault(str(status), []).append(error)
    for code, errors in noted.items():
        responses[code] = {
            "description": "; ".join(f"`{error}`: {ERRORS[error]}" for error in errors),
            "schema": _OAUTH_ERROR,
        }
    operation["x-oauth-errors"] = noted
    operation["responses"] = dict(sorted(responses.items()))


def _without_notes(part: Any) -> Any:
    if isinstance(part, Mapping):
        return {name: _without_notes(value) for name, value in part.items() if name not in _NOTES}
    return [_without_notes(each) for each in part] if isinstance(part, list) else part
