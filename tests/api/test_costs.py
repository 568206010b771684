"""The calls to DynamoDB that docs/operations.md documents: their costs and permissions.

The requests are the successful ones of tests/support/openapi_requests.py, with changes.
"""

import contextlib
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from api.oauth.schemas import ACCESS_TOKEN_TYPE, TOKEN_EXCHANGE
from flask_pynamodb.connection import AppConnection
from models import ClientScope, SigningKeys, TokenAlgorithm, db, resume_cleanup
from models.clock import now
from models.tables.login_attempts import MAX_CONSECUTIVE_FAILURES, Attempts
from roster.email.file_backend import FileBackend, link_of
from tests.api.openapi.test_every_response import CALLS, send
from tests.support.authenticator import Authenticator
from tests.support.clock import Clock
from tests.support.documents import DOCS, blocks, code, rows
from tests.support.openapi_requests import CHOSEN, GRANTED, MAIL, MERGE, REPEATABLE, SIGN_IN
from tests.support.person import PASSWORD, Person
from tests.support.preconditions import (
    ABSENT_DIGEST,
    AUDIENCE,
    KEYED,
    Scenario,
    by_machine,
    calling_client,
    client_created,
    confirmed,
    duplicated,
    locked,
    mailing,
    moved_with_key,
    reset_mailed,
    sent_with_key,
    verification_mailed,
    verified,
)
from tests.support.responses import ABSENT_ID, NEW_PASSWORD

PAGE = DOCS / "operations.md"
COSTS = {
    (code(row[0]), row[1]): [float(number) for number in row[2:]]
    for row in rows(PAGE)
    if len(row) == 5
}
OPERATIONS = {f"{method} {path}": name for name, (method, path) in CALLS.items()}

READS = {"BatchGetItem", "GetItem", "Query"}


def second_factor_ready(scenario: Scenario) -> None:
    """Give jane a second factor and a code that was not used yet."""
    secret = scenario.jane.post("/v1/users/me/second-factor").json["secret"]
    telephone = Authenticator(secret, time.time)
    first = {"otp": telephone.code()}
    assert scenario.jane.post("/v1/users/me/second-factor/confirm", json=first).status_code == 200
    scenario.placeholders["otp"] = telephone.code(1)


def recently_used_key(scenario: Scenario) -> None:
    """Give jane an API key that was just used."""
    by_machine(scenario)
    assert scenario.people["machine"].get("/v1/users/me").status_code == 200


def unknown_login_locked(scenario: Scenario) -> None:
    """Lock an unknown login by failed attempts."""
    with scenario.app.app_context():
        subject = scenario.app.extensions["roster"].sessions.logins.unknown_login_key("unknown")
        Attempts(
            subject,
            failed_attempts=MAX_CONSECUTIVE_FAILURES,
            last_attempt_at=now(),
            remove_at=now(),
        ).save()


def audience_in_use(scenario: Scenario) -> None:
    """Create a client with an audience, and an access token for it."""
    client_created(scenario)
    response = scenario.jane.post("/v1/tokens", json={"audience": AUDIENCE})
    assert response.status_code == 201
    scenario.placeholders["introspected"] = response.json["access_token"]


def keys_not_read(scenario: Scenario) -> None:
    """Let another process have created the key that signs access tokens."""
    with scenario.app.app_context():
        scenario.app.extensions["roster"].signing_keys.signer()
    scenario.app.extensions["roster"].signing_keys.forget()


def rotate_keys_twice(app: Flask) -> None:
    """Rotate the keys of access tokens until the oldest one is removed."""
    clock = Clock()
    keys = SigningKeys(
        ["only for tests"], TokenAlgorithm.ES256, app.extensions["roster"].background, clock=clock
    )
    for _ in range(2):
        keys.signer()
        clock.move(days=89)
        keys.signer()
        assert app.extensions["roster"].background.drain(10)


def change_mailed(scenario: Scenario) -> None:
    """Email jane a token to confirm another address."""
    mailing(scenario)
    scenario.jane.patch("/v1/users/me", json=ANOTHER_ADDRESS)
    assert scenario.app.extensions["roster"].second_factors.mailer.drain(10)
    folder = FileBackend(scenario.folder)
    links = [link_of(folder.find(id)) for id in folder.ids()]
    [scenario.placeholders["token"]] = [link.partition("#token=")[2] for link in links if link]


def known_device(scenario: Scenario) -> None:
    """Sign jane in on a device that is known from then on; the session ends."""
    opened = scenario.jane.client.post("/v1/sessions", json=SIGN_IN).json
    scenario.placeholders["device"] = opened["device_token"]
    headers = {"Authorization": f"Bearer {opened['token']}"}
    ended = scenario.jane.client.delete("/v1/sessions/current", headers=headers)
    assert ended.status_code == 204


class Anonymous(Person):
    """A client without a token."""

    def request(self, method: str, path: str, **options: Any) -> TestResponse:
        return self.client.open(path, method=method, **options)


class Case(NamedTuple):
    """How the call of a row differs from the successful request of its operation.

    Attributes:
        status: The expected status, None for success.
        changes: Differences, as `send` accepts them.
    """

    status: int | None
    changes: dict[str, Any]


ANOTHER_ADDRESS = {"email": "jeanne@example.com"}
NEW_USER = {"username": "ada", "email": "ada@example.com", "password": NEW_PASSWORD}
NEW_ADMIN = {"username": "ida", "email": "ida@example.com", "password": PASSWORD}
# Cases of operations that have several rows; other rows are the successful request.
CASES: dict[tuple[str, str], Case] = {
    ("POST /v1/sessions", "an admin signed in"): Case(201, {"json": {**SIGN_IN, "login": "john"}}),
    ("POST /v1/sessions", "with a code of the second factor"): Case(
        201, {"json": {**SIGN_IN, "otp": "{otp}"}, "given": (second_factor_ready,)}
    ),
    ("POST /v1/sessions", "rejected, code missing"): Case(401, {"given": (confirmed,)}),
    ("POST /v1/sessions", "rejected, wrong password"): Case(
        401, {"json": {**SIGN_IN, "password": "wrong"}}
    ),
    ("POST /v1/sessions", "rejected, unknown login"): Case(
        401, {"json": {**SIGN_IN, "login": "unknown"}}
    ),
    ("POST /v1/sessions", "rejected, locked out"): Case(429, {"given": (locked,)}),
    ("POST /v1/sessions", "rejected, unknown login, locked out"): Case(
        429, {"json": {**SIGN_IN, "login": "unknown"}, "given": (unknown_login_locked,)}
    ),
    ("POST /v1/users", "by an admin"): Case(201, {"by": "john"}),
    ("POST /v1/users", "by an admin, of an admin"): Case(
        201, {"by": "john", "json": {**NEW_ADMIN, "roles": ["admin"]}}
    ),
    ("POST /v1/users", "by anyone"): Case(201, {"by": "anonymous"}),
    ("POST /v1/users", "by anyone, without a username"): Case(
        201, {"by": "anonymous", "json": {"email": "new@example.com", "password": NEW_PASSWORD}}
    ),
    ("POST /v1/users", "by anyone, with a name of two words"): Case(
        201, {"by": "anonymous", "json": {**NEW_USER, "full_name": "Ada Lovelace"}}
    ),
    ("GET /v1/users", "`q=`, few found"): Case(200, {"query_string": {"q": "ja"}}),
    ("GET /v1/users", "`role=admin`, few admins"): Case(200, {"query_string": {"role": "admin"}}),
    ("GET /v1/users", "`status=suspended`, few suspended"): Case(
        200, {"query_string": {"status": "suspended"}}
    ),
    ("GET /v1/users", "`username=`, `email=` or `external_id=`"): Case(
        200, {"query_string": {"username": "jane"}}
    ),
    ("GET /v1/users/{id}", "by an admin"): Case(200, {"by": "john", "id": "jane"}),
    ("GET /v1/users/{id}", "by an API key"): Case(
        200, {"by": "machine", "given": (recently_used_key,)}
    ),
    ("GET /v1/users/{id}", "by an API key, first use"): Case(
        200, {"by": "machine", "given": (by_machine,)}
    ),
    ("GET /v1/users/{id}", "by a client"): Case(
        200, {"by": "gateway", "id": "jane", "given": (calling_client,)}
    ),
    ("POST /v1/users", "by a client"): Case(201, {"by": "gateway", "given": (calling_client,)}),
    ("PATCH /v1/users/{id}", "by a client"): Case(
        200, {"by": "gateway", "id": "jane", "given": (calling_client,)}
    ),
    ("PATCH /v1/users/{id}", "own account, by an API key"): Case(
        200, {"by": "machine", "given": (recently_used_key,)}
    ),
    ("PATCH /v1/users/{id}", "own account, same username"): Case(
        200, {"json": {"username": "jane"}}
    ),
    ("PATCH /v1/users/{id}", "own account, new username"): Case(
        200, {"json": {"username": "jeanne"}}
    ),
    ("PATCH /v1/users/{id}", "own account, username removed"): Case(
        200, {"json": {"username": None}}
    ),
    ("PATCH /v1/users/{id}", "own account, new address, to be verified"): Case(
        202, {"json": ANOTHER_ADDRESS, "given": (mailing,)}
    ),
    ("PATCH /v1/users/{id}", "own account, new address, without emails"): Case(
        200, {"json": ANOTHER_ADDRESS}
    ),
    ("PATCH /v1/users/{id}", "by an admin"): Case(200, {"by": "john", "id": "jane"}),
    ("PATCH /v1/users/{id}", "by an admin, new `external_id`"): Case(
        200, {"by": "john", "id": "jane", "json": {"external_id": "crm-1042"}}
    ),
    ("PATCH /v1/users/{id}", "by an admin, to or from the role admin"): Case(
        200, {"by": "john", "id": "jane", "json": {"roles": ["admin"]}}
    ),
    ("PATCH /v1/users/{id}", "by an admin, suspending, one session"): Case(
        200, {"by": "john", "id": "jane", "json": {"status": "suspended"}}
    ),
    ("DELETE /v1/users/{id}", "by an admin, one session"): Case(204, {"by": "john", "id": "jane"}),
    ("POST /v1/users/{id}/moves", "the email address, no session"): Case(
        200, {"json": MERGE, "given": (duplicated,)}
    ),
    ("POST /v1/users/{id}/moves", "with `Idempotency-Key`"): Case(200, {"headers": KEYED}),
    ("POST /v1/users/{id}/moves", "a repeat"): Case(
        200, {"headers": KEYED, "given": (moved_with_key,)}
    ),
    ("GET /v1/users/{id}/sessions", ""): Case(200, {"id": "jane"}),
    ("DELETE /v1/users/{id}/sessions", "one session"): Case(204, {"id": "jane"}),
    ("GET /v1/events", "`actor=`, a user"): Case(
        200, {"query_string": {"actor": ABSENT_ID, "user": None}}
    ),
    ("GET /v1/events", "`actor=`, an API key"): Case(
        200, {"query_string": {"actor": ABSENT_DIGEST, "user": None}}
    ),
    ("POST /v1/clients", "with an audience"): Case(
        201, {"json": {"name": "gateway", "audience": "https://gateway.example.com"}}
    ),
    ("POST /v1/invitations", "with `external_id`"): Case(
        201, {"json": {"email": "new@example.com", "external_id": "crm-1042"}}
    ),
    ("POST /v1/invitations/accept", "by anyone, without a username"): Case(
        201, {"by": "anonymous"}
    ),
    ("POST /v1/invitations/accept", "by anyone, with a username"): Case(
        201, {"by": "anonymous", "json": {**CHOSEN, "username": "ida"}}
    ),
    ("POST /v1/email-verifications", "unknown address"): Case(
        202, {"json": {"email": "unknown@example.com"}}
    ),
    ("POST /v1/email-verifications/confirm", "the current address, with the password"): Case(
        204,
        {
            "by": "anonymous",
            "json": {"token": "{token}", "password": PASSWORD},
            "given": (verification_mailed,),
        },
    ),
    ("POST /v1/email-verifications/confirm", "a new address, in a session"): Case(
        204, {"given": (change_mailed,)}
    ),
    ("POST /v1/password-resets", "known address, known device"): Case(
        202, {"json": {**MAIL, "device_token": "{device}"}, "given": (mailing, known_device)}
    ),
    ("POST /v1/password-resets/confirm", "one session, signing in"): Case(
        201,
        {
            "json": {"token": "{token}", "new_password": NEW_PASSWORD, "sign_in": True},
            "given": (verified, reset_mailed),
        },
    ),
    ("POST /v1/sessions", "signed in, on a known device"): Case(
        201, {"json": {**SIGN_IN, "device_token": "{device}"}, "given": (known_device,)}
    ),
    ("POST /v1/password-resets", "unknown address"): Case(
        202, {"json": {"email": "unknown@example.com"}}
    ),
    ("POST /v1/password-resets/confirm", "one session"): Case(
        204, {"given": (verified, reset_mailed)}
    ),
    ("POST /v1/tokens", "client and keys in memory"): Case(201, {"given": (audience_in_use,)}),
    ("POST /v1/tokens", "client and keys not read in the last minute"): Case(
        201, {"given": (client_created, keys_not_read)}
    ),
    ("POST /v1/tokens", "the first token of the service"): Case(201, {}),
    ("GET /v1/verify", "`audience=`"): Case(
        200, {"query_string": {"audience": AUDIENCE}, "given": (audience_in_use,)}
    ),
    ("GET /v1/users/{id}/second-factor", "there is one"): Case(200, {"given": (confirmed,)}),
    ("DELETE /v1/users/{id}/second-factor", "by an admin, one session"): Case(
        204, {"by": "john", "id": "jane"}
    ),
    ("DELETE /v1/users/{id}/api-keys/{key_id}", "by an admin"): Case(
        204, {"by": "john", "id": "jane"}
    ),
}  # fmt: skip

# Operations that callers without a token use, too.
PUBLIC = ("create_user", "accept_invitation")
WITH_KEY = "with `Idempotency-Key`"
for _name, _path in REPEATABLE.items():
    _granted = GRANTED[_name]
    _by = "anonymous" if _name in PUBLIC else _granted.by
    _sent = sent_with_key(_by, _path, _granted.body)
    _case = "by anyone, " if _name in PUBLIC else ""
    _route = " ".join(CALLS[_name])
    _changes = {"by": _by, "headers": KEYED}
    CASES[_route, f"{_case}{WITH_KEY}"] = Case(201, _changes)
    CASES[_route, f"{_case}a repeat"] = Case(201, {**_changes, "given": (*_granted.given, _sent)})


def known_client(scenario: Scenario) -> None:
    """Create a client that may introspect, and let the service read it."""
    with scenario.app.app_context():
        clients = scenario.app.extensions["roster"].clients
        _, secret = clients.create("gateway", scopes=[ClientScope.INTROSPECT])
        clients.authenticate(secret)
    scenario.placeholders["client_secret"] = secret


def first_use_of_client(scenario: Scenario) -> None:
    """Create a client that may introspect."""
    with scenario.app.app_context():
        clients = scenario.app.extensions["roster"].clients
        _, secret = clients.create("gateway", scopes=[ClientScope.INTROSPECT])
    scenario.placeholders["client_secret"] = secret


def key_to_introspect(scenario: Scenario) -> None:
    """Introspect an API key that was just used."""
    recently_used_key(scenario)
    scenario.placeholders["introspected"] = scenario.people["machine"].token


def access_token_to_introspect(scenario: Scenario) -> None:
    """Introspect an access token, by the client that it is meant for."""
    with scenario.app.app_context():
        clients = scenario.app.extensions["roster"].clients
        _, secret = clients.create("api", scopes=[ClientScope.INTROSPECT], audience=AUDIENCE)
        clients.authenticate(secret)
    response = scenario.jane.post("/v1/tokens", json={"audience": AUDIENCE})
    words = {"client_secret": secret, "introspected": response.json["access_token"]}
    scenario.placeholders |= words


def introspect(scenario: Scenario, path: str) -> TestResponse:
    """Introspect jane's token, or that of the preconditions."""
    words = {"introspected": scenario.jane.token, **scenario.placeholders}
    headers = {"Authorization": f"Bearer {words['client_secret']}"}
    form = words.get("form", {"token": words["introspected"]})
    return scenario.jane.client.post(path, data=form, headers=headers)


def client_token_to_introspect(scenario: Scenario) -> None:
    """Introspect the own token of a client, by the client that it is meant for."""
    access_token_to_introspect(scenario)
    scopes = [ClientScope.TOKENS]
    with scenario.app.app_context():
        services = scenario.app.extensions["roster"]
        client, secret = services.clients.create("caller", scopes=scopes)
        services.clients.authenticate(secret)
        issued = services.access_tokens.issue_to_client(client, AUDIENCE)
    scenario.placeholders["introspected"] = issued.token


def client_of_tokens(scenario: Scenario) -> None:
    """Create a client that gets tokens, and let the service read it, an audience and the keys."""
    audience_in_use(scenario)
    calling_client(scenario)
    words = scenario.placeholders
    words["client_secret"] = scenario.people["gateway"].token
    words["form"] = {"grant_type": "client_credentials", "audience": AUDIENCE}


def exchange(scenario: Scenario) -> None:
    """Exchange jane's token."""
    client_of_tokens(scenario)
    scenario.placeholders["form"] = {
        "grant_type": TOKEN_EXCHANGE,
        "audience": AUDIENCE,
        "subject_token": scenario.jane.token,
        "subject_token_type": ACCESS_TOKEN_TYPE,
    }


# Rows of operations of OAuth, and of documents: their preconditions.
OAUTH: dict[tuple[str, str], tuple[Any, ...]] = {
    ("POST /oauth/introspect", "a session"): (known_client,),
    ("POST /oauth/introspect", "a session, client not read in the last 30 seconds, first use"): (
        first_use_of_client,
    ),
    ("POST /oauth/introspect", "an API key"): (known_client, key_to_introspect),
    ("POST /oauth/introspect", "an access token"): (access_token_to_introspect,),
    ("POST /oauth/introspect", "an access token of a client"): (client_token_to_introspect,),
    ("POST /oauth/token", "client credentials; clients and keys in memory"): (client_of_tokens,),
    ("POST /oauth/token", "token exchange; clients and keys in memory"): (exchange,),
    ("GET /.well-known/jwks.json", "keys in memory"): (audience_in_use,),
}

# Rows that, in this order, make every kind of call to DynamoDB.
EVERY_KIND = [
    ("POST /v1/email-verifications/confirm", "the current address, with the password"),
    ("GET /health/ready", ""),
    ("GET /v1/users", "few users"),
    ("GET /v1/users", "`role=admin`, few admins"),
    ("GET /v1/users", "`status=suspended`, few suspended"),
    ("GET /v1/users", "`username=`, `email=` or `external_id=`"),
    ("GET /v1/users", "`q=`, few found"),
    ("POST /v1/users", "by an admin, of an admin"),
    ("POST /v1/sessions", "rejected, unknown login, locked out"),
    ("POST /v1/sessions", "signed in, on a known device"),
    ("POST /v1/users/{id}/second-factor", ""),
    ("POST /v1/sessions", "with a code of the second factor"),
    ("PUT /v1/users/{id}/password", "no other session"),
    ("POST /v1/users/{id}/api-keys", "few keys"),
    ("GET /v1/users/{id}", "by an API key, first use"),
    ("DELETE /v1/users/{id}/api-keys/{key_id}", "own account"),
    ("PATCH /v1/users/{id}", "own account, by an API key"),
    ("POST /v1/users", "by a client"),
    ("GET /v1/users/{id}/events", ""),
    ("GET /v1/events", "`actor=`, a user"),
    ("GET /v1/events", "`actor=`, an API key"),
    ("GET /v1/statistics", ""),
    ("POST /v1/clients", "with an audience"),
    ("POST /v1/invitations", "with `external_id`"),
    ("GET /v1/invitations", "few invitations"),
    ("DELETE /v1/invitations/{invitation_id}", ""),
    ("POST /v1/invitations/accept", "by anyone, without a username"),
    ("GET /v1/clients", "few clients"),
    ("DELETE /v1/clients/{client_id}", "with an audience"),
    ("POST /v1/tokens", "the first token of the service"),
    ("POST /oauth/introspect", "a session, client not read in the last 30 seconds, first use"),
    ("DELETE /v1/sessions/current", ""),
    ("POST /v1/password-resets/confirm", "one session"),
    ("POST /v1/password-resets", "known address"),
    ("DELETE /v1/users/{id}", "by an admin, one session"),
]


@dataclass
class Ledger:
    """Calls to DynamoDB and the consumed capacity that DynamoDB reports."""

    scenario: Scenario
    prefix: str
    trips: int = 0
    reads: float = 0
    writes: float = 0
    rights: set[tuple[str, str]] = field(default_factory=set)
    is_open: bool = True

    def note(self, answer: dict[str, Any], operation: str) -> None:
        capacity = answer.get("ConsumedCapacity") or []
        tables = capacity if isinstance(capacity, list) else [capacity]
        units = sum(table["CapacityUnits"] for table in tables)
        self.reads += units if operation in READS else 0
        self.writes += 0 if operation in READS else units

    def note_rights(self, operation: str, request: dict[str, Any]) -> None:
        self.rights |= {
            (f"dynamodb:{action}", resource.replace(self.prefix, "roster-"))
            for action, resource in _rights(operation, request)
        }

    def open(self, scenario: Scenario) -> None:
        """Record calls from now on, without those of background work that was caused before."""
        assert scenario.app.extensions["roster"].background.drain(10)
        self.is_open = True

    def call(self, route: str, case: str) -> None:
        """Make the call of a row without counting its preparation."""
        if (route, case) in OAUTH:
            self._call_oauth(route, OAUTH[route, case])
            return
        name = OPERATIONS[route]
        status, changes = CASES.get((route, case), Case(None, {}))
        given = (*changes.get("given", GRANTED[name].given), self.open)
        self.is_open = False
        response = send(self.scenario, name, **{**changes, "given": given})
        assert response.status_code in ([status] if status else [200, 201, 202, 204]), response.text

    def _call_oauth(self, route: str, given: tuple[Any, ...]) -> None:
        self.is_open = False
        for bring_about in (*given, self.open):
            bring_about(self.scenario)
        method, path = route.split()
        if method == "GET":
            assert self.scenario.jane.client.get(path).status_code == 200
            return
        response = introspect(self.scenario, path)
        assert response.status_code == 200, response.text
        assert response.json.get("active", True) is True


def _rights(operation: str, request: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Return the actions and resources that IAM checks."""
    if operation == "TransactWriteItems":
        for write in request["TransactItems"]:
            [(kind, item)] = write.items()
            yield f"{kind}Item", item["TableName"]
    elif operation.startswith("Batch"):
        for table in request["RequestItems"]:
            yield operation, table
    else:
        index = f"/index/{request['IndexName']}" if "IndexName" in request else ""
        yield operation, request["TableName"] + index


@pytest.fixture
def ledger(config, app, make_app, john, jane, tmp_path, monkeypatch) -> Iterator[Ledger]:
    """Record every call to DynamoDB."""
    people = {"john": john, "jane": jane, "anonymous": Anonymous(jane.client, "unknown")}
    with contextlib.ExitStack() as at_end:
        scenario = Scenario(app, people, tmp_path, make_app, monkeypatch, at_end)
        ledger = Ledger(scenario, config.dynamodb["DYNAMODB_TABLE_PREFIX"])
        send = AppConnection._make_api_call

        def noted(self: AppConnection, operation: str, request: dict[str, Any], *more: Any) -> Any:
            if not ledger.is_open:
                return send(self, operation, request, *more)
            ledger.note_rights(operation, request)
            ledger.trips += 1
            response = send(self, operation, request, *more)
            ledger.note(response, operation)
            return response

        monkeypatch.setattr(AppConnection, "_make_api_call", noted)
        yield ledger


class TestCosts:
    @pytest.mark.parametrize(("route", "case"), COSTS)
    def test_row(self, ledger, route, case):
        """A call costs the round trips, reads and writes of its row, and the policy allows it."""
        ledger.call(route, case)

        assert [ledger.trips, ledger.reads, ledger.writes] == COSTS[route, case]
        assert ledger.rights - _allowed(blocks(PAGE, "json")[0]) == set()

    def test_every_operation_has_a_row(self):
        """Each operation under /v1 and /oauth has a row in docs/operations.md."""
        operations = {each for each in OPERATIONS if " /v1/" in each or " /oauth/" in each}

        assert operations - {route for route, _ in COSTS} == set()

    def test_every_case_has_a_row(self):
        """Each case of this module has a row in docs/operations.md."""
        assert CASES.keys() | OAUTH.keys() <= COSTS.keys()


class TestPolicies:
    def test_service_policy_is_minimal(self, ledger, app):
        """The documented calls, a start and a cleanup need exactly this policy."""
        for row in EVERY_KIND:
            ledger.call(*row)
        with app.app_context():
            db.connection.client.meta.events.register(
                "before-parameter-build.dynamodb",
                lambda params, model, **_: ledger.note_rights(model.name, params),
            )
            db.check_all()
            resume_cleanup()
            rotate_keys_twice(app)

        assert ledger.rights == _allowed(blocks(PAGE, "json")[0])

    def test_setup_policy(self):
        """The policy for setup covers every table, and allows no access to items."""
        policy = json.loads(blocks(PAGE, "json")[1])
        [statement] = policy["Statement"]

        assert statement["Resource"].endswith(":table/roster-*")
        assert not any("Item" in action for action in statement["Action"])


def _allowed(policy: str) -> set[tuple[str, str]]:
    return {
        (action, resource.rpartition(":table/")[2])
        for statement in json.loads(policy)["Statement"]
        for action in _several(statement["Action"])
        for resource in _several(statement["Resource"])
    }


def _several(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value
