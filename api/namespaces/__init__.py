"""Builds the API out of its namespaces: one list, in reading order."""

from typing import Any

from flask import Response, redirect, render_template, url_for
from flask_restx import Api

from api.auth import AUTHORIZATIONS
from api.namespaces.api_keys import api_keys
from api.namespaces.email_verifications import email_verifications
from api.namespaces.events import events
from api.namespaces.health import health
from api.namespaces.password_resets import password_resets
from api.namespaces.problems import problems
from api.namespaces.second_factor import second_factor
from api.namespaces.sessions import sessions
from api.namespaces.users import users
from api.problems import problem_member_schema, problem_schema
from api.responses import json_response
from api.version import VERSION

# The page at /docs runs our scripts, shows our images and talks to us, and to nobody else; nobody
# shows it inside another page. Swagger UI's styles hold a few small images.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
    " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
NAMESPACES = (
    users,
    sessions,
    second_factor,
    api_keys,
    password_resets,
    email_verifications,
    events,
    health,
    problems,
)


class RosterApi(Api):
    """RESTX without its own error handling: Flask's handlers give every error one shape."""

    def error_router(self, original_handler: Any, error: Exception) -> Any:
        return original_handler(error)

    def render_root(self) -> Any:
        return redirect(url_for("doc"))

    def render_doc(self) -> Response:
        page = render_template("docs.html", title=self.title, description=url_for("openapi"))
        return Response(page, headers={"Content-Security-Policy": _POLICY}, mimetype="text/html")


def build_api() -> RosterApi:
    """A fresh API with every namespace, to be bound to one app."""
    api = RosterApi(
        title="Roster",
        version=VERSION,
        description="Accounts, sessions and passwords on Amazon DynamoDB.",
        license="MIT",
        doc="/docs",
        authorizations=AUTHORIZATIONS,
    )
    api.add_model(problem_schema.name, problem_schema)
    api.add_model(problem_member_schema.name, problem_member_schema)
    api.representation("application/json")(json_response)
    for namespace in NAMESPACES:
        api.add_namespace(namespace)
    return api
