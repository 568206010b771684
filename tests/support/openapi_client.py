"""Holds answers to the description of the API: every test of the API does so, by its client."""

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from flask.testing import FlaskClient
from jsonschema_rs import Draft202012Validator
from werkzeug.test import TestResponse

from api.openapi import PATHS
from api.openapi.swagger import operations

Json = dict[str, Any]

DOCUMENT: Json = json.loads(PATHS["openapi"].read_text())
PROBLEM = "application/problem+json"
# What belongs to HTTP itself, and to no operation.
IMPLIED = {"Content-Type", "Content-Length", "Vary"}


class OpenApiClient(FlaskClient):
    """A client that takes no answer that the description does not have."""

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        response = super().open(*args, **kwargs)
        assert list(faults(response)) == []
        return response


def operation_of(method: str, path: str) -> Json | None:
    """Return the description of a request, None if there is no such operation."""
    for pattern, other, operation in _patterns():
        if other == method and pattern.fullmatch(path):
            return operation
    return None


def slugs_of(operation: Json) -> set[str]:
    """The problems that an operation can answer with."""
    contents = (answer.get("content", {}) for answer in operation["responses"].values())
    return {slug for content in contents for slug in content.get(PROBLEM, {}).get("examples", ())}


def faults(response: TestResponse) -> Iterator[str]:
    """Return the differences between a response and its description."""
    operation = operation_of(response.request.method, response.request.path)
    if operation is None:
        return
    said = operation["responses"].get(str(response.status_code))
    if said is None:
        yield f"{operation['operationId']} answers {response.status_code}: {response.text}"
        return
    yield from _faults_of_headers(response, said)
    yield from _faults_of_body(response, said)


def _faults_of_headers(response: TestResponse, said: Json) -> Iterator[str]:
    for name in set(response.headers.keys()) - IMPLIED - said["headers"].keys():
        # CORS (Fetch Standard) is between a browser and the setting of the operator.
        if name.startswith("Access-Control-"):
            continue
        yield f"the header {name} is not described"
    for name in said["headers"]:
        header = DOCUMENT["components"]["headers"][name]
        value: Any = response.headers.get(name)
        if value is None:
            if header["required"]:
                yield f"the header {name} is missing"
            continue
        if header["schema"]["type"] == "integer":
            value = int(value)
        yield from _violations(header["schema"], value)


def _faults_of_body(response: TestResponse, said: Json) -> Iterator[str]:
    content = said.get("content", {})
    if not content:
        if response.data:
            yield "there is content where none is described"
        return
    if response.mimetype not in content:
        yield f"the content is {response.mimetype}"
        return
    yield from _violations(content[response.mimetype]["schema"], response.json)
    if response.mimetype == PROBLEM:
        slug = response.json["type"].rpartition("/problems/")[2]
        if slug not in content[PROBLEM]["examples"]:
            yield f"{slug} is not described"


def _violations(schema: Json, value: Any) -> Iterator[str]:
    for error in _validator(json.dumps(schema)).iter_errors(value):
        yield f"{error.instance_path}: {error.message}"


@cache
def _validator(schema: str) -> Draft202012Validator:
    return Draft202012Validator({"components": DOCUMENT["components"], **json.loads(schema)})


@cache
def _patterns() -> list[tuple[re.Pattern[str], str, Json]]:
    """Every operation by the paths that lead to it; `current` comes before any id."""
    found = sorted(operations(DOCUMENT), key=lambda each: "{" in each[0])
    return [
        (re.compile(re.sub("{[^}]+}", "[^/]+", path)), method.upper(), operation)
        for path, method, operation in found
    ]
