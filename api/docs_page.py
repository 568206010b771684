"""Swagger UI at /docs, served from this package under a strict content security policy."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NoReturn

from flask import Blueprint, Flask, Response, current_app, render_template, url_for
from werkzeug.exceptions import NotFound

# The page runs our scripts, shows our images and connects to this origin only, and no other page
# may frame it. Swagger UI's styles hold a few small images.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
    " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


# The page, its files, the documents, and the redirect to the page.
_ENDPOINTS = ("root", "doc", "docs_page.static", "specs", "openapi")


@dataclass(frozen=True)
class LocalTools:
    """What the page offers in local mode.

    Attributes:
        is_allowed: Returns whether the current request may see them.
        demo_users: What the demo users sign in with.
        demo_password: Their password.
        mailbox: The path of the mailbox page; None if there is none.
    """

    is_allowed: Callable[[], bool]
    demo_users: tuple[str, ...] = ()
    demo_password: str | None = field(default=None, repr=False)
    mailbox: str | None = None


def init_app(app: Flask, *, keeps_tokens: bool = False, local: LocalTools | None = None) -> None:
    """Add the page's templates and static files.

    Args:
        app: The app.
        keeps_tokens: Whether the page keeps the token of its user in the browser's storage, where
            every later page of this origin finds it.
        local: What the page offers in local mode; None otherwise.
    """
    app.config["DOCS_KEEPS_TOKENS"] = keeps_tokens
    app.config["DOCS_LOCAL_TOOLS"] = local
    app.register_blueprint(
        Blueprint(
            "docs_page",
            __name__,
            template_folder="templates",
            static_folder="static",
            static_url_path="/docs/static",
        )
    )


def hide(app: Flask) -> None:
    """Serve neither the page nor the documents: their URLs do not exist."""
    for endpoint in _ENDPOINTS:
        app.view_functions[endpoint] = _not_found


def _not_found(**_: str) -> NoReturn:
    raise NotFound


def render(title: str) -> Response:
    """Render the page.

    Args:
        title: The name of the API.
    """
    local: LocalTools | None = current_app.config["DOCS_LOCAL_TOOLS"]
    page = render_template(
        "docs.html",
        title=title,
        description=url_for("openapi"),
        keeps_tokens=current_app.config["DOCS_KEEPS_TOKENS"],
        local=local if local is not None and local.is_allowed() else None,
    )
    headers = {"Content-Security-Policy": _POLICY, "Cache-Control": "no-store"}
    return Response(page, headers=headers, mimetype="text/html")
