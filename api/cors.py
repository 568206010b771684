"""Cross-origin requests (Fetch Standard) from the exact origins of a setting, and `OPTIONS`.

No origin is reflected that is not in the setting, and credentials are never allowed: tokens are
sent in a header, which a page has to set.
"""

from collections.abc import Sequence

from flask import Flask, Response, request

# How long browsers keep the response to a preflight, in seconds.
_MAX_AGE = 600
_EXPOSED = (
    "ETag, Link, Location, Retry-After, RateLimit, RateLimit-Policy, X-Request-Id,"
    " WWW-Authenticate, Accept-Patch, Idempotency-Replayed"
)
_ALLOWED = "Authorization, Content-Type, If-Match, If-None-Match, X-Request-Id, Idempotency-Key"
_PATCH_TYPES = "application/merge-patch+json, application/json"


def init_app(app: Flask, origins: Sequence[str]) -> None:
    """Respond to OPTIONS, and allow requests from other origins.

    Args:
        app: The app.
        origins: The allowed origins; without any, no response has CORS headers.
    """
    allowed = frozenset(origins)

    @app.after_request
    def complete(response: Response) -> Response:
        if request.method == "OPTIONS" and response.status_code == 200:
            _complete_options(response)
        if allowed:
            _allow(response, allowed)
        return response


def _complete_options(response: Response) -> None:
    response.status_code = 204
    response.headers.pop("Content-Type", None)
    response.headers.pop("Content-Length", None)
    if "PATCH" in response.headers.get("Allow", ""):
        # RFC 5789, 3.1
        response.headers["Accept-Patch"] = _PATCH_TYPES


def _allow(response: Response, allowed: frozenset[str]) -> None:
    # Caches must not return the response for one origin to another.
    response.vary.add("Origin")
    origin = request.headers.get("Origin")
    if origin not in allowed:
        return
    response.headers["Access-Control-Allow-Origin"] = origin
    if request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers:
        response.headers["Access-Control-Allow-Methods"] = response.headers.get("Allow", "")
        response.headers["Access-Control-Allow-Headers"] = _ALLOWED
        response.headers["Access-Control-Max-Age"] = str(_MAX_AGE)
    else:
        response.headers["Access-Control-Expose-Headers"] = _EXPOSED
