"""Links between the pages, and where people go on to after signing in."""

import re
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from flask import current_app, request, url_for
from werkzeug.routing import Map

from web.settings import page_settings

# The pages that a link may lead back to, with a query of plain characters. No backslash, which
# browsers take for a slash, no second slash, which begins a host, and no dots that climb.
_OWN_PAGE = re.compile(r"/(account|admin|verify-email)(/[A-Za-z0-9_-]+)*(\?[A-Za-z0-9_.~=&%+-]*)?")
# What may follow the URL of an application: a path, a query or a fragment of URL characters.
_BELOW = re.compile(r"([/?#][A-Za-z0-9._~!$&'()*+,;=:@%/?#-]*)?")
_CLIMBS = re.compile(r"(^|/)(\.|%2e){1,2}(/|$|\?|#)", re.IGNORECASE)
MAX_LENGTH = 2000


def link_to(endpoint: str, **values: Any) -> str:
    """Return the URL of a page, relative to the current one.

    So the pages also work where a proxy serves them below a path, whether it says so or not.
    """
    if values.keys() - {"filename"}:
        return relative(url_for(endpoint, **values).removeprefix(request.script_root))
    return relative(_path_of(current_app.url_map, endpoint, values.get("filename")))


@lru_cache
def _path_of(urls: Map, endpoint: str, filename: str | None) -> str:
    """Return the path of a page without parameters, or of one of our files."""
    # The host is not part of the result.
    return urls.bind("localhost").build(endpoint, {"filename": filename} if filename else {})


def relative(path: str) -> str:
    """Return a path of this service relative to the current page."""
    return "../" * (request.path.count("/") - 1) + path.removeprefix("/") or "./"


def allowed_next(text: str | None) -> str | None:
    """Return where to go on to if it is one of our pages or in an application, else None.

    An application is the text of a setting, followed by a path, a query or a fragment: no parser
    can see another host in it.
    """
    if not text or len(text) > MAX_LENGTH:
        return None
    if _OWN_PAGE.fullmatch(text):
        return text
    for url in page_settings().app_urls:
        rest = text.removeprefix(url)
        if text.startswith(url) and _BELOW.fullmatch(rest) and not _CLIMBS.search(rest):
            return text
    return None


def destination(text: str | None) -> str:
    """Return the URL to go on to after signing in: the allowed one, or the default."""
    chosen = allowed_next(text)
    if chosen is None:
        app_urls = page_settings().app_urls
        return app_urls[0] if app_urls else link_to("web.profile")
    return relative(chosen) if chosen.startswith("/") else chosen


def origins(urls: tuple[str, ...]) -> list[str]:
    """Return the origins of URLs."""
    return ["{0.scheme}://{0.netloc}".format(urlsplit(url)) for url in urls]
