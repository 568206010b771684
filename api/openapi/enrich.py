"""Enrich the OpenAPI 3.1 document of `convert` with the errors and headers of responses."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from api.errors import DOMAIN_PROBLEMS
from api.oauth_errors import ERRORS
from api.openapi.convert import convert
from api.openapi.descriptions import DESCRIPTION, HEADERS
from api.openapi.examples import exemplify
from api.openapi.swagger import operations
from api.problems import MEDIA_TYPE, PROBLEMS, Problem

Json = dict[str, Any]

# The fields in the examples of problems.
_EXAMPLE_FIELDS: Mapping[str, str] = {
    **{slug: error.field for error, slug in DOMAIN_PROBLEMS.items() if error.field},
    "invalid-cursor": "cursor",
    "invalid-request": "username",
}
_TIMES: Mapping[str, str] = {"date": "2026-01-02", "date-time": "2026-01-02T03:04:05Z"}
_TYPE_PATH = "ProblemTypePath"
_BY_STATUS: Mapping[str, str] = {
    "401": "WWW-Authenticate",
    "429": "Retry-After",
    "503": "Retry-After",
}


def describe(annotated: Mapping[str, Any]) -> Json:
    """Return the OpenAPI 3.1 document for an annotated Swagger 2.0 document."""
    document = convert(annotated)
    document["info"]["description"] = DESCRIPTION
    document["servers"] = [
        {
            "url": "/",
            "description": "The service that serves this document, local or in production",
            "x-internal": False,
        }
    ]
    document["info"]["license"] = {"name": "MIT", "identifier": "MIT"}
    for (path, _, operation), (_, _, noted) in zip(
        operations(document), operations(annotated), strict=True
    ):
        _add_headers(operation, path, noted)
        _add_problems(operation, noted["x-problems"])
        _add_oauth_errors(operation, noted.get("x-oauth-errors", {}))
    components = document["components"]
    components["headers"] = HEADERS
    components["examples"] = dict(_examples(document))
    _enumerate_types(components["schemas"])
    for schema in components["schemas"].values():
        for field in schema.get("properties", {}).values():
            _bound(field)
    exemplify(components["schemas"])
    return document


def _enumerate_types(schemas: dict[str, Json]) -> None:
    """List the types of problems, which Swagger 2.0 cannot beside a pattern for URLs."""
    schemas[_TYPE_PATH] = {
        "type": "string",
        "description": "A type of problem, as a path: what the `type` of every problem ends with.",
        "enum": [problem.type for problem in PROBLEMS.values()],
        # Client generators name the members after it, and would number them otherwise.
        "x-enum-varnames": [slug.replace("-", "_").upper() for slug in PROBLEMS],
    }
    path = {"$ref": f"#/components/schemas/{_TYPE_PATH}"}
    for name in ("Problem", "ProblemType"):
        field = schemas[name]["properties"]["type"]
        bounds = {word: field.pop(word) for word in ("type", "pattern", "maxLength")}
        url = {**bounds, "format": "uri", "pattern": "^https?://.+/problems/[a-z-]+$"}
        field["anyOf"] = [path, url]


def _bound(field: Json) -> None:
    """Bound integers, dates and timestamps, which RESTX cannot."""
    if field.get("type") == "integer":
        # Times are in seconds since 1970.
        field["format"] = "int32" if field.get("maximum", 0) < 2**31 else "int64"
    if example := _TIMES.get(field.get("format", "")):
        field["maxLength"] = len(example)


def _add_headers(operation: Json, path: str, noted: Json) -> None:
    is_oauth = "x-oauth-errors" in noted
    for status, response in operation["responses"].items():
        names = ["X-Request-Id", "X-Content-Type-Options"]
        names += ["Content-Security-Policy", "Referrer-Policy"]
        # Other errors do not report limits, and of OAuth only failures are limited: see
        # api/rate_limits.py.
        if ("x-limited" in noted and status < "400") or (
            status == "429" and ("x-limited" in noted or is_oauth)
        ):
            names += ["RateLimit-Policy", "RateLimit"]
        if path.startswith(("/v1/", "/oauth/")):
            names.append("Cache-Control")
        if status < "400":
            names += noted.get("x-headers", {})
        elif status in _BY_STATUS:
            names.append(_BY_STATUS[status])
        elif status == "403" and is_oauth:
            names.append("WWW-Authenticate")
        elif status == "415":
            names += ["Accept-Encoding", *_patch_header(operation)]
        response["headers"] = {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _patch_header(operation: Json) -> list[str]:
    content = operation.get("requestBody", {}).get("content", {})
    return ["Accept-Patch"] if "application/merge-patch+json" in content else []


def _add_problems(operation: Json, slugs: list[str]) -> None:
    for slug in slugs:
        media = operation["responses"][str(PROBLEMS[slug].status)]["content"][MEDIA_TYPE]
        media.setdefault("examples", {})[slug] = {"$ref": f"#/components/examples/{slug}"}


def _add_oauth_errors(operation: Json, errors: Mapping[str, Sequence[str]]) -> None:
    for status, names in errors.items():
        operation["responses"][status]["content"]["application/json"]["examples"] = {
            name: {
                "summary": name,
                "value": {"error": name, "error_description": f"{ERRORS[name]}."},
            }
            for name in names
        }


def _examples(document: Json) -> Iterator[tuple[str, Json]]:
    """Yield an example of each problem that an operation can respond with."""
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
    if field := _EXAMPLE_FIELDS.get(problem.slug):
        value["errors"] = [{"pointer": f"/{field}", "detail": detail}]
    return {"summary": problem.title, "description": problem.meaning, "value": value}
