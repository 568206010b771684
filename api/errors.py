"""Domain error to problem+json: one table, one response function. `problems.py` is the registry."""

import logging
import re
from collections.abc import Iterable, Mapping
from typing import Any

import orjson
from flask import Flask, Response, current_app, g, request
from werkzeug.exceptions import HTTPException

from api import oauth_errors, security_log
from api.json_pointers import pointer_to
from api.problems import MEDIA_TYPE, PROBLEMS, Problem
from flask_pynamodb import InvalidCursor, is_unavailable
from models import errors as domain

log = logging.getLogger("roster")

# The key of `app.config` with the start of the types of problems.
BASE_URL = "PROBLEM_BASE_URL"

# RFC 6585 and 9110: seconds after which a client may retry. The retries of the database client are
# over by then, and DynamoDB throttles by the second.
RETRY_AFTER_SECONDS = 2

DOMAIN_PROBLEMS: Mapping[type[domain.AccountError], str] = {
    domain.RoleRequired: "forbidden",
    domain.RolesNotHeld: "forbidden",
    domain.ScopesNotHeld: "forbidden",
    domain.SecondFactorNotUsed: "second-factor-missing",
    domain.EmailNotVerified: "email-not-verified",
    domain.Busy: "busy",
    domain.HookFailed: "hook-failed",
    domain.TooManyConflicts: "store-unavailable",
    domain.EmailTaken: "email-taken",
    domain.ExternalIdTaken: "external-id-taken",
    domain.RecentAuthenticationRequired: "fresh-sign-in-required",
    domain.InvalidCredentials: "invalid-credentials",
    domain.InvalidField: "invalid-request",
    domain.InvalidToken: "invalid-token",
    domain.ApiKeyNotFound: "api-key-not-found",
    domain.AudienceTaken: "audience-taken",
    domain.ClientNotFound: "client-not-found",
    domain.AlreadyInvited: "already-invited",
    domain.InvitationNotFound: "invitation-not-found",
    domain.InvitationOutdated: "invitation-outdated",
    domain.ClientSecretNotFound: "client-secret-not-found",
    domain.TooManySecrets: "too-many-secrets",
    domain.InvalidClient: "unauthenticated",
    domain.IdempotencyKeyReused: "idempotency-key-reused",
    domain.IdempotencyKeyUsed: "idempotency-key-used",
    domain.LastAdmin: "last-admin",
    domain.EmailNotConfigured: "mail-not-configured",
    domain.SecondFactorAlreadyEnabled: "second-factor-exists",
    domain.SecondFactorEnrollmentRequired: "second-factor-missing",
    domain.SecondFactorNotEnabled: "second-factor-not-found",
    domain.SecondFactorCodeRequired: "second-factor-required",
    domain.SessionNotFound: "session-not-found",
    domain.TooManyRequests: "too-many-requests",
    domain.Unauthenticated: "unauthenticated",
    domain.UnknownAudience: "unknown-audience",
    domain.UserNotFound: "user-not-found",
    domain.UsernameTaken: "username-taken",
    domain.VersionMismatch: "version-mismatch",
}

_BY_STATUS: Mapping[int, str] = {
    404: "not-found",
    405: "method-not-allowed",
    413: "payload-too-large",
    415: "unsupported-media-type",
}


# A URL can be as long as the server allows; what an error repeats of it is not.
_MAX_PATH_LENGTH = 200


class RequestError(Exception):
    """A request that the API rejects before it calls the domain.

    Args:
        slug: The problem.
        detail: What happened this time; by default the title of the problem.
        errors: The fields at fault as pairs of JSON pointer and sentence.
    """

    def __init__(
        self,
        slug: str,
        detail: str | None = None,
        errors: Iterable[tuple[str, str]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.problem = PROBLEMS[slug]
        self.detail = detail or self.problem.title + "."
        self.errors = list(errors)
        self.headers = headers
        super().__init__(self.detail)


def init_app(app: Flask, *, base_url: str = "") -> None:
    """Respond to every error with a problem.

    Args:
        app: The app.
        base_url: The public URL of the service, with which the types of problems begin; if empty,
            they are paths.
    """
    app.config[BASE_URL] = base_url
    app.register_error_handler(RequestError, _respond_to_request_error)
    app.register_error_handler(domain.AccountError, _respond_to_domain_error)
    app.register_error_handler(oauth_errors.OAuthError, oauth_errors.respond)
    app.register_error_handler(InvalidCursor, _respond_to_invalid_cursor)
    app.register_error_handler(HTTPException, _respond_to_http_error)
    app.register_error_handler(Exception, _respond_to_failure)


def respond(
    slug: str,
    detail: str,
    errors: Iterable[tuple[str, str]] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Turn a problem into a response; the only place that does."""
    problem = PROBLEMS[slug]
    # For what is counted by problem.
    g.problem = slug
    if problem.status == 503:
        headers = {"Retry-After": str(RETRY_AFTER_SECONDS), **(headers or {})}
    if oauth_errors.is_oauth_path(request.path):
        return oauth_errors.respond_to_problem(problem.status, detail, headers)
    body: dict[str, Any] = {
        "type": problem.uri(current_app.config[BASE_URL]),
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
    response.headers.update(headers or {})
    return response


def _challenge(slug: str) -> str:
    # RFC 9470, section 3: the token is valid, but its authentication is too old.
    if slug == "fresh-sign-in-required":
        return 'Bearer error="insufficient_user_authentication"'
    # RFC 6750, section 3.1: an error code only where a token was presented.
    was_presented = slug == "unauthenticated" and "Authorization" in request.headers
    return 'Bearer error="invalid_token"' if was_presented else "Bearer"


def _respond_to_request_error(error: RequestError) -> Response:
    security_log.rejected(error.problem, error)
    return respond(error.problem.slug, error.detail, error.errors, error.headers)


def problem_of(error: domain.AccountError) -> Problem:
    """Return the problem that a domain error is."""
    kinds = type(error).__mro__
    return PROBLEMS[next(DOMAIN_PROBLEMS[kind] for kind in kinds if kind in DOMAIN_PROBLEMS)]


def places_in(error: domain.AccountError) -> list[tuple[str, str, str]]:
    """Return what is at fault: a field, a JSON pointer within its value, and a sentence.

    Several fields can be at fault, and several places within one; the pointer is empty for the
    whole value.
    """
    return [
        (each.field, pointer_to(getattr(each, "path", ())), str(each)) for each in _faulty(error)
    ]


def pointers_in(error: domain.AccountError) -> list[tuple[str, str]]:
    """Return what is at fault as pairs of a JSON pointer and a sentence."""
    return [
        (pointer_to([each.field, *getattr(each, "path", ())] if each.field else []), str(each))
        for each in _faulty(error)
    ]


def _faulty(error: domain.AccountError) -> list[Any]:
    """Return the errors among one and its others that name a field, or the request as a whole."""
    errors = (error, *error.other_failures)
    return [each for each in errors if getattr(each, "field", None) is not None]


def _respond_to_domain_error(error: domain.AccountError) -> Response:
    problem = problem_of(error)
    security_log.rejected(problem, error)
    headers = {}
    if isinstance(error, domain.TooManyRequests):
        headers["Retry-After"] = str(error.retry_after)
    errors = pointers_in(error)
    pointers = [pointer or "the request" for pointer, _ in errors]
    detail = str(error) if len(pointers) < 2 else f"Check {', '.join(pointers)}."
    return respond(problem.slug, detail, errors, headers)


def _respond_to_invalid_cursor(error: InvalidCursor) -> Response:
    security_log.rejected(PROBLEMS["invalid-cursor"], error)
    return respond("invalid-cursor", str(error), [("/cursor", str(error))])


def _respond_to_http_error(error: HTTPException) -> Response | HTTPException:
    status = error.code or 500
    if error.response is not None or status < 400:
        return error
    slug = _BY_STATUS.get(status, "bad-request" if status < 500 else "internal-error")
    headers = {name: value for name, value in error.get_headers() if name == "Allow"}
    detail = PROBLEMS[slug].meaning
    if status == 404:
        detail += _other_url()
    return respond(slug, detail, headers=headers)


def _other_url() -> str:
    """Return a sentence with the URL that differs only in its slashes, if there is one."""
    path = re.sub("/{2,}", "/", request.path).rstrip("/")
    adapter = current_app.create_url_adapter(request)
    if path == request.path or adapter is None or not adapter.test(path, request.method):
        return ""
    return f" The URL without the additional slash exists: {path[:_MAX_PATH_LENGTH]}."


def _respond_to_failure(error: Exception) -> Response:
    if is_unavailable(error):
        log.error("request %s: the database is unavailable: %s", g.request_id, error)
        return respond("store-unavailable", "The database is unavailable. Retry shortly.")
    if isinstance(error, domain.UnreadableSecret):
        log.error("request %s: %s", g.request_id, error)
    else:
        log.exception("request %s failed", g.request_id)
    return respond("internal-error", "The service failed. Report the request_id.")
