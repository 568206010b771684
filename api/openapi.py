"""Swagger 2.0 from RESTX, with what RESTX cannot say, and the committed copy of it."""

import json
from pathlib import Path
from typing import Any

from flask import Flask
from flask_restx import Api

from api.errors import MEDIA_TYPE, problem_schema

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
    """Media types of bodies and errors, which RESTX writes for the whole API only."""
    for path in document["paths"].values():
        for operation in path.values():
            if isinstance(operation, dict):
                _amend_operation(operation)
    return document


def _amend_operation(operation: dict[str, Any]) -> None:
    if "x-consumes" in operation:
        operation["consumes"] = operation.pop("x-consumes")
    reference = f"#/definitions/{problem_schema.name}"
    schemas = [response.get("schema", {}) for response in operation["responses"].values()]
    if {"$ref": reference} in schemas:
        operation["produces"] = ["application/json", MEDIA_TYPE]
