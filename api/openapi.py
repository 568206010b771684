"""Swagger 2.0 from RESTX, with what RESTX cannot say, and the committed copy of it."""

import json
from pathlib import Path
from typing import Any

from flask import Flask
from flask_restx import Api

from api.errors import MEDIA_TYPE, problem_schema

# The order in which a reader wants the operations of a path.
_METHODS = ("get", "post", "put", "patch", "delete")
PATH = Path(__file__).parent.parent / "openapi" / "swagger.json"


def init_app(app: Flask, api: Api) -> None:
    """Describe the API once; `/swagger.json` and the committed file are this description."""
    with app.test_request_context():
        document = _amend(api.__schema__)
    app.extensions["openapi"] = document


def swagger(app: Flask) -> dict[str, Any]:
    """The Swagger 2.0 description of an app."""
    document: dict[str, Any] = app.extensions["openapi"]
    return document


def render(app: Flask) -> str:
    """The description as it is committed."""
    return json.dumps(swagger(app), indent=2, ensure_ascii=False) + "\n"


def _amend(document: dict[str, Any]) -> dict[str, Any]:
    """Put operations in order, and add what RESTX cannot say of one.

    RESTX keeps methods in a set, whose order differs from process to process, and with it the
    order of everything that it meets on the way.
    """
    document["definitions"] = dict(sorted(document["definitions"].items()))
    for path in document["paths"].values():
        operations = {method: path.pop(method) for method in _METHODS if method in path}
        path.update(operations)
        for operation in operations.values():
            _amend_operation(operation)
    return document


def _amend_operation(operation: dict[str, Any]) -> None:
    operation["responses"] = dict(sorted(operation["responses"].items()))
    if "x-consumes" in operation:
        operation["consumes"] = operation.pop("x-consumes")
    reference = f"#/definitions/{problem_schema.name}"
    schemas = [response.get("schema", {}) for response in operation["responses"].values()]
    if {"$ref": reference} in schemas:
        operation["produces"] = ["application/json", MEDIA_TYPE]
