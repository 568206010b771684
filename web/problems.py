"""`/problems` for people: the explanations of the API as pages, where a browser asks for HTML."""

from flask import Blueprint, Response, request

from api.problems import PROBLEMS
from web.html import page
from web.languages import use_source

_INDEX = "problems_problem_types"
_ITEM = "problems_problem_type"


def add_pages(pages: Blueprint) -> None:
    """Respond with pages to browsers; programs get the JSON of the API at the same URLs."""
    pages.before_app_request(_show_page)
    pages.after_app_request(_vary)


def _show_page() -> Response | None:
    """Return a page, or None if the client does not prefer HTML or the URL is another one."""
    if request.endpoint not in (_INDEX, _ITEM) or request.method not in ("GET", "HEAD"):
        return None
    accepted = request.accept_mimetypes
    if accepted.best_match(["application/json", "text/html"]) != "text/html":
        return None
    use_source()
    if request.endpoint == _INDEX:
        return page("problems/index.html", problems=PROBLEMS.values())
    slug = (request.view_args or {})["slug"]
    return page("problems/problem.html", problem=PROBLEMS[slug]) if slug in PROBLEMS else None


def _vary(response: Response) -> Response:
    if request.endpoint in (_INDEX, _ITEM):
        response.vary.add("Accept")
    return response
