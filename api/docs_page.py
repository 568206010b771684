"""Swagger UI at /docs, served from this package under a strict content security policy."""

from flask import Blueprint, Flask, Response, render_template, url_for

# The page runs our scripts, shows our images and connects to this origin only, and no other page
# may frame it. Swagger UI's styles hold a few small images.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
    " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def init_app(app: Flask) -> None:
    """Add the page's templates and static files."""
    app.register_blueprint(
        Blueprint(
            "docs_page",
            __name__,
            template_folder="templates",
            static_folder="static",
            static_url_path="/docs/static",
        )
    )


def render(title: str) -> Response:
    """Render the page.

    Args:
        title: The name of the API.
    """
    page = render_template("docs.html", title=title, description=url_for("openapi"))
    return Response(page, headers={"Content-Security-Policy": _POLICY}, mimetype="text/html")
