"""The description of the API: Swagger 2.0 from RESTX, OpenAPI 3.1 from that, and where both are.

The documents are written once, when an app is made; `/swagger.json`, `/openapi.json` and the
committed files are these documents.
"""

import json
from pathlib import Path
from typing import Any

from flask import Flask, Response
from flask_restx import Api

from api.openapi import contract, swagger

_FOLDER = Path(__file__).parents[2] / "openapi"
PATHS = {"swagger": _FOLDER / "swagger.json", "openapi": _FOLDER / "openapi.json"}


def init_app(app: Flask, api: Api) -> None:
    """Describe the API, and serve the description."""
    with app.test_request_context():
        annotated = swagger.annotated(api)
        app.extensions["openapi"] = {
            "swagger": swagger.plain(annotated),
            "openapi": contract.describe(annotated),
        }
    # RESTX serves what it has described; the notes are not for clients.
    api.__schema__ = app.extensions["openapi"]["swagger"]
    served = json.dumps(app.extensions["openapi"]["openapi"], ensure_ascii=False)
    app.add_url_rule(
        "/openapi.json", "openapi", lambda: Response(served, mimetype="application/json")
    )


def document(app: Flask, name: str = "openapi") -> dict[str, Any]:
    """A description of an app: `openapi` is OpenAPI 3.1, `swagger` is Swagger 2.0."""
    described: dict[str, Any] = app.extensions["openapi"][name]
    return described


def render(app: Flask, name: str = "openapi") -> str:
    """A description as it is committed."""
    return json.dumps(document(app, name), indent=2, ensure_ascii=False) + "\n"
