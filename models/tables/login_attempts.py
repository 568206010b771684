"""Tries to sign in, counted before the password is looked at, so that parallel ones cannot pass.

Whoever wants a password checked reserves a try first. Some are free; then each has to wait for
longer than the one before it, and at last none is granted until the password is reset, an admin
unlocks the account, or a month has passed. A sign-in that succeeds ends the count.

A login that nobody has is counted like one that somebody has, so that a lock tells nothing.
"""

import secrets
import time
from datetime import datetime, timedelta
from typing import Any, Protocol

from pynamodb.attributes import NumberAttribute, TTLAttribute, UnicodeAttribute
from pynamodb.exceptions import UpdateError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from flask_pynamodb import code_of
from models.clock import TimestampAttribute, now
from models.db import db
from models.errors import TooManyAttempts

# Nobody mistypes a password more often, though devices may sign in that many at once. A guess
# among the most common passwords is in vain anyway: they are refused when they are set.
FREE_ATTEMPTS = 20
# The waits double from the first one to the longest, as those of Amazon Cognito and Keycloak do.
FIRST_WAIT = timedelta(seconds=30)
LONGEST_WAIT = timedelta(minutes=15)
# NIST SP 800-63B-4, 3.2.2: no more than 100 consecutive failures for one account. With the waits
# between them, somebody who wants to lock an account for good is at it for most of a day.
MAX_CONSECUTIVE_FAILURES = 100
# After so long without a try the count begins anew.
ATTEMPTS_FORGOTTEN_AFTER = timedelta(days=30)
# How often a try is reserved anew when others change the count at the same time.
_ROUNDS = 5
_FIRST_PAUSE_SECONDS = 0.005


class AttemptCounter:
    """What a row needs for tries to be counted on it. Derive a model from `db.Model` and this.

    `tries` counts those since the last success; `last_attempt_at` is when the last one was reserved;
    `ticket` names it, so that a reservation whose reply was lost is not made twice.
    """

    failed_attempts = NumberAttribute(attr_name="tries", null=True)
    last_attempt_at = TimestampAttribute(attr_name="tried_at", null=True)
    reservation_id = UnicodeAttribute(attr_name="ticket", null=True)


class Attempts(AttemptCounter, db.Model):  # type: ignore[misc,name-defined]
    """Tries for something that has no row of its own, such as a login that nobody has."""

    class Meta:
        table_name = "attempts"

    subject = UnicodeAttribute(hash_key=True)
    remove_at = TTLAttribute()


class Row(Protocol):
    """A row of a model that derives from `AttemptCounter`."""

    failed_attempts: Any
    last_attempt_at: Any
    reservation_id: Any

    def update(self, actions: list[Action], condition: Condition) -> Any: ...

    def refresh(self, consistent_read: bool) -> None: ...


def wait_after(tries: int) -> timedelta:
    """How long after so many tries in a row the next one has to wait."""
    if tries < FREE_ATTEMPTS:
        return timedelta(0)
    if tries >= MAX_CONSECUTIVE_FAILURES:
        return ATTEMPTS_FORGOTTEN_AFTER
    return min(FIRST_WAIT * (1 << min(tries - FREE_ATTEMPTS, 10)), LONGEST_WAIT)


def reserve(row: Row, exists: Condition | None = None) -> None:
    """Take one try, and read the row in the same call.

    Args:
        row: Nothing but its key has to be known; it is up to date afterwards.
        exists: Holds as long as the row may be written at all.

    Raises:
        TooManyAttempts: The next try has to wait.
        DoesNotExist: The row is gone.
    """
    ticket = secrets.token_hex(8)
    tries: Any = type(row).failed_attempts
    is_free = tries.does_not_exist() | (tries < FREE_ATTEMPTS)
    if _write(row, [tries.add(1)], is_free & exists if exists is not None else is_free, ticket):
        return
    for attempt in range(_ROUNDS):
        row.refresh(consistent_read=True)
        # The reply to a try that was reserved has got lost.
        if row.reservation_id == ticket:
            return
        count = _next_count(row)
        if _write(row, [tries.set(count)], type(row).reservation_id == row.reservation_id, ticket):
            return
        time.sleep(_FIRST_PAUSE_SECONDS * 2**attempt)
    raise TooManyAttempts(retry_after=1)


def forget(model: type[AttemptCounter]) -> list[Action]:
    """The actions that end the count of a row of a model."""
    return [model.failed_attempts.remove()]


def _write(row: Row, actions: list[Action], condition: Condition, ticket: str) -> bool:
    model: Any = type(row)
    told = [*actions, model.last_attempt_at.set(now()), model.reservation_id.set(ticket)]
    if model is Attempts:
        told.append(Attempts.remove_at.set(now() + ATTEMPTS_FORGOTTEN_AFTER))
    for attempt in range(_ROUNDS):
        try:
            row.update(told, condition & (~(model.reservation_id == ticket)))
            return True
        except UpdateError as error:
            code = code_of(error)
            if code == "ConditionalCheckFailedException":
                return False
            # A transaction changes the row at this very moment.
            if code != "TransactionConflictException" or attempt == _ROUNDS - 1:
                raise
            time.sleep(_FIRST_PAUSE_SECONDS * 2**attempt)
    return False


def _next_count(row: Row) -> int:
    wait = _wait_of(row, now())
    if wait > timedelta(0):
        raise TooManyAttempts(retry_after=max(1, -(-wait // timedelta(seconds=1))))
    is_forgotten = (
        not row.last_attempt_at or now() - row.last_attempt_at >= ATTEMPTS_FORGOTTEN_AFTER
    )
    return 1 if is_forgotten else int(row.failed_attempts or 0) + 1


def _wait_of(row: Row, at: datetime) -> timedelta:
    if not row.last_attempt_at:
        return timedelta(0)
    ends_at: datetime = row.last_attempt_at + wait_after(int(row.failed_attempts or 0))
    return ends_at - at
