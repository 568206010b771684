"""Login attempts and the lockout that follows too many failures.

Each attempt is reserved before the password is verified, so parallel guesses cannot exceed the
limit. Some attempts are free; then each must wait longer than the one before, and finally none is
granted until the password is reset, an admin unlocks the account, or a month has passed. A
successful sign-in resets the count.

Attempts for unknown logins are counted in the same way, so that a lockout does not reveal whether
an account exists.
"""

import secrets
import time
from datetime import datetime, timedelta
from typing import Any, Protocol

from pynamodb.attributes import NumberAttribute, TTLAttribute, UnicodeAttribute
from pynamodb.exceptions import UpdateError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from flask_pynamodb import error_code
from models.clock import TimestampAttribute, now
from models.db import Table
from models.errors import TooManyAttempts

# Enough for typing errors, even with several devices at once. Guessing the most common passwords
# is futile: the policy rejects them.
FREE_ATTEMPTS = 20
# The waits double from the first one to the longest, as in Amazon Cognito and Keycloak.
FIRST_WAIT = timedelta(seconds=30)
LONGEST_WAIT = timedelta(minutes=15)
# NIST SP 800-63B-4, 3.2.2: at most 100 consecutive failures per account. With the waits between
# them, locking an account for good takes most of a day.
MAX_CONSECUTIVE_FAILURES = 100
# After this long without an attempt the count starts over.
ATTEMPTS_FORGOTTEN_AFTER = timedelta(days=30)
# Retries of a reservation that loses against concurrent ones.
_MAX_RESERVATION_RETRIES = 5
_FIRST_PAUSE_SECONDS = 0.005


class AttemptCounter:
    """Attributes for a row that counts attempts. Derive a model from `db.Model` and this.

    `failed_attempts` counts those since the last success; `last_attempt_at` is when the last one
    was reserved; `reservation_id` identifies it, so that a reservation whose reply was lost is not
    made twice.
    """

    failed_attempts = NumberAttribute(attr_name="tries", null=True)
    last_attempt_at = TimestampAttribute(attr_name="tried_at", null=True)
    reservation_id = UnicodeAttribute(attr_name="ticket", null=True)


class Attempts(AttemptCounter, Table):
    """Attempts on something without a row of its own, such as an unknown login."""

    class Meta:
        table_name = "attempts"

    subject = UnicodeAttribute(hash_key=True)
    remove_at = TTLAttribute()


class CountingRow(Protocol):
    """A row of a model that derives from `AttemptCounter`."""

    failed_attempts: Any
    last_attempt_at: Any
    reservation_id: Any
    _hash_keyname: Any

    def update(self, actions: list[Action], condition: Condition) -> Any: ...

    def refresh(self, consistent_read: bool) -> None: ...


def wait_after(failures: int) -> timedelta:
    """Return how long the next attempt must wait after this many consecutive failures."""
    if failures < FREE_ATTEMPTS:
        return timedelta(0)
    if failures >= MAX_CONSECUTIVE_FAILURES:
        return ATTEMPTS_FORGOTTEN_AFTER
    return min(FIRST_WAIT * (1 << min(failures - FREE_ATTEMPTS, 10)), LONGEST_WAIT)


def reserve(row: CountingRow, exists: Condition | None = None) -> None:
    """Reserve one attempt, and read the row in the same call.

    Args:
        row: Only its key has to be set; afterwards it is up to date.
        exists: A condition that holds while the row may be written at all.

    Raises:
        TooManyAttempts: The next attempt has to wait.
        DoesNotExist: The row is gone.
    """
    reservation_id = secrets.token_hex(8)
    failures: Any = type(row).failed_attempts
    is_free = failures.does_not_exist() | (failures < FREE_ATTEMPTS)
    condition = is_free & exists if exists is not None else is_free
    if _write(row, [failures.add(1)], condition, reservation_id):
        return
    for retry in range(_MAX_RESERVATION_RETRIES):
        row.refresh(consistent_read=True)
        # The reply to a successful reservation was lost.
        if row.reservation_id == reservation_id:
            return
        count = _next_count(row)
        is_current = type(row).reservation_id == row.reservation_id
        if _write(row, [failures.set(count)], is_current, reservation_id):
            return
        time.sleep(_FIRST_PAUSE_SECONDS * 2**retry)
    raise TooManyAttempts(retry_after=1)


def reset_actions(model: type[AttemptCounter]) -> list[Action]:
    """Return the actions that reset the count of a row of a model."""
    return [model.failed_attempts.remove()]


def _write(
    row: CountingRow, actions: list[Action], condition: Condition, reservation_id: str
) -> bool:
    model: Any = type(row)
    actions = [
        *actions,
        model.last_attempt_at.set(now()),
        model.reservation_id.set(reservation_id),
    ]
    if model is Attempts:
        actions.append(Attempts.remove_at.set(now() + ATTEMPTS_FORGOTTEN_AFTER))
    for retry in range(_MAX_RESERVATION_RETRIES):
        try:
            row.update(actions, condition & (~(model.reservation_id == reservation_id)))
            return True
        except UpdateError as error:
            code = error_code(error)
            if code == "ConditionalCheckFailedException":
                return False
            # A concurrent transaction is changing the row.
            is_conflict = code == "TransactionConflictException"
            if not is_conflict or retry == _MAX_RESERVATION_RETRIES - 1:
                raise
            time.sleep(_FIRST_PAUSE_SECONDS * 2**retry)
    return False


def _next_count(row: CountingRow) -> int:
    wait = _remaining_wait(row, now())
    if wait > timedelta(0):
        raise TooManyAttempts(
            retry_after=max(1, -(-wait // timedelta(seconds=1))),
            subject=str(getattr(row, row._hash_keyname)),
            since=row.last_attempt_at,
        )
    is_forgotten = (
        not row.last_attempt_at or now() - row.last_attempt_at >= ATTEMPTS_FORGOTTEN_AFTER
    )
    return 1 if is_forgotten else int(row.failed_attempts or 0) + 1


def _remaining_wait(row: CountingRow, at: datetime) -> timedelta:
    if not row.last_attempt_at:
        return timedelta(0)
    ends_at: datetime = row.last_attempt_at + wait_after(int(row.failed_attempts or 0))
    return ends_at - at
