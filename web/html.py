"""Responses with HTML and their security headers."""

from flask import Response, render_template

# A page runs scripts of this origin, connects to this origin only, and must not be framed.
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def page(template: str, policy: str = PAGE_POLICY, **values: object) -> Response:
    """Render a template as a page that is not cached and sends no referrer."""
    response = html(render_template(template, **values), policy)
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    return response


def html(text: str, policy: str) -> Response:
    """Return a response with a complete HTML document."""
    response = Response(text, mimetype="text/html")
    response.headers["Content-Security-Policy"] = policy
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response
