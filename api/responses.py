"""What every response carries: the request's id, and no leave to cache or to guess a type."""

import re
import secrets
from collections.abc import Mapping
from typing import Any

import orjson
from flask import Flask, Response, g, request
from flask.sessions import SessionInterface

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")


def init_app(app: Flask) -> None:
    """Name each request and finish each response."""
    app.session_interface = _NoCookies()
    app.before_request(_name_request)
    app.after_request(_finish)


def json_response(
    data: Any, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """JSON."""
    response = Response(orjson.dumps(data), status, mimetype="application/json")
    response.headers.extend(headers or {})
    return response


def accepted() -> Response:
    """202: it will be seen to, and there is nothing to say about it."""
    response = Response(status=202)
    del response.headers["Content-Type"]
    return response


def no_content() -> Response:
    """204: it is done and there is nothing to say."""
    response = Response(status=204)
    # There is no content for it to be the type of.
    del response.headers["Content-Type"]
    return response


def _name_request() -> None:
    given = request.headers.get("X-Request-Id", "")
    g.request_id = given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(8)


def _finish(response: Response) -> Response:
    response.headers["X-Request-Id"] = g.request_id
    response.headers["X-Content-Type-Options"] = "nosniff"
    if request.path.startswith("/v1/"):
        response.headers["Cache-Control"] = "no-store"
    return response


class _NoCookies(SessionInterface):
    """Sessions live in DynamoDB and are named by a header: Flask has no cookie to look for."""

    def open_session(self, *_: Any) -> None:
        """No session, for any request."""

    def save_session(self, *_: Any) -> None:
        """Nothing to save."""
