"""Preconditions of responses: functions that bring a scenario into a state.

Several are applied in their order.
"""

import re
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest
from flask import Flask

from api import rate_limits, write_limits
from models import (
    ClientScope,
    Invitation,
    PasswordHasher,
    RateLimit,
    SecondFactorRule,
    Session,
    User,
)
from models.clock import now
from models.errors import Busy
from models.services.account_emails import EMAIL_QUOTA
from models.tables.counter import Counter
from models.tables.identifier import Identifier, invitation_key
from models.tables.login_attempts import MAX_CONSECUTIVE_FAILURES
from roster.config import EmailSettings
from roster.email.file_backend import FileBackend, link_of
from tests.support.api_keys import with_key
from tests.support.authenticator import Authenticator
from tests.support.person import DEVICE, PASSWORD, Person
from tests.support.responses import ABSENT_ID

Precondition = Callable[["Scenario"], Any]
POLICIES = [
    *(policy for policy in vars(rate_limits).values() if isinstance(policy, RateLimit)),
    EMAIL_QUOTA,
    write_limits.WRITES,
]
# The format of the IDs of sessions and keys, and one that does not exist.
ABSENT_DIGEST = "0" * 64
_SECONDS = 10
AUDIENCE = "https://billing.example.com"
INVITED = {"email": "invited@example.com"}
KEYED = {"Idempotency-Key": "6d1f0c52-6a0e-4c43-9a0e-3f2a7c1b9d54"}


@dataclass
class Scenario:
    """The users of a test, the service that they call, and values for placeholders.

    Attributes:
        app: The service.
        people: The callers by name.
        placeholders: The values of `{token}` and others in paths and bodies; at first invalid ones.
        at_end: Callbacks for the end of the test.
    """

    app: Flask
    people: dict[str, Person]
    folder: Path
    make_app: Callable[..., Flask]
    monkeypatch: pytest.MonkeyPatch
    at_end: ExitStack
    placeholders: dict[str, str] = field(
        default_factory=lambda: {
            "token": "rso_none",
            "otp": "000000",
            "key": ABSENT_DIGEST,
            "client": ABSENT_ID,
            "secret": ABSENT_ID,
            "duplicate": ABSENT_ID,
            "invitation": ABSENT_ID,
        }
    )

    @property
    def jane(self) -> Person:
        return self.people["jane"]

    def move(self, **settings: Any) -> None:
        """Let all callers use a service with other settings, on the same tables."""
        self.app = self.make_app(**settings)
        client = self.app.test_client()
        self.people = {name: replace(person, client=client) for name, person in self.people.items()}

    def edit_row(self, **values: Any) -> None:
        """Edit jane's row below the API."""
        with self.app.app_context():
            User.get(self.jane.id).update(
                [getattr(User, name).set(value) for name, value in values.items()]
            )


def by_machine(scenario: Scenario) -> None:
    """Jane has an API key."""
    scenario.people["machine"] = with_key(scenario.jane)
    scenario.placeholders["key"] = scenario.people["machine"].session_id


def supported(scenario: Scenario) -> None:
    """There is a user with the role support, who can call."""
    services = scenario.app.extensions["roster"]
    names = {"username": "sue", "email": "sue@example.com", "password": PASSWORD}
    with scenario.app.app_context():
        user = services.accounts.register(**names, roles=["support"])
        session, token, *_ = services.sessions.sign_in("sue", PASSWORD, DEVICE)
    scenario.people["support"] = replace(
        scenario.jane, username="sue", id=user.id, token=token, session_id=session.id
    )


def external_id_in_use(scenario: Scenario) -> None:
    """John has an ID of another system."""
    with scenario.app.app_context():
        accounts = scenario.app.extensions["roster"].accounts
        john = accounts.get(scenario.people["john"].id)
        accounts.update(john, {"external_id": "crm-1042"})


def duplicated(scenario: Scenario) -> None:
    """Jane has a second account, jane-2."""
    names = {"username": "jane-2", "email": "jane-2@example.com", "password": PASSWORD}
    with scenario.app.app_context():
        user = scenario.app.extensions["roster"].accounts.register(**names)
    scenario.placeholders["duplicate"] = user.id


def duplicate_is_admin(scenario: Scenario) -> None:
    """The second account of jane is the last active admin."""
    duplicated(scenario)
    with scenario.app.app_context():
        accounts = scenario.app.extensions["roster"].accounts
        duplicate = accounts.get(scenario.placeholders["duplicate"])
        accounts.update(duplicate, {"roles": ["admin"]})
        # Below the domain, which would not allow it to the caller.
        Counter("active-admins").update([Counter.value.set(1)])


def moved_with_key(scenario: Scenario) -> None:
    """The username of the second account was moved by a request with the key `KEYED`."""
    duplicated(scenario)
    body = {"from": scenario.placeholders["duplicate"], "username": "jane-2"}
    path = f"{scenario.jane.path}/moves"
    response = scenario.people["john"].post(path, json=body, headers=KEYED)
    assert response.status_code == 200, response.text


def target_changed(scenario: Scenario) -> None:
    """Jane has changed her name."""
    assert scenario.jane.patch("/v1/users/me", json={"full_name": "Jane"}).status_code == 200


def client_created(scenario: Scenario) -> None:
    """There is a client with an audience."""
    with scenario.app.app_context():
        client, _ = scenario.app.extensions["roster"].clients.create(
            "billing", scopes=[ClientScope.INTROSPECT], audience=AUDIENCE
        )
    [secret] = client.secrets
    scenario.placeholders |= {"client": client.id, "secret": secret.id}


def calling_client(scenario: Scenario) -> None:
    """There is a client with every scope, which can call."""
    _call_as_client(scenario, "gateway", list(ClientScope))


def calling_client_without_scopes(scenario: Scenario) -> None:
    """There is a client without scopes, which can call."""
    _call_as_client(scenario, "powerless", [])


def _call_as_client(scenario: Scenario, name: str, scopes: list[ClientScope]) -> None:
    with scenario.app.app_context():
        clients = scenario.app.extensions["roster"].clients
        client, secret = clients.create(name, scopes=scopes)
        # So that its use is recorded before.
        clients.authenticate(secret)
    scenario.people[name] = replace(scenario.jane, token=secret)
    scenario.placeholders["calling_client"] = client.id


def secret_added(scenario: Scenario) -> None:
    """There is a client with two secrets."""
    client_created(scenario)
    with scenario.app.app_context():
        scenario.app.extensions["roster"].clients.add_secret(scenario.placeholders["client"])


def secret_revoked(scenario: Scenario) -> None:
    """The secret of the client is revoked."""
    words = scenario.placeholders
    with scenario.app.app_context():
        scenario.app.extensions["roster"].clients.revoke_secret(words["client"], words["secret"])


def another_audience(scenario: Scenario) -> None:
    """There is another client with another audience."""
    with scenario.app.app_context():
        scenario.app.extensions["roster"].clients.create(
            "invoices", audience="https://invoices.example.com"
        )


def sent_with_key(by: str, path: str, body: Any) -> Precondition:
    """Return the precondition that a request with the idempotency key `KEYED` was executed."""

    def send(scenario: Scenario) -> None:
        path_of_client = path.format(**scenario.placeholders)
        filled = body and {
            name: scenario.placeholders["token"] if value == "{token}" else value
            for name, value in body.items()
        }
        response = scenario.people[by].post(path_of_client, json=filled, headers=KEYED)
        assert response.status_code == 201, response.text
        scenario.placeholders["created"] = response.headers["Location"]

    return send


def created_removed(scenario: Scenario) -> None:
    """What `sent_with_key` has created is deleted or revoked."""
    response = scenario.people["john"].delete(scenario.placeholders["created"])
    assert response.status_code == 204, response.text


def invited(scenario: Scenario) -> None:
    """John has invited an address."""
    _invite(scenario)


def admin_invited(scenario: Scenario) -> None:
    """John has invited an address, as an admin."""
    _invite(scenario, roles=["admin"])


def invited_outdated(scenario: Scenario) -> None:
    """John has invited an address, with a role that was removed since."""
    _invite(scenario)
    with scenario.app.app_context():
        row = Invitation(scenario.placeholders["invitation"])
        row.update([Invitation.roles.set(["removed"])])


def invited_and_expired(scenario: Scenario) -> None:
    """John has invited an address twice; the first invitation has expired."""
    _invite(scenario)
    first = scenario.placeholders["invitation"]
    with scenario.app.app_context():
        Invitation(first).update([Invitation.expires_at.set(now())])
        Identifier(invitation_key(INVITED["email"])).delete()
    _invite(scenario)
    scenario.placeholders["invitation"] = first


def invited_user_registered(scenario: Scenario) -> None:
    """John has invited an address that a user has by now."""
    _invite(scenario)
    names = {"username": "ida", "email": INVITED["email"], "password": PASSWORD}
    with scenario.app.app_context():
        scenario.app.extensions["roster"].accounts.register(**names)


def invited_external_id_in_use(scenario: Scenario) -> None:
    """John has invited an address with the ID of another system that he has himself by now."""
    _invite(scenario, external_id="crm-1042")
    external_id_in_use(scenario)


def without_emails(scenario: Scenario) -> None:
    """The service can no longer send emails."""
    scenario.move()


def _invite(scenario: Scenario, **fields: Any) -> None:
    mailing(scenario)
    response = scenario.people["john"].post("/v1/invitations", json={**INVITED, **fields})
    assert response.status_code == 201, response.text
    scenario.placeholders["invitation"] = response.json["id"]
    _read_token(scenario)


def stale(scenario: Scenario) -> None:
    """No recent authentication."""
    past = now() - timedelta(hours=1)
    with scenario.app.app_context():
        for person in (each for name, each in scenario.people.items() if name != "machine"):
            row = Session.get(person.id, person.session_id)
            row.update([Session.created_at.set(past), Session.authenticated_at.set(past)])


def strict(scenario: Scenario) -> None:
    """Admins must have a second factor, and john has none."""
    scenario.move(second_factor=SecondFactorRule.ADMINS)


def enrolled(scenario: Scenario) -> None:
    """Jane has started to set up a second factor."""
    secret = scenario.jane.post("/v1/users/me/second-factor").json["secret"]
    scenario.placeholders["otp"] = Authenticator(secret, time.time).code()


def confirmed(scenario: Scenario) -> None:
    """Jane has a second factor."""
    enrolled(scenario)
    code = {"otp": scenario.placeholders["otp"]}
    assert scenario.jane.post("/v1/users/me/second-factor/confirm", json=code).status_code == 200


def mailing(scenario: Scenario) -> None:
    """The service can send emails."""
    scenario.move(email=EmailSettings(folder=scenario.folder))


def verified(scenario: Scenario) -> None:
    """The address of jane is verified."""
    with scenario.app.app_context():
        User(scenario.people["jane"].id).update([User.email_verified.set(True)])


def reset_mailed(scenario: Scenario) -> None:
    """Jane has an email to reset her password."""
    mailing(scenario)
    scenario.jane.post("/v1/password-resets", json={"email": "jane@example.com"})
    _read_token(scenario)


def verification_mailed(scenario: Scenario) -> None:
    """Jane has an email to verify her address."""
    mailing(scenario)
    scenario.jane.post("/v1/email-verifications", json={"email": "jane@example.com"})
    _read_token(scenario)


def address_lost(scenario: Scenario) -> None:
    """John has taken the pending address of jane."""
    mailing(scenario)
    wanted = {"email": "wanted@example.com"}
    scenario.jane.patch("/v1/users/me", json=wanted)
    _read_token(scenario)
    scenario.move()
    assert scenario.people["john"].patch("/v1/users/me", json=wanted).status_code == 200


def used_up(scenario: Scenario) -> None:
    """Use up all rate limits."""
    # A separate service, since its counts are stored.
    mailing(scenario)
    verified(scenario)
    for policy in POLICIES:
        # The views have references to the policies, so the quotas must be changed in place.
        scenario.monkeypatch.setitem(vars(policy), "quota", 0)


def locked(scenario: Scenario) -> None:
    """Jane is locked out after wrong passwords."""
    scenario.edit_row(failed_attempts=MAX_CONSECUTIVE_FAILURES, last_attempt_at=now())


def hooked(scenario: Scenario) -> None:
    """The operator has functions that fail."""
    scenario.move(hooks="tests.support.failing_hooks")


def crowded(scenario: Scenario) -> None:
    """All slots for hashes are taken."""
    passwords = scenario.app.extensions["roster"].accounts.hasher
    leave, outcomes = threading.Event(), SimpleQueue[bool]()
    scenario.at_end.callback(leave.set)
    while _finds_place(passwords, leave, outcomes):
        continue


def _finds_place(
    passwords: PasswordHasher, leave: threading.Event, outcomes: "SimpleQueue[bool]"
) -> bool:
    """Return whether another request took a slot, which it holds until all are released."""

    def hold() -> None:
        try:
            with passwords.slot():
                outcomes.put(True)
                leave.wait(_SECONDS)
        except Busy:
            outcomes.put(False)

    threading.Thread(target=hold).start()
    return outcomes.get(timeout=_SECONDS)


def _read_token(scenario: Scenario) -> None:
    """Store the token of the newest email that has one."""
    assert scenario.app.extensions["roster"].second_factors.mailer.drain(_SECONDS)
    mails = FileBackend(scenario.folder)
    links = [link_of(mails.find(id)) for id in mails.ids()]
    token, *_ = [re.search("#token=(.+)", link)[1] for link in links if link]
    scenario.placeholders["token"] = token
