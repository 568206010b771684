"""What docs/operations.md says of the calls to DynamoDB: what each costs, and which are allowed.

The requests are those that tests/api/openapi/requests.py grants, and changes to them.
"""

import contextlib
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import pytest
from werkzeug.test import TestResponse

from flask_pynamodb.connection import AppConnection
from models import db, resume_cleanup
from models.clock import now
from models.tables.login_attempts import MAX_CONSECUTIVE_FAILURES, Attempts
from roster.email.file_backend import FileBackend, link_of
from tests.api.openapi.test_every_answer import CALLS, ask
from tests.support.authenticator import Authenticator
from tests.support.documents import DOCS, blocks, code, rows
from tests.support.openapi_requests import GRANTED, SIGN_IN
from tests.support.person import PASSWORD, Person
from tests.support.preconditions import Scene, by_machine, confirmed, locked, mailing

PAGE = DOCS / "operations.md"
COSTS = {
    (code(row[0]), row[1]): [float(number) for number in row[2:]]
    for row in rows(PAGE)
    if len(row) == 5
}
OPERATIONS = {f"{method} {path}": name for name, (method, path) in CALLS.items()}

READS = {"BatchGetItem", "GetItem", "Query"}


def code_at_hand(scene: Scene) -> None:
    """Jane has a second factor, and looks at the code that comes after the first one."""
    secret = scene.jane.post("/v1/users/me/second-factor").json["secret"]
    telephone = Authenticator(secret, time.time)
    first = {"otp": telephone.code()}
    assert scene.jane.post("/v1/users/me/second-factor/confirm", json=first).status_code == 200
    scene.words["otp"] = telephone.code(1)


def used_key(scene: Scene) -> None:
    """A program of jane's has a key that it has just used."""
    by_machine(scene)
    assert scene.people["machine"].get("/v1/users/me").status_code == 200


def nobody_locked(scene: Scene) -> None:
    """So many tried to sign in as somebody who is not there that nobody is let try for a while."""
    with scene.app.app_context():
        subject = scene.app.extensions["roster"].sessions.logins.unknown_login_key("nobody")
        Attempts(
            subject,
            failed_attempts=MAX_CONSECUTIVE_FAILURES,
            last_attempt_at=now(),
            remove_at=now(),
        ).save()


def change_mailed(scene: Scene) -> None:
    """Jane has a mail to confirm another address."""
    mailing(scene)
    scene.jane.patch("/v1/users/me", json=ANOTHER_ADDRESS)
    assert scene.app.extensions["roster"].second_factors.mailer.drain(10)
    mails = FileBackend(scene.folder)
    links = [link_of(mails.find(id)) for id in mails.ids()]
    [scene.words["token"]] = [link.partition("#token=")[2] for link in links if link]


class Stranger(Person):
    """Somebody who is not signed in."""

    def request(self, method: str, path: str, **options: Any) -> TestResponse:
        return self.client.open(path, method=method, **options)


class Case(NamedTuple):
    """How the call of a row differs from the one that its operation grants.

    Attributes:
        status: What it is answered, None if it is granted.
        changes: What is different, as `ask` takes it.
    """

    status: int | None
    changes: dict[str, Any]


ANOTHER_ADDRESS = {"email": "jeanne@example.com"}
NEW_ADMIN = {"username": "ida", "email": "ida@example.com", "password": PASSWORD}
# The cases of operations that have several; any other row is the request that is granted.
CASES: dict[tuple[str, str], Case] = {
    ("POST /v1/sessions", "an admin signed in"): Case(201, {"json": {**SIGN_IN, "login": "john"}}),
    ("POST /v1/sessions", "with a code of the second factor"): Case(
        201, {"json": {**SIGN_IN, "otp": "{otp}"}, "given": (code_at_hand,)}
    ),
    ("POST /v1/sessions", "refused, code missing"): Case(401, {"given": (confirmed,)}),
    ("POST /v1/sessions", "refused, wrong password"): Case(
        401, {"json": {**SIGN_IN, "password": "wrong"}}
    ),
    ("POST /v1/sessions", "refused, unknown login"): Case(
        401, {"json": {**SIGN_IN, "login": "nobody"}}
    ),
    ("POST /v1/sessions", "refused, locked"): Case(429, {"given": (locked,)}),
    ("POST /v1/sessions", "refused, unknown login, locked"): Case(
        429, {"json": {**SIGN_IN, "login": "nobody"}, "given": (nobody_locked,)}
    ),
    ("POST /v1/users", "by an admin"): Case(201, {"by": "john"}),
    ("POST /v1/users", "by an admin, of an admin"): Case(
        201, {"by": "john", "json": {**NEW_ADMIN, "roles": ["admin"]}}
    ),
    ("POST /v1/users", "by anyone"): Case(201, {"by": "stranger"}),
    ("GET /v1/users", "`role=admin`, few admins"): Case(200, {"query_string": {"role": "admin"}}),
    ("GET /v1/users", "`status=suspended`, few suspended"): Case(
        200, {"query_string": {"status": "suspended"}}
    ),
    ("GET /v1/users", "`username=` or `email=`"): Case(200, {"query_string": {"username": "jane"}}),
    ("GET /v1/users/{id}", "by an admin"): Case(200, {"by": "john", "id": "jane"}),
    ("GET /v1/users/{id}", "by an API key"): Case(200, {"by": "machine", "given": (used_key,)}),
    ("GET /v1/users/{id}", "by an API key, first use"): Case(
        200, {"by": "machine", "given": (by_machine,)}
    ),
    ("PATCH /v1/users/{id}", "oneself, nothing differs"): Case(200, {"json": {"username": "jane"}}),
    ("PATCH /v1/users/{id}", "oneself, new user name"): Case(200, {"json": {"username": "jeanne"}}),
    ("PATCH /v1/users/{id}", "oneself, new address, to be confirmed"): Case(
        200, {"json": ANOTHER_ADDRESS, "given": (mailing,)}
    ),
    ("PATCH /v1/users/{id}", "oneself, new address, without mails"): Case(
        200, {"json": ANOTHER_ADDRESS}
    ),
    ("PATCH /v1/users/{id}", "by an admin"): Case(200, {"by": "john", "id": "jane"}),
    ("PATCH /v1/users/{id}", "by an admin, to or from the role admin"): Case(
        200, {"by": "john", "id": "jane", "json": {"roles": ["admin"]}}
    ),
    ("PATCH /v1/users/{id}", "by an admin, suspending, one session"): Case(
        200, {"by": "john", "id": "jane", "json": {"status": "suspended"}}
    ),
    ("DELETE /v1/users/{id}", "by an admin, one session"): Case(204, {"by": "john", "id": "jane"}),
    ("GET /v1/users/{id}/sessions", ""): Case(200, {"id": "jane"}),
    ("DELETE /v1/users/{id}/sessions", "one session"): Case(204, {"id": "jane"}),
    ("POST /v1/email-verifications", "unknown address"): Case(
        202, {"json": {"email": "nobody@example.com"}}
    ),
    ("POST /v1/email-verifications/confirm", "a new address"): Case(
        204, {"given": (change_mailed,)}
    ),
    ("POST /v1/password-resets", "unknown address"): Case(
        202, {"json": {"email": "nobody@example.com"}}
    ),
    ("GET /v1/users/{id}/second-factor", "there is one"): Case(200, {"given": (confirmed,)}),
    ("DELETE /v1/users/{id}/second-factor", "by an admin"): Case(
        204, {"by": "john", "id": "jane"}
    ),
    ("DELETE /v1/users/{id}/api-keys/{key_id}", "by an admin"): Case(
        204, {"by": "john", "id": "jane"}
    ),
}  # fmt: skip

# Rows that, in this order, make every kind of call to DynamoDB that there is.
EVERY_KIND = [
    ("GET /health/ready", ""),
    ("GET /v1/users", "few users"),
    ("GET /v1/users", "`role=admin`, few admins"),
    ("GET /v1/users", "`status=suspended`, few suspended"),
    ("GET /v1/users", "`username=` or `email=`"),
    ("POST /v1/users", "by an admin, of an admin"),
    ("POST /v1/sessions", "refused, unknown login, locked"),
    ("POST /v1/users/{id}/second-factor", ""),
    ("POST /v1/sessions", "with a code of the second factor"),
    ("PUT /v1/users/{id}/password", "no other session"),
    ("POST /v1/users/{id}/api-keys", "few keys"),
    ("GET /v1/users/{id}", "by an API key, first use"),
    ("DELETE /v1/users/{id}/api-keys/{key_id}", "oneself"),
    ("GET /v1/users/{id}/events", ""),
    ("DELETE /v1/sessions/current", ""),
    ("POST /v1/password-resets/confirm", "one session"),
    ("POST /v1/password-resets", "known address"),
    ("DELETE /v1/users/{id}", "by an admin, one session"),
]


@dataclass
class Ledger:
    """What is sent to DynamoDB, and what DynamoDB says that it cost."""

    scene: Scene
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

    def open(self, scene: Scene) -> None:
        """Note calls from now on."""
        self.is_open = True

    def call(self, route: str, case: str) -> None:
        """Make the call of a row; what has to have happened before is not counted."""
        name = OPERATIONS[route]
        status, changes = CASES.get((route, case), Case(None, {}))
        given = (*changes.get("given", GRANTED[name].given), self.open)
        self.is_open = False
        answer = ask(self.scene, name, **{**changes, "given": given})
        assert answer.status_code in ([status] if status else [200, 201, 202, 204]), answer.text


def _rights(operation: str, request: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The actions and resources that IAM looks at."""
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
    """An account of every call to DynamoDB from now on."""
    people = {"john": john, "jane": jane, "stranger": Stranger(jane.client, "nobody")}
    with contextlib.ExitStack() as at_end:
        scene = Scene(app, people, tmp_path, make_app, monkeypatch, at_end)
        ledger = Ledger(scene, config.dynamodb["DYNAMODB_TABLE_PREFIX"])
        send = AppConnection._make_api_call

        def noted(self: AppConnection, operation: str, request: dict[str, Any], *more: Any) -> Any:
            if not ledger.is_open:
                return send(self, operation, request, *more)
            ledger.note_rights(operation, request)
            ledger.trips += 1
            answer = send(self, operation, request, *more)
            ledger.note(answer, operation)
            return answer

        monkeypatch.setattr(AppConnection, "_make_api_call", noted)
        yield ledger


class TestCosts:
    @pytest.mark.parametrize(("route", "case"), COSTS)
    def test_row(self, ledger, route, case):
        """A call costs as many round trips, reads and writes as its row says."""
        ledger.call(route, case)

        assert [ledger.trips, ledger.reads, ledger.writes] == COSTS[route, case]

    def test_every_operation_has_a_row(self):
        """A new operation under /v1 needs a row in docs/operations.md."""
        operations = {operation for operation in OPERATIONS if " /v1/" in operation}

        assert operations - {route for route, _ in COSTS} == set()

    def test_every_case_has_a_row(self):
        """What is made to happen here is told there."""
        assert CASES.keys() - COSTS.keys() == set()


class TestPolicies:
    def test_service_may_do_what_it_does_and_nothing_else(self, ledger, app):
        """The calls of the table of costs, of a start and of a sweep need exactly this policy."""
        for row in EVERY_KIND:
            ledger.call(*row)
        with app.app_context():
            db.connection.client.meta.events.register(
                "before-parameter-build.dynamodb",
                lambda params, model, **_: ledger.note_rights(model.name, params),
            )
            db.check_all()
            resume_cleanup()

        assert ledger.rights == _allowed(blocks(PAGE, "json")[0])

    def test_set_up_may_make_every_table(self):
        """The policy for set-up holds for every table, and lets nobody read or write items."""
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
