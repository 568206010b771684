"""Build the REST API from its namespaces: one list, in reading order."""

from typing import Any

from flask import Response, redirect, url_for
from flask_restx import Api

from api import docs_page
from api.auth import AUTHORIZATIONS
from api.health import health
from api.oauth import oauth
from api.oauth_errors import oauth_error_schema
from api.problem_types import problem_types
from api.problems import problem_member_schema, problem_schema
from api.responses import json_response
from api.v1.api_keys import api_keys
from api.v1.clients import clients
from api.v1.email_verifications import email_verifications
from api.v1.events import events
from api.v1.invitations import invitations
from api.v1.moves import moves
from api.v1.password_resets import password_resets
from api.v1.second_factors import second_factors
from api.v1.sessions import sessions
from api.v1.statistics import statistics
from api.v1.tokens import tokens
from api.v1.users import users
from api.v1.verify import verify
from api.version import VERSION

NAMESPACES = (
    users,
    moves,
    sessions,
    second_factors,
    api_keys,
    password_resets,
    email_verifications,
    invitations,
    clients,
    events,
    statistics,
    tokens,
    verify,
    oauth,
    health,
    problem_types,
)


class RosterApi(Api):
    """RESTX without its own error handling: Flask's handlers give every error one shape."""

    def error_router(self, original_handler: Any, error: Exception) -> Any:
        return original_handler(error)

    def render_root(self) -> Any:
        return redirect(url_for("doc"))

    def render_doc(self) -> Response:
        return docs_page.render(self.title)


def build_api() -> RosterApi:
    """Return a new API with every namespace, to be bound to one app."""
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
    api.add_model(oauth_error_schema.name, oauth_error_schema)
    api.representation("application/json")(json_response)
    for namespace in NAMESPACES:
        api.add_namespace(namespace)
    return api
