"""Errors of OAuth endpoints: JSON with `error`, which OAuth clients parse (RFC 6749, 5.2)."""

from collections.abc import Mapping

from flask import Response, request
from flask_restx import Model, fields

from api.responses import json_response

_PREFIX = "/oauth/"
# What the problems of all routes are called in OAuth, where it is not `invalid_request`.
_BY_STATUS = {429: "temporarily_unavailable", 500: "server_error", 503: "temporarily_unavailable"}
# The errors of all endpoints (RFC 6749, 5.2; RFC 6750, 3.1; RFC 8693, 2.2.2) and their meaning.
ERRORS: Mapping[str, str] = {
    "invalid_request": "A parameter is missing, repeated or not valid, or the body is no form",
    "invalid_client": "The client is unknown or disabled, or its secret is wrong",
    "insufficient_scope": "The client lacks the scope",
    "unauthorized_client": "The client lacks the scope `tokens`",
    "unsupported_grant_type": "There is no such grant",
    "invalid_scope": "The client or the subject token lacks the scope",
    "invalid_target": "No client has this audience",
    "temporarily_unavailable": "Too many requests, or the service is unavailable",
    "server_error": "The service failed",
}
# The statuses of each; 408, 413, 429 and 5xx are those of problems that every endpoint has.
STATUSES: Mapping[str, tuple[int, ...]] = {
    **dict.fromkeys(ERRORS, (400,)),
    "invalid_request": (400, 408, 413),
    "invalid_client": (401,),
    "insufficient_scope": (403,),
    "temporarily_unavailable": (429, 503),
    "server_error": (500,),
}
oauth_error_schema = Model(
    "OAuthError",
    {
        "error": fields.String(required=True, description="What kind of error", enum=list(ERRORS)),
        "error_description": fields.String(
            required=True,
            description="What happened this time",
            max_length=1024,
            example="The parameter `audience` is missing.",
        ),
    },
)
_REALM = 'realm="roster"'


class OAuthError(Exception):
    """A request that an OAuth endpoint rejects.

    Args:
        error: The error code of the RFC that defines the endpoint.
        description: What happened, in ASCII without quotes and backslashes.
        status: The HTTP status; by default that of the error code, or 400.
    """

    def __init__(self, error: str, description: str, status: int | None = None) -> None:
        super().__init__(description)
        self.error = error
        self.status = status or STATUSES[error][0]


def is_oauth_path(path: str) -> bool:
    """Return whether a path is that of an OAuth endpoint."""
    return path.startswith(_PREFIX)


def body_of(status: int, detail: str) -> dict[str, str]:
    """Return the body of a failure that is not specific to OAuth."""
    return {"error": _BY_STATUS.get(status, "invalid_request"), "error_description": detail}


def respond(error: OAuthError) -> Response:
    """Turn an error into a response."""
    headers = {}
    if error.status == 401:
        headers["WWW-Authenticate"] = _challenge()
    elif error.error == "insufficient_scope":
        headers["WWW-Authenticate"] = f'Bearer {_REALM}, error="insufficient_scope"'
    body = {"error": error.error, "error_description": str(error)}
    return json_response(body, error.status, headers)


def respond_to_problem(
    status: int, detail: str, headers: Mapping[str, str] | None = None
) -> Response:
    """Return the response to a failure that is not specific to OAuth."""
    return json_response(body_of(status, detail), status, headers)


def _challenge() -> str:
    """Return a challenge for the scheme that the client has used (RFC 6749, section 5.2).

    Without one it is Basic authentication, but not for scripts of pages, such as Swagger UI: a
    browser would ask its user for a password.
    """
    scheme = request.headers.get("Authorization", "").partition(" ")[0].lower()
    if scheme == "bearer":
        return f'Bearer {_REALM}, error="invalid_token"'
    is_script = not scheme and "Sec-Fetch-Mode" in request.headers
    return f"Bearer {_REALM}" if is_script else f"Basic {_REALM}"
