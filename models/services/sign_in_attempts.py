"""Attempts to sign in: reserved before a password is verified, recorded when they fail."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from blinker import Signal
from pynamodb.exceptions import UpdateError

from flask_pynamodb import Transaction
from models.clock import now
from models.db import db
from models.email import Email, EmailKind, Mailer
from models.errors import TooManyAttempts, UserNotFound
from models.services.login_lookup import LoginLookup, reserve_attempt
from models.tables import device as devices
from models.tables.audit_event import Actor, AuditEvent, EventType, save_events
from models.tables.device import Device
from models.tables.login_attempts import (
    ATTEMPTS_FORGOTTEN_AFTER,
    FREE_ATTEMPTS,
    MAX_CONSECUTIVE_FAILURES,
    Attempts,
    CountingRow,
    reserve,
)
from models.tables.user import User

# Sent with the reason of each lockout that begins, in the process that has recorded it.
lockout_began = Signal()
_FIRST_LOCKOUT = "too-many-failures"
# The reasons of the lockouts by the number of failures they begin with.
_LOCKOUTS = {FREE_ATTEMPTS: _FIRST_LOCKOUT, MAX_CONSECUTIVE_FAILURES: "until-reset"}


@dataclass(frozen=True)
class Attempt:
    """One reserved attempt.

    Attributes:
        subject: The ID of the user, or the key of an unknown login.
        user: The user as read, None for an unknown login.
        counter: The row that counts it: the user, a known device, or one for all that is neither.
    """

    subject: str
    user: User | None
    counter: CountingRow

    @property
    def device(self) -> Device | None:
        """The known device that the attempt comes from, if it is one."""
        return self.counter if isinstance(self.counter, Device) else None

    @property
    def failures(self) -> int:
        """The consecutive failures so far, if this attempt is one."""
        return int(self.counter.failed_attempts or 0)

    def forget(self, transaction: Transaction) -> None:
        """Delete the count of `reserve_with_email`, in the transaction of a success."""
        if isinstance(self.counter, Attempts):
            transaction.delete(self.counter)


def reserve_sign_in(logins: LoginLookup, login: str, device_token: str | None) -> Attempt:
    """Reserve an attempt at a login.

    A known device has a count of its own, so that others cannot lock its user out. The database
    calls do not depend on whether the login is known.

    Args:
        logins: Looks up users by login.
        login: The username or the email address.
        device_token: The token of a device; it is ignored unless it is one of this user's.

    Raises:
        TooManyAttempts: The next attempt has to wait.
    """
    user_id, *known = logins.find(login, *devices.keys_of(device_token))
    if user_id is not None:
        with suppress(UserNotFound):
            return _reserve(user_id, device_token, known)
    subject = logins.unknown_login_key(login)
    row = Attempts(subject)
    reserve(row)
    return Attempt(subject, None, row)


def reserve_for_user(user_id: str, device_token: str | None = None) -> Attempt:
    """Reserve an attempt of a signed-in user.

    Raises:
        TooManyAttempts: The next attempt has to wait.
        UserNotFound: The user is gone.
    """
    keys = devices.keys_of(device_token)
    return _reserve(user_id, device_token, db.get_many(*keys) if keys else [])


def reserve_with_email(user: User) -> Attempt:
    """Reserve an attempt of a client that has a token from the user's mailbox.

    Other clients cannot make such attempts, so they are counted apart.

    Raises:
        TooManyAttempts: The next attempt has to wait.
    """
    row = Attempts(f"mailbox#{user.id}")
    try:
        reserve(row)
    except TooManyAttempts as error:
        error.subject = user.id
        raise
    return Attempt(user.id, user, row)


def record_failure(attempt: Attempt, reason: str | None, by: Actor, mailer: Mailer) -> None:
    """Record that an attempt has failed, and that this locks the account, if it does.

    The user is notified of the lockout once. Unknown logins cost the same database calls.

    Args:
        attempt: The attempt.
        reason: Why it failed, in one word.
        by: Who made it.
        mailer: Notifies the user.
    """
    events = [AuditEvent.create(EventType.SIGN_IN_FAILED, attempt.subject, by, reason=reason)]
    lockout = _lockout_of(attempt)
    if lockout:
        type = EventType.ACCOUNT_LOCKED
        events.append(AuditEvent.create(type, attempt.subject, by, reason=lockout))
    if attempt.user is None:
        for event in events:
            event.remove_at = now() + ATTEMPTS_FORGOTTEN_AFTER
    save_events(events)
    if lockout:
        lockout_began.send(lockout)
    if attempt.user and lockout == _FIRST_LOCKOUT:
        mailer.send(Email.to_user(EmailKind.ACCOUNT_LOCKED, attempt.user))


def record_refusal(user: User, by: Actor) -> None:
    """Record that the operator has refused a sign-in whose credentials were correct."""
    AuditEvent.create(EventType.SIGN_IN_FAILED, user.id, by, reason="refused").save()


def take_back(attempt: Attempt) -> None:
    """Take back a reserved attempt that has not failed: it counts no longer.

    If another attempt was reserved since, it stays counted, as if it had failed.
    """
    row: Any = attempt.counter
    failures = type(row).failed_attempts
    rest = attempt.failures - 1
    action = failures.set(rest) if rest > 0 else failures.remove()
    with suppress(UpdateError):
        row.update([action], type(row).reservation_id == row.reservation_id)


def ended_lockout(
    user: User, reason: str, by: Actor, *, has_reserved: bool = True
) -> AuditEvent | None:
    """Return the event that a lockout has ended, None if there was none.

    Args:
        user: The user as read.
        reason: What has ended it.
        by: The caller.
        has_reserved: Whether the count includes an attempt that has succeeded.
    """
    if int(user.failed_attempts or 0) < FREE_ATTEMPTS + has_reserved:
        return None
    return AuditEvent.create(EventType.ACCOUNT_UNLOCKED, user.id, by, reason=reason)


def _reserve(user_id: str, device_token: str | None, known: Sequence[Any]) -> Attempt:
    """Reserve an attempt on a known device of a user, else on the user.

    Args:
        user_id: The user.
        device_token: The token of a device.
        known: The items of `devices.keys_of` that were read, None for each that does not exist.
    """
    found = devices.pick(known, user_id, device_token)
    if found:
        device, user = found
        with suppress(Device.DoesNotExist):
            reserve(device, device.is_stored)
            # Another device may have taken the slot meanwhile.
            if devices.pick(found, user_id, device_token):
                return Attempt(user.id, user, device)
    user = reserve_attempt(user_id)
    return Attempt(user.id, user, user)


def _lockout_of(attempt: Attempt) -> str | None:
    """Return which lockout of the login begins with this failure, if one does."""
    is_apart = attempt.user is not None and not isinstance(attempt.counter, User)
    return None if is_apart else _LOCKOUTS.get(attempt.failures)
