"""Domain error to problem+json: one registry, one table, one response function.

The registry feeds the handlers, the API description, the documentation and `/problems/...`.
A slug is stable for ever: clients switch on it.
"""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from flask import Flask, Response, g, request
from flask_restx import Model, fields
from werkzeug.exceptions import HTTPException

from flask_pynamodb import InvalidCursor, is_unavailable
from models import errors as domain

log = logging.getLogger("roster")

MEDIA_TYPE = "application/problem+json"
# RFC 6585 and 9110: seconds after which a client may try again. The store's own retries are over
# by then, and its throttling is counted in seconds.
_RETRY_AFTER_SECONDS = 2


@dataclass(frozen=True)
class Problem:
    """One kind of error that clients can meet.

    Attributes:
        slug: Its stable name, the end of the `type` URI.
        status: The HTTP status.
        title: What it is, in a few words that never change.
        meaning: When it happens and what a client can do.
    """

    slug: str
    status: int
    title: str
    meaning: str

    @property
    def type(self) -> str:
        return f"/problems/{self.slug}"


_ALL = (
    Problem(
        "malformed-json",
        400,
        "The body is not JSON",
        "The body cannot be read as one JSON value in UTF-8 whose members have different names."
        " Send a JSON object.",
    ),
    Problem(
        "invalid-cursor",
        400,
        "The cursor is not of this list",
        "The cursor was changed, or made for another list or other filters. Start again without"
        " one, and keep the filters while following `next_cursor`.",
    ),
    Problem(
        "bad-request",
        400,
        "The request cannot be understood",
        "The request is malformed below the level of its body.",
    ),
    Problem(
        "unauthenticated",
        401,
        "Sign in first",
        "The request has no token, or its session has ended. Sign in with `POST /v1/sessions` and"
        " send the token as `Authorization: Bearer <token>`.",
    ),
    Problem(
        "invalid-credentials",
        401,
        "The login or the password is wrong",
        "The answer is the same for an unknown user, a wrong password and a user who may not sign"
        " in. When changing a password: the current one is wrong.",
    ),
    Problem(
        "forbidden",
        403,
        "Not allowed",
        "You are signed in, but only an admin (or only the user itself) may do this, or set this"
        " member. `errors` names the member where there is one.",
    ),
    Problem("not-found", 404, "No such page", "There is nothing at this URL."),
    Problem(
        "user-not-found",
        404,
        "No such user",
        "There is no user with this id, or you may not see it.",
    ),
    Problem(
        "session-not-found",
        404,
        "No such session",
        "The session has ended, or is not one of yours.",
    ),
    Problem(
        "method-not-allowed",
        405,
        "The URL does not take this method",
        "The `Allow` header lists the methods that it takes.",
    ),
    Problem(
        "username-taken",
        409,
        "User name is already in use",
        "Somebody has this user name. Choose another one.",
    ),
    Problem(
        "email-taken",
        409,
        "E-mail address is already in use",
        "There is an account with this address, in whatever case it is written.",
    ),
    Problem(
        "last-admin",
        409,
        "Somebody has to administer",
        "The last active admin cannot be deleted, suspended or demoted. Make another user an admin"
        " first.",
    ),
    Problem(
        "version-mismatch",
        412,
        "The user has changed",
        "The user is not what it was when you read the `ETag` that you sent as `If-Match`. Read it"
        " again, look at the difference, and repeat.",
    ),
    Problem(
        "payload-too-large",
        413,
        "The body is too large",
        "A body has 64 KB (65,536 bytes) at most.",
    ),
    Problem(
        "unsupported-media-type",
        415,
        "The body has another media type",
        "Send `Content-Type: application/json`, or `application/merge-patch+json` to PATCH.",
    ),
    Problem(
        "invalid-request",
        422,
        "The request breaks the rules",
        "`errors` lists each member that is missing, unknown, read-only, of the wrong type or out"
        " of its bounds, with a JSON pointer to it.",
    ),
    Problem(
        "too-many-requests", 429, "Too many requests", "Wait for the seconds in `Retry-After`."
    ),
    Problem(
        "internal-error",
        500,
        "Something went wrong",
        "The fault is ours. Report the `request_id`: the log has the details under it.",
    ),
    Problem(
        "store-unavailable",
        503,
        "The store is out of reach",
        "The database does not answer, or not fast enough. Try again after `Retry-After` seconds;"
        " a change may or may not have been made.",
    ),
)

PROBLEMS: Mapping[str, Problem] = {problem.slug: problem for problem in _ALL}

_DOMAIN: Mapping[type[domain.AccountError], str] = {
    domain.Contended: "store-unavailable",
    domain.EmailTaken: "email-taken",
    domain.InvalidCredentials: "invalid-credentials",
    domain.InvalidMember: "invalid-request",
    domain.LastAdmin: "last-admin",
    domain.SessionNotFound: "session-not-found",
    domain.Unauthenticated: "unauthenticated",
    domain.UserNotFound: "user-not-found",
    domain.UsernameTaken: "username-taken",
    domain.VersionMismatch: "version-mismatch",
}

_MEMBERS: Mapping[type[domain.AccountError], str] = {
    domain.EmailTaken: "/email",
    domain.UsernameTaken: "/username",
    domain.WrongPassword: "/current_password",
}

_BY_STATUS: Mapping[int, str] = {
    404: "not-found",
    405: "method-not-allowed",
    413: "payload-too-large",
    415: "unsupported-media-type",
}

problem_member_schema = Model(
    "ProblemMember",
    {
        "pointer": fields.String(
            required=True,
            description="JSON pointer to the member, or `/` and the name of a query parameter",
            pattern="^(/.*)?$",
            example="/email",
        ),
        "detail": fields.String(
            required=True,
            description="What is wrong with it",
            example="It must have 3 characters or more.",
        ),
    },
)
problem_schema = Model(
    "Problem",
    {
        "type": fields.String(
            required=True,
            description="Stable URI of the problem: switch on it, or GET it to have it explained",
            pattern="^/problems/[a-z-]+$",
            max_length=64,
            example="/problems/email-taken",
        ),
        "title": fields.String(
            required=True,
            description="What the type means",
            max_length=100,
            example="E-mail address is already in use",
        ),
        "status": fields.Integer(
            required=True, description="The HTTP status", min=400, max=599, example=409
        ),
        "detail": fields.String(
            required=True,
            description="What happened this time",
            example="There is an account with this e-mail address.",
        ),
        "request_id": fields.String(
            required=True,
            description="Names the request in the log, as `X-Request-Id` does",
            pattern="^[A-Za-z0-9._-]+$",
            max_length=128,
            example="5f2c8a1e9b7d4c30",
        ),
        "errors": fields.List(
            fields.Nested(problem_member_schema),
            description="The members at fault, where there are some",
            max_items=50,
        ),
    },
)


class RequestError(Exception):
    """A request that the API refuses before the domain hears of it.

    Args:
        slug: Which problem.
        detail: What happened this time; the problem's title if not given.
        errors: The members at fault as pairs of JSON pointer and sentence.
    """

    def __init__(
        self, slug: str, detail: str | None = None, errors: Iterable[tuple[str, str]] = ()
    ) -> None:
        self.problem = PROBLEMS[slug]
        self.detail = detail or self.problem.title + "."
        self.errors = list(errors)
        super().__init__(self.detail)


def init_app(app: Flask) -> None:
    """Answer every error there is with a problem."""
    app.register_error_handler(RequestError, _refuse_request)
    app.register_error_handler(domain.AccountError, _refuse_for_domain)
    app.register_error_handler(InvalidCursor, _refuse_cursor)
    app.register_error_handler(HTTPException, _refuse_for_http)
    app.register_error_handler(Exception, _admit_failure)


def respond(
    slug: str,
    detail: str,
    errors: Iterable[tuple[str, str]] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The one place where a problem becomes a response."""
    problem = PROBLEMS[slug]
    body: dict[str, Any] = {
        "type": problem.type,
        "title": problem.title,
        "status": problem.status,
        "detail": detail,
        "request_id": g.request_id,
    }
    members = [{"pointer": pointer, "detail": text} for pointer, text in errors]
    if members:
        body["errors"] = members
    response = Response(orjson.dumps(body), problem.status, mimetype=MEDIA_TYPE)
    if problem.status == 401:
        response.headers["WWW-Authenticate"] = _challenge(slug)
    if problem.status == 503:
        response.headers["Retry-After"] = str(_RETRY_AFTER_SECONDS)
    response.headers.update(headers or {})
    return response


def _challenge(slug: str) -> str:
    # RFC 6750, section 3.1: an error code only where a token was presented.
    was_presented = slug == "unauthenticated" and "Authorization" in request.headers
    return 'Bearer error="invalid_token"' if was_presented else "Bearer"


def _refuse_request(error: RequestError) -> Response:
    return respond(error.problem.slug, error.detail, error.errors)


def _refuse_for_domain(error: domain.AccountError) -> Response:
    slug = next(_DOMAIN[kind] for kind in type(error).__mro__ if kind in _DOMAIN)
    pointer = _MEMBERS.get(type(error))
    if isinstance(error, domain.InvalidMember):
        pointer = f"/{error.member}"
    return respond(slug, str(error), [(pointer, str(error))] if pointer else ())


def _refuse_cursor(error: InvalidCursor) -> Response:
    return respond("invalid-cursor", str(error), [("/cursor", str(error))])


def _refuse_for_http(error: HTTPException) -> Response | HTTPException:
    status = error.code or 500
    if error.response is not None or status < 400:
        return error
    slug = _BY_STATUS.get(status, "bad-request" if status < 500 else "internal-error")
    headers = {name: value for name, value in error.get_headers() if name == "Allow"}
    return respond(slug, PROBLEMS[slug].meaning, headers=headers)


def _admit_failure(error: Exception) -> Response:
    if is_unavailable(error):
        log.error("request %s: the store is out of reach: %s", g.request_id, error)
        return respond("store-unavailable", "The store is out of reach. Try again soon.")
    log.exception("request %s failed", g.request_id)
    return respond("internal-error", "Something went wrong. Report the request_id.")
