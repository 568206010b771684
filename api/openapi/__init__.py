"""The documents of the API: Swagger 2.0 from RESTX, and OpenAPI 3.1 converted from it.

`/swagger.json`, `/openapi.json` and the committed files are these documents.
"""

import json
import threading
from pathlib import Path
from typing import Any

from flask import Flask, Response, request
from flask_restx import Api

from api.openapi import enrich, swagger

_FOLDER = Path(__file__).parents[2] / "openapi"
PATHS = {"swagger": _FOLDER / "swagger.json", "openapi": _FOLDER / "openapi.json"}


class _Documents:
    """The documents of an app; generated on first use, so that the start does not wait for them."""

    def __init__(self, app: Flask, api: Api) -> None:
        self._app = app
        self._api = api
        self._lock = threading.Lock()
        self._written: dict[str, dict[str, Any]] = {}
        self._served: dict[str, str] = {}

    def __getitem__(self, name: str) -> dict[str, Any]:
        with self._lock:
            if not self._written:
                with self._app.test_request_context():
                    annotated = swagger.annotated(self._api)
                self._written = {
                    "swagger": swagger.plain(annotated),
                    "openapi": enrich.describe(annotated),
                }
        return self._written[name]

    def serve(self, name: str) -> Response:
        """Return a document as a response."""
        if request.script_root:
            # Below a path, on a proxy that says so.
            return _json(below(self[name], request.script_root))
        if name not in self._served:
            self._served[name] = json.dumps(self[name], ensure_ascii=False)
        return Response(self._served[name], mimetype="application/json")


def below(document: dict[str, Any], prefix: str) -> dict[str, Any]:
    """Return a document of an API whose paths are below a prefix."""
    if "swagger" in document:
        return {**document, "basePath": f"{prefix}{document['basePath']}".rstrip("/")}
    servers = [
        {**server, "url": f"{prefix}{server['url']}".rstrip("/")} for server in document["servers"]
    ]
    return {**document, "servers": servers}


def _json(document: dict[str, Any]) -> Response:
    return Response(json.dumps(document, ensure_ascii=False), mimetype="application/json")


def init_app(app: Flask, api: Api) -> None:
    """Serve the documents."""
    documents = app.extensions["openapi"] = _Documents(app, api)
    app.add_url_rule("/openapi.json", "openapi", lambda: documents.serve("openapi"))
    # RESTX would serve its document with our internal notes.
    app.view_functions["specs"] = lambda: documents.serve("swagger")


def document(app: Flask, name: str = "openapi") -> dict[str, Any]:
    """Return a document of an app: `openapi` is OpenAPI 3.1, `swagger` is Swagger 2.0."""
    described: dict[str, Any] = app.extensions["openapi"][name]
    return described


def render(app: Flask, name: str = "openapi") -> str:
    """Return a document as it is committed."""
    return json.dumps(document(app, name), indent=2, ensure_ascii=False) + "\n"
