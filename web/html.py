"""What every page for people is sent with."""

from flask import Response, render_template

# A page runs our scripts and talks to us, and to nobody else; nobody shows it inside another page.
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def page(template: str, policy: str = PAGE_POLICY, **values: object) -> Response:
    """A page of a template, that nobody keeps and that tells nobody where it was."""
    response = html(render_template(template, **values), policy)
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    return response


def html(text: str, policy: str) -> Response:
    """A page that is written already."""
    response = Response(text, mimetype="text/html")
    response.headers["Content-Security-Policy"] = policy
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response
