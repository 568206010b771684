"""Errors of the pages as pages: what happened, and a way on."""

import logging
from typing import Any

from flask import Blueprint, Response, g, request
from werkzeug.exceptions import HTTPException, NotFound

from api import security_log
from api.errors import RETRY_AFTER_SECONDS, RequestError, problem_of
from api.problems import PROBLEMS
from flask_pynamodb import InvalidCursor, is_unavailable
from models.errors import AccountError, Refused, TooManyRequests
from web.cross_site import CrossSiteRequest
from web.html import page
from web.texts import Verbatim

log = logging.getLogger("roster")

_STATUSES = {401: 403}


def init_pages(pages: Blueprint) -> None:
    """Respond to the errors of pages with a page."""
    pages.register_error_handler(CrossSiteRequest, _cross_site)
    pages.register_error_handler(RequestError, _request_error)
    pages.register_error_handler(AccountError, _domain_error)
    pages.register_error_handler(InvalidCursor, _invalid_cursor)
    pages.register_error_handler(HTTPException, _http_error)
    pages.register_error_handler(Exception, _failure)


def add_pages(pages: Blueprint) -> None:
    """Respond with a page where there is none below those of the account and of the console."""
    for start in ("/account", "/admin"):
        for path in ("/", "/<path:rest>"):
            pages.add_url_rule(f"{start}{path}", "nothing", _nothing, methods=["GET", "POST"])


def _nothing(rest: str = "") -> Response:
    raise NotFound


def _show(slug: str, detail: str, **values: Any) -> Response:
    problem = PROBLEMS[slug]
    response = page(
        "error.html", problem=slug, detail=detail, request_id=g.request_id, caller=None, **values
    )
    response.status_code = _STATUSES.get(problem.status, problem.status)
    if problem.status == 503:
        response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response


def _cross_site(error: CrossSiteRequest) -> Response:
    security_log.rejected(PROBLEMS["forbidden"], error)
    return _show("forbidden", "", cross_site=error, back=_own_path())


def _own_path() -> str:
    """Return the last part of the current path, as a link to the same page."""
    return request.path.rpartition("/")[2]


def _request_error(error: RequestError) -> Response:
    security_log.rejected(error.problem, error)
    return _show(error.problem.slug, error.detail)


def _domain_error(error: AccountError) -> Response:
    problem = problem_of(error)
    security_log.rejected(problem, error)
    text = Verbatim(error) if isinstance(error, Refused) else str(error)
    response = _show(problem.slug, text)
    if isinstance(error, TooManyRequests):
        response.headers["Retry-After"] = str(error.retry_after)
    return response


def _invalid_cursor(error: InvalidCursor) -> Response:
    security_log.rejected(PROBLEMS["invalid-cursor"], error)
    return _show("invalid-cursor", str(error))


def _http_error(error: HTTPException) -> Response | HTTPException:
    status = error.code or 500
    if error.response is not None or status < 400:
        return error
    slugs = {404: "not-found", 413: "payload-too-large"}
    slug = slugs.get(status, "bad-request" if status < 500 else "internal-error")
    return _show(slug, PROBLEMS[slug].meaning)


def _failure(error: Exception) -> Response:
    if is_unavailable(error):
        log.error("request %s: the database is unavailable: %s", g.request_id, error)
        return _show("store-unavailable", "The database is unavailable. Retry shortly.")
    log.exception("request %s failed", g.request_id)
    return _show("internal-error", "")
