"""Headers of every response: the request ID, and no permission to cache or to guess types."""

import re
import secrets
from collections.abc import Mapping
from typing import Any

import orjson
from flask import Flask, Response, g, request
from flask.sessions import SessionInterface

_NO_PAGE = "default-src 'none'; base-uri 'none'; frame-ancestors 'none'"
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")


def init_app(app: Flask) -> None:
    """Add the headers to every response."""
    app.session_interface = _NoCookies()
    app.before_request(_set_request_id)
    app.after_request(_add_headers)


def json_response(
    data: Any, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """Return a JSON response."""
    response = Response(orjson.dumps(data), status, mimetype="application/json")
    response.headers.extend(headers or {})
    return response


def accepted() -> Response:
    """Return 202 without content: the work continues in the background."""
    response = Response(status=202)
    del response.headers["Content-Type"]
    return response


def no_content() -> Response:
    """Return 204."""
    response = Response(status=204)
    # Without content there is no content type.
    del response.headers["Content-Type"]
    return response


def _set_request_id() -> None:
    given = request.headers.get("X-Request-Id", "")
    g.request_id = given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(8)


def _add_headers(response: Response) -> Response:
    response.headers["X-Request-Id"] = g.request_id
    response.headers["X-Content-Type-Options"] = "nosniff"
    # Pages have a policy of their own; what is none executes nothing, in no frame (ASVS 3.4.6).
    response.headers.setdefault("Content-Security-Policy", _NO_PAGE)
    response.headers.setdefault("Referrer-Policy", "no-referrer")
    if request.path.startswith(("/v1/", "/oauth/")):
        response.headers["Cache-Control"] = "no-store"
    return response


class _NoCookies(SessionInterface):
    """No Flask sessions: sessions are in DynamoDB and identified by a header, not a cookie."""

    def open_session(self, *_: Any) -> None:
        """Return no session."""

    def save_session(self, *_: Any) -> None:
        """Save nothing."""
