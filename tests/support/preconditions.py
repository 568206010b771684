"""What has to have happened before a request is answered in a certain way.

A situation is a function that brings a scene about; several follow each other in their order.
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

from api import rate_limits
from models import PasswordHasher, RateLimit, SecondFactorRule, Session, User
from models.clock import now
from models.errors import Busy
from models.services.account_emails import EMAIL_QUOTA
from models.tables.login_attempts import MAX_CONSECUTIVE_FAILURES
from roster.config import EmailSettings
from roster.email.file_backend import FileBackend, link_of
from tests.support.api_keys import with_key
from tests.support.authenticator import Authenticator
from tests.support.person import Person

Situation = Callable[["Scene"], Any]
POLICIES = [
    *(policy for policy in vars(rate_limits).values() if isinstance(policy, RateLimit)),
    EMAIL_QUOTA,
]
# The form of the ids of sessions and keys, and one that nothing has.
ABSENT_DIGEST = "0" * 64
_SECONDS = 10


@dataclass
class Scene:
    """The cast, the service that it calls, and what is known by now.

    Attributes:
        app: The service.
        people: Whoever makes requests, by name.
        words: What stands for `{token}` and its like in paths and bodies; at first it is none that
            there is.
        at_end: What is to be undone.
    """

    app: Flask
    people: dict[str, Person]
    folder: Path
    make_app: Callable[..., Flask]
    monkeypatch: pytest.MonkeyPatch
    at_end: ExitStack
    words: dict[str, str] = field(
        default_factory=lambda: {"token": "rso_none", "otp": "000000", "key": ABSENT_DIGEST}
    )

    @property
    def jane(self) -> Person:
        return self.people["jane"]

    def move(self, **settings: Any) -> None:
        """Let everybody call a service with other settings, on the same tables."""
        self.app = self.make_app(**settings)
        client = self.app.test_client()
        self.people = {name: replace(person, client=client) for name, person in self.people.items()}

    def alter(self, **values: Any) -> None:
        """Edit jane's row below the API."""
        with self.app.app_context():
            User.get(self.jane.id).update(
                [getattr(User, name).set(value) for name, value in values.items()]
            )


def by_machine(scene: Scene) -> None:
    """Jane has a program that signs in with a key."""
    scene.people["machine"] = with_key(scene.jane)
    scene.words["key"] = scene.people["machine"].session_id


def stale(scene: Scene) -> None:
    """No recent authentication."""
    past = now() - timedelta(hours=1)
    with scene.app.app_context():
        for person in scene.people.values():
            row = Session.get(person.id, person.session_id)
            row.update([Session.created_at.set(past), Session.authenticated_at.set(past)])


def strict(scene: Scene) -> None:
    """Admins are asked for a second factor, and john has none."""
    scene.move(second_factor=SecondFactorRule.ADMINS)


def enrolled(scene: Scene) -> None:
    """Jane's telephone has learned a secret."""
    secret = scene.jane.post("/v1/users/me/second-factor").json["secret"]
    scene.words["otp"] = Authenticator(secret, time.time).code()


def confirmed(scene: Scene) -> None:
    """Jane has a second factor."""
    enrolled(scene)
    code = {"otp": scene.words["otp"]}
    assert scene.jane.post("/v1/users/me/second-factor/confirm", json=code).status_code == 200


def mailing(scene: Scene) -> None:
    """The service has a way to send mails."""
    scene.move(email=EmailSettings(folder=scene.folder))


def reset_mailed(scene: Scene) -> None:
    """Jane has a mail to reset her password."""
    mailing(scene)
    scene.jane.post("/v1/password-resets", json={"email": "jane@example.com"})
    _read_token(scene)


def verification_mailed(scene: Scene) -> None:
    """Jane has a mail to confirm her address."""
    mailing(scene)
    scene.jane.post("/v1/email-verifications", json={"email": "jane@example.com"})
    _read_token(scene)


def address_lost(scene: Scene) -> None:
    """John has taken the address that jane wants, before she has confirmed it."""
    mailing(scene)
    wanted = {"email": "wanted@example.com"}
    scene.jane.patch("/v1/users/me", json=wanted)
    _read_token(scene)
    scene.move()
    assert scene.people["john"].patch("/v1/users/me", json=wanted).status_code == 200


def used_up(scene: Scene) -> None:
    """Use up all rate limits."""
    # A service of its own, since what is used up is remembered.
    mailing(scene)
    for policy in POLICIES:
        # The views hold the policies themselves, so that only their numbers can be changed.
        scene.monkeypatch.setitem(vars(policy), "quota", 0)


def locked(scene: Scene) -> None:
    """So many tried wrong passwords of jane's that hers is not looked at for a while."""
    scene.alter(failed_attempts=MAX_CONSECUTIVE_FAILURES, last_attempt_at=now())


def crowded(scene: Scene) -> None:
    """As many passwords are being checked as may be."""
    passwords = scene.app.extensions["roster"].accounts.hasher
    leave, outcomes = threading.Event(), SimpleQueue[bool]()
    scene.at_end.callback(leave.set)
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


def _read_token(scene: Scene) -> None:
    """Learn the token of the mail that was sent."""
    assert scene.app.extensions["roster"].second_factors.mailer.drain(_SECONDS)
    mails = FileBackend(scene.folder)
    links = [link_of(mails.find(id)) for id in mails.ids()]
    [token] = [re.search("#token=(.+)", link)[1] for link in links if link]
    scene.words["token"] = token
