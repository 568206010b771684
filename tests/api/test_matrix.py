"""Permissions: every route under /v1 for every kind of caller (ASVS 8.2.1, 8.2.2).

A route that is not in the table fails a test. The tests of each route cover the details of a
response; this table covers the statuses of all.
"""

# ruff: noqa: E501 - the table is wider than other code

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, NamedTuple

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from models import ApiKey, ClientScope, Session
from tests.support.api_keys import with_key
from tests.support.invitations import create_invitation
from tests.support.person import PASSWORD, Person
from tests.support.responses import ABSENT_ID, ADA, NEW_PASSWORD

Request = Callable[..., TestResponse]
# Each row requests jane, whose id replaces {id}.
CALLERS = (
    "anonymous",  # without a token
    "jane",  # the user itself
    "eve",  # another user
    "john",  # an admin
    "suspended",  # jane with a token from before she was suspended
    "expired",  # jane with a session whose time is over
    "jane's key",
    "john's key",  # with the role admin
    "john's scoped key",  # and with the scope accounts
    "john's weak key",  # without it
    "expired key",  # jane's
    "reader",  # a client with the scope users:read
    "writer",  # a client with the scope users:write
    "events reader",  # a client with the scope events:read
    "service",  # a client with every other scope
    "auditor",
    "support",
    "auditor's key",  # with the role auditor
    "support's key",  # with the role support and the scope accounts
)
LOGIN = {"login": "jane@example.com", "password": PASSWORD}
CHANGE = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
TOKEN = {"token": "rso_never_sent_to_a_user"}
CHOSEN = {**TOKEN, "password": NEW_PASSWORD}
RESET = {**TOKEN, "new_password": NEW_PASSWORD}
MAIL = {"email": "jane@example.com"}
NAME = {"full_name": "Jane"}
LOGIN_NAME = {"username": "jane-2"}
STATUS = {"status": "suspended"}
ROLES = {"roles": ["admin", "user"]}
KEY = {"name": "nightly"}
AUDIENCE = {"audience": "https://billing.example.com"}
# Of no user: 422 is the success of a caller who may move names.
MOVE = {"from": ABSENT_ID, "username": "jane-2"}
CODE = {"otp": "000000"}
GIVEN = {"password": PASSWORD}

# The scopes that open routes under /v1.
OF_USERS = {ClientScope.USERS_READ, ClientScope.USERS_WRITE, ClientScope.EVENTS_READ}


class Row(NamedTuple):
    """The expected statuses in the order of `CALLERS`."""

    method: str
    path: str
    body: Any
    statuses: str


# fmt: off
TABLE = [
    #                                                  ano jan eve joh sus exp jan joh sco wea exp rea wri eve ser aud sup aud sup
    #                                                                          key key key key key         nts             key key
    Row("POST", "/v1/sessions", LOGIN,                "201 201 201 201 401 201 201 201 201 201 201 201 201 201 201 201 201 201 201"),
    Row("GET", "/v1/sessions", None,                  "401 200 200 200 401 401 403 403 403 403 401 403 403 403 403 200 200 403 403"),
    Row("DELETE", "/v1/sessions", None,               "401 204 204 204 401 401 403 403 403 403 401 403 403 403 403 204 204 403 403"),
    Row("DELETE", "/v1/sessions/current", None,       "401 204 204 204 401 401 403 403 403 403 401 403 403 403 403 204 204 403 403"),
    Row("POST", "/v1/sessions/current/reauthenticate",
        GIVEN,                                        "401 201 201 201 401 401 403 403 403 403 401 403 403 403 403 201 201 403 403"),
    Row("DELETE", "/v1/sessions/{session}", None,     "401 204 404 404 401 401 403 403 403 403 401 403 403 403 403 404 404 403 403"),
    Row("GET", "/v1/users/{id}/sessions", None,       "401 403 403 200 401 401 403 403 403 403 401 403 403 403 403 200 200 403 403"),
    Row("DELETE", "/v1/users/{id}/sessions", None,    "401 403 403 204 401 401 403 403 403 403 401 403 403 403 403 403 204 403 403"),

    Row("GET", "/v1/users", None,                     "401 403 403 200 401 401 403 200 200 403 401 200 403 403 403 200 200 200 200"),
    Row("POST", "/v1/users", ADA,                     "201 201 201 201 401 401 201 201 201 403 401 403 201 403 403 201 201 403 201"),
    Row("POST", "/v1/users", {**ADA, **ROLES},        "403 403 403 201 401 401 403 403 201 403 401 403 403 403 403 403 403 403 403"),
    Row("GET", "/v1/users/{id}", None,                "401 200 404 200 401 401 200 200 200 404 401 200 403 403 403 200 200 200 200"),
    Row("PATCH", "/v1/users/{id}", NAME,              "401 200 404 200 401 401 200 200 200 403 401 403 200 403 403 403 403 403 403"),
    Row("PATCH", "/v1/users/{id}", MAIL,              "401 200 404 200 401 401 403 403 403 403 401 403 403 403 403 403 403 403 403"),
    Row("PATCH", "/v1/users/{id}", LOGIN_NAME,        "401 200 404 200 401 401 403 403 200 403 401 403 403 403 403 403 403 403 403"),
    Row("PATCH", "/v1/users/{id}", ROLES,             "401 403 403 200 401 401 403 403 200 403 401 403 403 403 403 403 403 403 403"),
    Row("PATCH", "/v1/users/{id}", STATUS,            "401 403 403 200 401 401 403 403 200 403 401 403 403 403 403 403 200 403 200"),
    Row("DELETE", "/v1/users/{id}", None,             "401 204 404 204 401 401 403 403 204 403 401 403 403 403 403 403 403 403 403"),
    Row("POST", "/v1/users/{id}/moves", MOVE,         "401 403 403 422 401 401 403 403 403 403 401 403 403 403 403 403 403 403 403"),
    Row("PUT", "/v1/users/{id}/password", CHANGE,     "401 204 404 403 401 401 403 403 403 403 401 403 403 403 403 403 403 403 403"),
    Row("POST", "/v1/users/{id}/password-reset",
        None,                                         "401 403 403 501 401 401 403 403 403 403 401 403 403 403 403 403 501 403 403"),
    Row("DELETE", "/v1/users/{id}/lock", None,        "401 403 403 204 401 401 403 403 403 403 401 403 403 403 403 403 204 403 403"),
    Row("GET", "/v1/users/{id}/events", None,         "401 200 404 200 401 401 403 403 403 403 401 403 403 200 403 200 200 403 403"),

    Row("GET", "/v1/events?user={id}", None,          "401 403 403 200 401 401 403 403 403 403 401 403 403 200 403 200 200 403 403"),

    Row("GET", "/v1/statistics", None,                "401 403 403 200 401 401 403 200 200 403 401 403 403 403 403 200 200 200 200"),

    Row("GET", "/v1/users/{id}/api-keys", None,       "401 200 404 200 401 401 403 403 403 403 401 403 403 403 403 200 200 403 403"),
    Row("DELETE", "/v1/users/{id}/api-keys", None,    "401 204 404 204 401 401 403 403 403 403 401 403 403 403 403 403 403 403 403"),
    Row("POST", "/v1/users/{id}/api-keys", KEY,       "401 201 404 403 401 401 403 403 403 403 401 403 403 403 403 403 403 403 403"),
    Row("DELETE", "/v1/users/{id}/api-keys/{key}",
        None,                                         "401 204 404 204 401 401 403 403 403 403 401 403 403 403 403 403 403 403 403"),

    Row("GET", "/v1/clients", None,                   "401 403 403 200 401 401 403 403 403 403 401 403 403 403 403 403 403 403 403"),
    Row("POST", "/v1/clients", KEY,                   "401 403 403 201 401 401 403 403 403 403 401 403 403 403 403 403 403 403 403"),
    Row("GET", "/v1/clients/{client}", None,          "401 403 403 200 401 401 403 403 403 403 401 403 403 403 403 403 403 403 403"),
    Row("PATCH", "/v1/clients/{client}", KEY,         "401 403 403 200 401 401 403 403 403 403 401 403 403 403 403 403 403 403 403"),
    Row("DELETE", "/v1/clients/{client}", None,       "401 403 403 204 401 401 403 403 403 403 401 403 403 403 403 403 403 403 403"),
    Row("POST", "/v1/clients/{client}/secrets", None, "401 403 403 201 401 401 403 403 403 403 401 403 403 403 403 403 403 403 403"),
    Row("DELETE", "/v1/clients/{client}/secrets/{secret}",
        None,                                         "401 403 403 204 401 401 403 403 403 403 401 403 403 403 403 403 403 403 403"),

    # Emails are not configured here: 501 is the success of a caller who may send them.
    Row("GET", "/v1/invitations", None,               "401 403 403 200 401 401 403 200 200 403 401 403 403 403 403 200 200 200 200"),
    Row("POST", "/v1/invitations", MAIL,              "401 403 403 501 401 401 403 501 501 403 401 403 403 403 403 403 403 403 403"),
    Row("POST", "/v1/invitations", {**MAIL, **ROLES}, "401 403 403 501 401 401 403 403 501 403 401 403 403 403 403 403 403 403 403"),
    Row("GET", "/v1/invitations/{invitation}", None,  "401 403 403 200 401 401 403 200 200 403 401 403 403 403 403 200 200 200 200"),
    Row("DELETE", "/v1/invitations/{invitation}",
        None,                                         "401 403 403 204 401 401 403 204 204 403 401 403 403 403 403 403 403 403 403"),
    Row("POST", "/v1/invitations/{invitation}/resend",
        None,                                         "401 403 403 501 401 401 403 501 501 403 401 403 403 403 403 403 403 403 403"),
    # For other services: an API key without roles can only read here.
    Row("POST", "/v1/tokens", AUDIENCE,               "401 201 201 201 401 401 201 201 201 403 401 403 403 403 403 201 201 201 201"),

    # For gateways: any active token, and more only if the gateway asks for it.
    Row("GET", "/v1/verify", None,                    "401 200 200 200 401 401 200 200 200 200 401 401 401 401 401 200 200 200 200"),
    Row("GET", "/v1/verify?role=admin", None,         "401 403 403 200 401 401 403 200 200 403 401 401 401 401 401 403 403 403 403"),

    Row("GET", "/v1/verify?role=support", None,       "401 403 403 403 401 401 403 403 403 403 401 401 401 401 401 403 200 403 200"),

    # Jane has no second factor here: 404 is the success of a caller who may look for it.
    Row("GET", "/v1/users/{id}/second-factor", None,  "401 200 404 200 401 401 403 403 403 403 401 403 403 403 403 200 200 403 403"),
    Row("POST", "/v1/users/{id}/second-factor", None, "401 201 404 403 401 401 403 403 403 403 401 403 403 403 403 403 403 403 403"),
    Row("DELETE", "/v1/users/{id}/second-factor",
        None,                                         "401 404 404 404 401 401 403 403 403 403 401 403 403 403 403 403 403 403 403"),
    Row("POST", "/v1/users/{id}/second-factor/confirm",
        CODE,                                         "401 404 404 403 401 401 403 403 403 403 401 403 403 403 403 403 403 403 403"),
    Row("POST", "/v1/users/{id}/second-factor/recovery-codes",
        None,                                         "401 404 404 403 401 401 403 403 403 403 401 403 403 403 403 403 403 403 403"),

    Row("POST", "/v1/invitations/accept", CHOSEN,     "422 422 422 422 422 422 422 422 422 422 422 422 422 422 422 422 422 422 422"),

    # Public, since users need these before they can sign in; email is not configured here. A
    # session verifies an address without a password, if it is one of the user's.
    Row("POST", "/v1/password-resets", MAIL,          "501 501 501 501 501 501 501 501 501 501 501 501 501 501 501 501 501 501 501"),
    Row("POST", "/v1/password-resets/confirm", RESET, "422 422 422 422 422 422 422 422 422 422 422 422 422 422 422 422 422 422 422"),
    Row("POST", "/v1/email-verifications", MAIL,      "501 501 501 501 501 501 501 501 501 501 501 501 501 501 501 501 501 501 501"),
    Row("POST", "/v1/email-verifications/confirm",
        TOKEN,                                        "422 422 422 422 401 401 403 403 403 403 401 403 403 403 403 422 422 403 403"),
]
# fmt: on
CELLS = [
    pytest.param(row, caller, status, id=f"{row.method} {row.path} by {caller}")
    for row in TABLE
    for caller, status in zip(CALLERS, row.statuses.split(), strict=True)
]
# The callers who are users with a session, and their keys.
CELLS_OF_USERS = [
    cell for cell in CELLS if cell.values[1] in ("jane", "eve", "john", "jane's key", "john's key")
]
OF_A_USER = [row for row in TABLE if "{id}" in row.path]
# Names of the callers in the table and in the routes.
NAMES = {
    "{session}": "{id}",
    "{key}": "{key_id}",
    "{client}": "{client_id}",
    "{secret}": "{secret_id}",
    "{invitation}": "{invitation_id}",
}


@pytest.fixture
def expire(app: Flask) -> Callable[..., None]:
    """Expire a session or a key."""

    def end(model: Any, person: Person) -> None:
        with app.app_context():
            row = model.get(person.id, person.session_id)
            row.update([model.expires_at.set(datetime.now(UTC))])

    return end


@pytest.fixture
def create_target(app: Flask, jane: Person) -> dict[str, str]:
    """Create the client, key, session or user that a request deletes."""
    with app.app_context():
        client, _ = app.extensions["roster"].clients.create("billing", **AUDIENCE)
        invitation = create_invitation("ada@example.com")
    return {
        "client": client.id,
        "invitation": invitation.id,
        "secret": client.secrets[0].id,
        "id": jane.id,
        "session": replace(jane).sign_in().session_id,
        "key": with_key(jane).session_id,
    }


@pytest.fixture
def request_as(
    app: Flask, client: FlaskClient, jane: Person, expire: Any, request: pytest.FixtureRequest
) -> Callable[[str], Request]:
    """Return a function that returns the request method of a caller.

    Others than jane are created for the cells that need them.
    """
    person: Callable[[str], Person] = request.getfixturevalue

    def suspended() -> Person:
        person("john").patch(jane.path, json={"status": "suspended"})
        return jane

    def expired(model: Any, person: Person) -> Person:
        expire(model, person)
        return person

    def client_with(scopes: set[ClientScope]) -> Person:
        with app.app_context():
            _, secret = app.extensions["roster"].clients.create("caller", scopes=scopes)
        return replace(jane, token=secret)

    makers: dict[str, Callable[[], Person]] = {
        "jane": lambda: jane,
        "eve": lambda: person("eve"),
        "john": lambda: person("john"),
        "suspended": suspended,
        "expired": lambda: expired(Session, replace(jane).sign_in()),
        "jane's key": lambda: with_key(jane, roles=["user"]),
        "john's key": lambda: with_key(person("john"), roles=["admin"]),
        "john's scoped key": lambda: with_key(person("john"), roles=["admin"], scopes=["accounts"]),
        "john's weak key": lambda: with_key(person("john"), roles=[]),
        "expired key": lambda: expired(ApiKey, with_key(jane)),
        "reader": lambda: client_with({ClientScope.USERS_READ}),
        "writer": lambda: client_with({ClientScope.USERS_WRITE}),
        "events reader": lambda: client_with({ClientScope.EVENTS_READ}),
        "service": lambda: client_with(set(ClientScope) - OF_USERS),
        "auditor": lambda: person("auditor"),
        "support": lambda: person("support"),
        "auditor's key": lambda: with_key(person("auditor"), roles=["auditor"]),
        "support's key": lambda: with_key(
            person("support"), roles=["support"], scopes=["accounts"]
        ),
    }

    def anonymously(method: str, path: str, **options: Any) -> TestResponse:
        return client.open(path, method=method, **options)

    return lambda name: anonymously if name == "anonymous" else makers[name]().request


class TestMatrix:
    @pytest.mark.parametrize("row, caller, status", CELLS)
    def test_cell(self, create_target, request_as, row, caller, status):
        """Each caller gets the table's status on each route."""
        request = request_as(caller)

        response = request(row.method, row.path.format(**create_target), json=row.body)

        assert response.status_code == int(status), response.text

    @pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row.method} {row.path}")
    def test_cookie(self, app, create_target, john, row):
        """ASVS 3.3.4: the cookies of an admin's browser are those of an anonymous caller."""
        client = app.test_client()
        for name in ("__Host-roster", "roster-local"):
            client.set_cookie(name, john.token)

        response = client.open(row.path.format(**create_target), method=row.method, json=row.body)

        assert response.status_code == int(row.statuses.split()[CALLERS.index("anonymous")])

    def test_every_route(self, app):
        """Each route is in the table."""
        routes = {
            (method, re.sub(r"<(?:[^>]*:)?([^>]+)>", r"{\1}", rule.rule))
            for rule in app.url_map.iter_rules()
            # The same view on every path below: tests/api/v1/test_verify.py.
            if rule.rule.startswith("/v1") and rule.endpoint != "verify-path"
            for method in rule.methods - {"HEAD", "OPTIONS"}
        }

        listed = {(row.method, _as_route(row.path)) for row in TABLE}
        assert routes == listed

    @pytest.mark.parametrize("row", OF_A_USER, ids=lambda row: f"{row.method} {row.path}")
    def test_unknown_id(self, john, eve, create_target, row):
        """ASVS 6.3.8: a user gets the same response for another user's id and for an unknown id."""
        there = eve.request(row.method, row.path.format(**create_target), json=row.body)

        absent = eve.request(
            row.method, row.path.format(**{**create_target, "id": ABSENT_ID}), json=row.body
        )

        assert absent.status_code == there.status_code
        assert absent.json["detail"] == there.json["detail"]


class TestWithoutUsername:
    @pytest.fixture
    def jane(self, create_user):
        """Return jane without a username."""
        return create_user("jane", has_username=False)

    @pytest.fixture
    def eve(self, create_user):
        """Return eve without a username."""
        return create_user("eve", has_username=False)

    @pytest.fixture
    def john(self, create_user):
        """Return john, an admin, without a username."""
        return create_user("john", roles=["admin"], has_username=False)

    @pytest.mark.parametrize("row, caller, status", CELLS_OF_USERS)
    def test_cell(self, create_target, request_as, row, caller, status):
        """Callers without a username get the same, also for a target without one."""
        request = request_as(caller)

        response = request(row.method, row.path.format(**create_target), json=row.body)

        assert response.status_code == int(status), response.text


def _as_route(path: str) -> str:
    path, _, _ = path.partition("?")
    for name, route in NAMES.items():
        path = path.replace(name, route)
    return path
