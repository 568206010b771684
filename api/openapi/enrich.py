"""What Roster adds to the OpenAPI 3.1 that `convert` makes: the errors and headers of answers."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from api.openapi.convert import convert
from api.openapi.descriptions import DESCRIPTION, HEADERS
from api.openapi.examples import exemplify
from api.openapi.swagger import operations
from api.problems import MEDIA_TYPE, PROBLEMS, Problem

Json = dict[str, Any]

# The members that single problems are about, for their examples.
_AT_FAULT: Mapping[str, str] = {
    "email-taken": "/email",
    "username-taken": "/username",
    "invalid-cursor": "/cursor",
    "invalid-token": "/token",
    "invalid-request": "/username",
}
_BY_STATUS: Mapping[str, str] = {
    "401": "WWW-Authenticate",
    "429": "Retry-After",
    "503": "Retry-After",
}


def describe(annotated: Mapping[str, Any]) -> Json:
    """The OpenAPI 3.1 description out of the Swagger 2.0 one and its notes."""
    document = convert(annotated)
    document["info"]["description"] = DESCRIPTION
    # The description is for whoever calls the service from outside.
    document["servers"] = [
        {
            "url": "/",
            "description": "The service that this comes from, local or in production",
            "x-internal": False,
        }
    ]
    document["info"]["license"] = {"name": "MIT", "identifier": "MIT"}
    for (path, _, operation), (_, _, noted) in zip(
        operations(document), operations(annotated), strict=True
    ):
        limits = ("RateLimit-Policy", "RateLimit") if "x-limited" in noted else ()
        _add_headers(operation, path, noted.get("x-headers", {}), limits)
        _add_problems(operation, noted["x-problems"])
    components = document["components"]
    components["headers"] = HEADERS
    components["examples"] = dict(_examples(document))
    for schema in components["schemas"].values():
        for member in schema.get("properties", {}).values():
            _bound(member)
    exemplify(components["schemas"])
    return document


def _bound(member: Json) -> None:
    """Say of numbers and moments how long they are, which RESTX has no word for."""
    if member.get("type") == "integer":
        member["format"] = "int32"
    if member.get("format") == "date-time":
        member["maxLength"] = len("2026-01-02T03:04:05Z")


def _add_headers(
    operation: Json, path: str, of_success: Mapping[str, Any], of_limits: Sequence[str]
) -> None:
    for status, response in operation["responses"].items():
        names = ["X-Request-Id", "X-Content-Type-Options"]
        # Refusals of other kinds say nothing of limits: see api/rate_limits.py.
        if status < "400" or status == "429":
            names += of_limits
        if path.startswith("/v1/"):
            names.append("Cache-Control")
        if status < "400":
            names += of_success
        elif status in _BY_STATUS:
            names.append(_BY_STATUS[status])
        response["headers"] = {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _add_problems(operation: Json, slugs: list[str]) -> None:
    for slug in slugs:
        media = operation["responses"][str(PROBLEMS[slug].status)]["content"][MEDIA_TYPE]
        media.setdefault("examples", {})[slug] = {"$ref": f"#/components/examples/{slug}"}


def _examples(document: Json) -> Iterator[tuple[str, Json]]:
    """An example of each problem that an operation can answer with."""
    used = {
        slug
        for _, _, operation in operations(document)
        for response in operation["responses"].values()
        for slug in response.get("content", {}).get(MEDIA_TYPE, {}).get("examples", ())
    }
    for slug, problem in PROBLEMS.items():
        if slug in used:
            yield slug, _example(problem)


def _example(problem: Problem) -> Json:
    detail = f"{problem.title}."
    value: Json = {
        "type": problem.type,
        "title": problem.title,
        "status": problem.status,
        "detail": detail,
        "request_id": "5f2c8a1e9b7d4c30",
    }
    if problem.slug in _AT_FAULT:
        value["errors"] = [{"pointer": _AT_FAULT[problem.slug], "detail": detail}]
    return {"summary": problem.title, "description": problem.meaning, "value": value}
