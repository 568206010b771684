"""Responses of the front itself, as the API gives them."""

import re
import secrets
from typing import Any

import orjson

from api.oauth_errors import body_of, is_oauth_path
from api.problems import MEDIA_TYPE, PROBLEMS

# A status, header fields, and a body, as `HTTPProtocol.response_bytes` takes them.
Response = tuple[int, list[tuple[str, str]], bytes]

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")
# Granian adds its name otherwise.
SERVER = ("server", "")


def problem(
    slug: str,
    detail: str,
    environ: dict[str, Any] | None = None,
    *,
    path: str = "",
    base_url: str = "",
    retry_after: int | None = None,
    closes: bool = False,
) -> Response:
    """Return a problem.

    Args:
        slug: The problem.
        detail: What happened.
        environ: The WSGI environment, if there is one, for the ID and the path of the request.
        path: The path of the request, if there is no environment.
        base_url: The public URL of the service; empty if there is none.
        retry_after: Seconds until a retry can succeed.
        closes: Whether the connection is closed, because the rest of the request is not read.
    """
    kind = PROBLEMS[slug]
    environ = environ or {}
    request_id = request_id_of(environ)
    is_oauth = is_oauth_path(path or environ.get("PATH_INFO", ""))
    body: dict[str, Any] = {
        "type": kind.uri(base_url),
        "title": kind.title,
        "status": kind.status,
        "detail": detail,
        "request_id": request_id,
    }
    if is_oauth:
        # OAuth clients parse `error`.
        body = body_of(kind.status, detail)
    headers = [
        ("content-type", "application/json" if is_oauth else MEDIA_TYPE),
        ("x-request-id", request_id),
        ("x-content-type-options", "nosniff"),
        (
            "content-security-policy",
            "default-src 'none'; base-uri 'none'; frame-ancestors 'none'",
        ),
        ("referrer-policy", "no-referrer"),
        ("cache-control", "no-store"),
        SERVER,
    ]
    if retry_after is not None:
        headers.append(("retry-after", str(retry_after)))
    if closes:
        headers.append(("connection", "close"))
    return kind.status, headers, orjson.dumps(body)


def request_id_of(environ: dict[str, Any]) -> str:
    """Return the ID that the client has given to the request, or a new one."""
    given = environ.get("HTTP_X_REQUEST_ID", "")
    return given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(8)
