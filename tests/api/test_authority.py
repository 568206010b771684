"""A right that is taken away while a request is processed is not used (ASVS 7.4.1, 8.3.2, 15.4.2).

Each request is authorized, then the caller loses what authorized it, then the request continues.
"""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest
from flask import Flask

from flask_pynamodb.signals import call_finished
from models import ApiKey, ClientScope, Invitation, OAuthClient, Session, User
from models.tables.audit_event import AuditEvent, EventType
from models.tables.identifier import Identifier
from models.tables.one_time_token import OneTimeToken
from models.tables.second_factor import SecondFactor
from tests.support.api_keys import with_key
from tests.support.person import NEW_PASSWORD, PASSWORD, Person
from tests.support.preconditions import (
    INVITED,
    Scenario,
    client_created,
    confirmed,
    duplicated,
    enrolled,
    invited,
    locked,
    mailing,
    strict,
    verified,
)
from tests.support.responses import ADA, outcome

# The stored attempts to use a password, and of uses of a key.
COUNTED = [
    attribute.attr_name
    for attribute in (
        User.failed_attempts,
        User.last_attempt_at,
        User.reservation_id,
        ApiKey.last_used_at,
    )
]
STORED = (User, Identifier, Invitation, Session, ApiKey, OAuthClient, SecondFactor, OneTimeToken)
CHANGE = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
ROLES = {"roles": ["admin", "user"]}
MOVE = {"from": "{duplicate}", "username": "jane-2"}
MERGE = {"from": "{duplicate}", "email": "jane-2@example.com", "delete_source": True}


class Case(NamedTuple):
    """A request that succeeds while the caller's authority holds.

    Attributes:
        caller: `jane`, `john` (an admin), `support`, one of their keys, or a client.
        method: The method.
        path: The path; `{jane}`, `{key}`, `{session}`, `{client}`, `{secret}` and
            `{invitation}` are replaced.
        body: The JSON body.
        given: The preconditions.
    """

    caller: str
    method: str
    path: str
    body: Any = None
    given: tuple[Any, ...] = ()


CASES = [
    Case("jane", "PATCH", "/v1/users/me", {"full_name": "Jane"}),
    Case("jane", "PATCH", "/v1/users/me", {"username": "jane-two"}),
    Case("jane", "PATCH", "/v1/users/me", {"email": "new@example.com"}),
    Case("jane", "PATCH", "/v1/users/me", {"email": "new@example.com"}, (mailing,)),
    Case("jane", "DELETE", "/v1/users/me"),
    Case("jane", "PUT", "/v1/users/me/password", CHANGE),
    Case("jane", "POST", "/v1/users", ADA),
    Case("jane", "POST", "/v1/users/me/api-keys", {"name": "nightly"}),
    Case("jane", "DELETE", "/v1/users/me/api-keys/{key}"),
    Case("jane", "POST", "/v1/users/me/second-factor"),
    Case("jane", "POST", "/v1/users/me/second-factor/confirm", {"otp": "{otp}"}, (enrolled,)),
    Case("jane", "POST", "/v1/users/me/second-factor/recovery-codes", None, (confirmed,)),
    Case("jane", "DELETE", "/v1/users/me/second-factor", None, (confirmed,)),
    Case("jane", "DELETE", "/v1/sessions"),
    Case("jane", "DELETE", "/v1/sessions/current"),
    Case("jane", "DELETE", "/v1/sessions/{session}"),
    Case("jane", "POST", "/v1/sessions/current/reauthenticate", {"password": PASSWORD}),
    Case("john", "POST", "/v1/users", {**ADA, **ROLES}),
    Case("john", "PATCH", "/v1/users/{jane}", {"full_name": "Jane"}),
    Case("john", "PATCH", "/v1/users/{jane}", {"email": "new@example.com"}),
    Case("john", "PATCH", "/v1/users/{jane}", ROLES),
    Case("john", "PATCH", "/v1/users/{jane}", {"app_metadata": {"plan": "pro"}}),
    Case("john", "PATCH", "/v1/users/{jane}", {"email_verified": True}),
    Case("john", "PATCH", "/v1/users/me", {"external_id": "crm-1042"}),
    Case("john", "PATCH", "/v1/users/{jane}", {"status": "suspended"}),
    Case("john", "DELETE", "/v1/users/{jane}"),
    Case("john", "POST", "/v1/users/{jane}/moves", MOVE, (duplicated,)),
    Case("john", "POST", "/v1/users/{jane}/moves", MERGE, (duplicated,)),
    Case("john", "POST", "/v1/users/{jane}/password-reset", None, (mailing,)),
    Case("john", "DELETE", "/v1/users/{jane}/lock", None, (locked,)),
    Case("john", "DELETE", "/v1/users/{jane}/sessions"),
    Case("john", "DELETE", "/v1/users/{jane}/second-factor", None, (confirmed,)),
    Case("john", "DELETE", "/v1/users/{jane}/api-keys/{key}"),
    Case("john", "DELETE", "/v1/users/{jane}/api-keys"),
    Case("john", "POST", "/v1/clients", {"name": "billing"}),
    Case("john", "PATCH", "/v1/clients/{client}", {"disabled": True}, (client_created,)),
    Case("john", "DELETE", "/v1/clients/{client}", None, (client_created,)),
    Case("john", "POST", "/v1/clients/{client}/secrets", None, (client_created,)),
    Case("john", "DELETE", "/v1/clients/{client}/secrets/{secret}", None, (client_created,)),
    Case("john", "POST", "/v1/invitations", INVITED, (mailing,)),
    Case("john", "POST", "/v1/invitations/{invitation}/resend", None, (invited,)),
    Case("john", "DELETE", "/v1/invitations/{invitation}", None, (invited,)),
    Case("john's key", "POST", "/v1/invitations", {**INVITED, **ROLES}, (mailing,)),
    Case("jane", "DELETE", "/v1/users/me/api-keys"),
    Case("jane's key", "PATCH", "/v1/users/me", {"full_name": "Jane"}),
    Case("john's key", "POST", "/v1/users", {**ADA, **ROLES}),
    Case("john's key", "PATCH", "/v1/users/{jane}", ROLES),
    Case("john's key", "DELETE", "/v1/users/{jane}"),
    Case("support", "PATCH", "/v1/users/{jane}", {"status": "suspended"}),
    Case("support", "POST", "/v1/users/{jane}/password-reset", None, (mailing,)),
    Case("support", "DELETE", "/v1/users/{jane}/lock", None, (locked,)),
    Case("support", "DELETE", "/v1/users/{jane}/sessions"),
    Case("support's key", "PATCH", "/v1/users/{jane}", {"status": "suspended"}),
    Case("client", "POST", "/v1/users", ADA),
    Case("client", "PATCH", "/v1/users/{jane}", {"full_name": "Jane"}),
    Case("client", "PATCH", "/v1/users/{jane}", {"metadata": {"plan": "pro"}}),
]


def end_session(app: Flask, person: Person) -> None:
    """End the session that makes the request."""
    Session(person.id, person.session_id).delete()


def sign_out(app: Flask, person: Person) -> None:
    """Sign out everywhere; the rows of the sessions are not removed yet."""
    User.get(person.id).update([User.session_epoch.add(1)])


def revoke_key(app: Flask, person: Person) -> None:
    """Revoke the key that makes the request."""
    ApiKey(person.id, person.session_id).delete()


def revoke_keys(app: Flask, person: Person) -> None:
    """Revoke all keys of the caller; their rows are not removed yet."""
    User.get(person.id).update([User.api_key_epoch.add(1)])


def suspend(app: Flask, person: Person) -> None:
    """Suspend the caller."""
    services_of(app).accounts.update(User.get(person.id), {"status": "suspended"})


def delete(app: Flask, person: Person) -> None:
    """Delete the caller."""
    services_of(app).accounts.delete(User.get(person.id))


def demote(app: Flask, person: Person) -> None:
    """Remove the caller's role."""
    services_of(app).accounts.update(User.get(person.id), {"roles": ["user"]})


def promote_target(app: Flask, person: Person) -> None:
    """Make the user that the request is about an admin."""
    jane = services_of(app).accounts.find("jane")
    services_of(app).accounts.update(jane, {"roles": ["admin"]})


def disable_client(app: Flask, person: Person) -> None:
    """Disable the client that makes the request."""
    services_of(app).clients.update(person.id, {"disabled": True})


def remove_scope(app: Flask, person: Person) -> None:
    """Remove the scope that the request uses."""
    services_of(app).clients.update(person.id, {"scopes": [ClientScope.USERS_READ]})


def revoke_secret(app: Flask, person: Person) -> None:
    """Revoke the secret that the request has used; the client has another one."""
    services_of(app).clients.add_secret(person.id)
    services_of(app).clients.revoke_secret(person.id, person.session_id)


def delete_client(app: Flask, person: Person) -> None:
    """Delete the client that makes the request."""
    services_of(app).clients.delete(person.id)


def services_of(app: Flask) -> Any:
    return app.extensions["roster"]


LOSSES: dict[str, tuple[Callable[[Flask, Person], None], ...]] = {
    "jane": (end_session, sign_out, suspend, delete),
    "john": (end_session, sign_out, suspend, delete, demote),
    "support": (end_session, sign_out, suspend, delete, demote, promote_target),
    "jane's key": (revoke_key, revoke_keys, suspend, delete),
    "support's key": (revoke_key, revoke_keys, suspend, delete, demote, promote_target),
    "john's key": (revoke_key, revoke_keys, suspend, delete, demote),
    "client": (disable_client, remove_scope, revoke_secret, delete_client),
}
CELLS = [
    pytest.param(case, lose, id=f"{case.method} {case.path} by {case.caller}, then {lose.__name__}")
    for case in CASES
    for lose in LOSSES[case.caller]
]


def calling_client(app: Flask, person: Person) -> Person:
    """Return a client that may write users, whose last use is recorded, but that is not cached."""
    with app.app_context():
        clients = services_of(app).clients
        client, secret = clients.create("sync", scopes=[ClientScope.USERS_WRITE])
        clients.authenticate(secret)
        clients.forget()
    return Person(
        person.client, "sync", id=client.id, token=secret, session_id=client.secrets[0].id
    )


@pytest.fixture
def scenario(
    app, make_app, john, jane, support, create_user, tmp_path, monkeypatch
) -> Iterator[Scenario]:
    """John and jane, their keys, and a second admin, so that john may lose the role."""
    create_user("root", roles=["admin"])
    key = with_key(jane)
    people = {
        "john": john,
        "jane": jane,
        "jane's key": key,
        "john's key": with_key(john, roles=["admin"], scopes=["accounts"]),
        "support": support,
        "support's key": with_key(support, roles=["support"], scopes=["accounts"]),
        "client": calling_client(app, jane),
    }
    with contextlib.ExitStack() as at_end:
        scenario = Scenario(app, people, tmp_path, make_app, monkeypatch, at_end)
        scenario.placeholders["key"] = key.session_id
        yield scenario


def send_and_lose(scenario: Scenario, case: Case, lose: Callable[..., None] | None) -> Any:
    """Send a request; take the caller's right away after the request was authorized.

    Returns:
        The response, and whether the stored data are the same as before the request continued.
    """
    for bring_about in case.given:
        bring_about(scenario)
    caller = scenario.people[case.caller]
    other = Person(scenario.jane.client, "jane").sign_in() if "{session}" in case.path else None
    words = {
        "jane": scenario.jane.id,
        **{name: scenario.placeholders[name] for name in ("key", "client", "secret", "invitation")},
        "session": other.session_id if other else "",
    }
    before: list[Any] = []

    def on_finished(sender: Any, operation: str, tables: tuple[str, ...], **_: Any) -> None:
        # The guard of the request reads the caller; everything before it is of no account.
        if not before and operation in ("BatchGetItem", "GetItem"):
            before.append(None)
            if lose:
                lose(scenario.app, caller)
            before[0] = stored()

    body = case.body and {
        name: scenario.placeholders[value[1:-1]] if value in ("{otp}", "{duplicate}") else value
        for name, value in case.body.items()
    }
    with call_finished.connected_to(on_finished):
        response = caller.request(case.method, case.path.format(**words), json=body)
    with scenario.app.app_context():
        return response, before[0] == stored()


def stored() -> dict[str, Any]:
    """Return all rows, without attempts and uses, which are counted in any case."""
    rows = {}
    for model in STORED:
        for row in model.scan(consistent_read=True):
            values = row.serialize()
            for name in COUNTED:
                values.pop(name, None)
            rows[repr((model.__name__, values))] = None
    is_kept = AuditEvent.type.exists() & (AuditEvent.type != EventType.SIGN_IN_FAILED)
    events = AuditEvent.scan(is_kept, consistent_read=True)
    return {"rows": sorted(rows), "events": sorted(row.id for row in events)}


class TestMatrix:
    @pytest.mark.parametrize("case, lose", CELLS)
    def test_lost(self, scenario, case, lose):
        """The request is rejected, and nothing is changed."""
        response, is_unchanged = send_and_lose(scenario, case, lose)

        statuses = {
            demote: (403,),
            promote_target: (403,),
            remove_scope: (403,),
            delete: (401, 404),
        }.get(lose, (401,))
        assert response.status_code in statuses, response.text
        assert is_unchanged

    @pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.method} {case.path}")
    def test_kept(self, scenario, case):
        """The same request is successful while the right holds."""
        response, is_unchanged = send_and_lose(scenario, case, None)

        assert response.status_code < 300, response.text
        assert not is_unchanged

    def test_second_factor(self, scenario):
        """An admin without the required second factor is asked to set one up."""
        john = scenario.people["john"]

        def set_second_factor(value: bool) -> None:
            with scenario.app.app_context():
                User.get(john.id).update([User.has_second_factor.set(value)])

        strict(scenario)
        set_second_factor(True)
        case = Case("john", "DELETE", "/v1/users/{jane}")
        response, is_unchanged = send_and_lose(scenario, case, lambda *_: set_second_factor(False))

        assert response.json["type"] == "/problems/second-factor-missing"
        assert is_unchanged

    def test_new_password(self, scenario):
        """A request that overlaps with the session's own new password is served."""

        def change_password(app: Flask, person: Person) -> None:
            # The new password raises the epoch of the user and of this session.
            User.get(person.id).update([User.session_epoch.add(1)])
            Session(person.id, person.session_id).update([Session.session_epoch.add(1)])

        case = Case("jane", "PATCH", "/v1/users/me", {"full_name": "Jane"})
        response, _ = send_and_lose(scenario, case, change_password)

        assert response.status_code == 200, response.text


def lose_address(app: Flask, person: Person) -> None:
    """Let the address of the caller be no longer verified."""
    User(person.id).update([User.email_verified.set(False)])


class TestVerifiedEmail:
    CASES = (
        Case("jane", "POST", "/v1/users/me/api-keys", {"name": "nightly"}, (mailing, verified)),
        Case("jane", "POST", "/v1/users/me/second-factor", None, (mailing, verified)),
    )

    @pytest.mark.parametrize("case", CASES, ids=lambda case: case.path)
    def test_lost(self, scenario, case):
        """What requires a verified address fails if it is not verified at the commit (H1, H6)."""
        response, is_unchanged = send_and_lose(scenario, case, lose_address)

        assert outcome(response) == (403, "email-not-verified", [])
        assert is_unchanged

    @pytest.mark.parametrize("case", CASES, ids=lambda case: case.path)
    def test_kept(self, scenario, case):
        """The same request is successful while the address is verified."""
        assert send_and_lose(scenario, case, None)[0].status_code == 201
