"""Builds the API out of its namespaces: one list, in reading order."""

from typing import Any

from flask import redirect, render_template, url_for
from flask_restx import Api

from api.auth import AUTHORIZATIONS
from api.errors import problem_member_schema, problem_schema
from api.namespaces.health import health
from api.namespaces.problems import problems
from api.namespaces.sessions import sessions
from api.namespaces.users import users
from api.responses import json_response
from api.version import VERSION

NAMESPACES = (users, sessions, health, problems)


class RosterApi(Api):
    """RESTX without its own error handling: Flask's handlers give every error one shape."""

    def error_router(self, original_handler: Any, error: Exception) -> Any:
        return original_handler(error)

    def render_root(self) -> Any:
        return redirect(url_for("doc"))

    def render_doc(self) -> str:
        return render_template("docs.html", title=self.title, specs_url=url_for("specs"))


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
