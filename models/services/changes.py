"""Changing a user that others may be changing: read, write if it is still so, or read again."""

import random
import time
from collections.abc import Callable, Collection
from typing import Any, TypeVar

from pynamodb.expressions.condition import Condition

from flask_pynamodb import Transaction
from models.clock import now
from models.errors import Contended, EmailTaken, UsernameTaken, UserNotFound, VersionMismatch
from models.tables.identifier import Identifier, email_key, username_key
from models.tables.user import User, is_user_id

_Result = TypeVar("_Result")
# How often a change is tried on a user that others keep changing. Of those who try at the same
# time one succeeds in each round, so this is also how many may; it takes some three seconds.
_TRIES = 60
_FIRST_WAIT_SECONDS = 0.002
_LONGEST_WAIT_SECONDS = 0.1
# The versions that a caller lets a change apply to; None for any.
Versions = Collection[int] | None
# The attributes of a user by the names they are stored under.
_ATTRIBUTES: dict[str, Any] = {part.attr_name: part for part in User.get_attributes().values()}


def get(user_id: str) -> User:
    """A user as of now.

    Raises:
        UserNotFound: There is none with this id.
    """
    if not is_user_id(user_id):
        raise UserNotFound
    try:
        return User.get(user_id, consistent_read=True)  # type: ignore[no-any-return]
    except User.DoesNotExist:
        raise UserNotFound from None


def retry_on_conflict(user: User, versions: Versions, change: Callable[[User], _Result]) -> _Result:
    """Apply a change to the user, reading it again whenever somebody else was faster.

    Args:
        user: The user as the caller read it.
        versions: Refuse unless the user is at one of these.
        change: Writes the change; raises VersionMismatch if the user is not as it was given.

    Raises:
        VersionMismatch: The user is at another version than the caller allows.
        UserNotFound: The user is gone.
        Contended: Others keep changing the user.
    """
    for attempt in range(_TRIES):
        if versions is not None and user.version not in versions:
            raise VersionMismatch
        try:
            return change(user)
        except VersionMismatch:
            # Jitter only has to differ from thread to thread; it guards nothing.
            wait = min(_FIRST_WAIT_SECONDS * 2**attempt, _LONGEST_WAIT_SECONDS)
            time.sleep(random.random() * wait)  # nosec B311
            user = get(user.id)
    raise Contended


def copy_with(user: User, **values: Any) -> User:
    """A copy of the user with other values, as the next version."""
    after = User(**user.attribute_values)
    after.version += 1
    after.updated_at = now()
    for name, value in values.items():
        setattr(after, name, value)
    return after


def write(transaction: Transaction, before: User, after: User) -> None:
    """Write what differs: a sign-in at the same time keeps its last_login_at.

    The values are handed on serialised, since PynamoDB takes a dictionary such as
    {"S": "x"}, which metadata may well be, for a value in DynamoDB's own notation.
    """
    old, new = before.serialize(), after.serialize()
    actions = [
        _ATTRIBUTES[name].set(new[name]) if name in new else _ATTRIBUTES[name].remove()
        for name in old.keys() | new.keys()
        if old.get(name) != new.get(name)
    ]
    transaction.update(before, actions, unchanged(before), otherwise=VersionMismatch())


def unchanged(user: User) -> Condition:
    """That nobody has changed the user, or ended its sessions, since it was read."""
    condition: Condition = (User.version == user.version) & (
        User.session_epoch == user.session_epoch
    )
    return condition


def reserved_keys(user: User) -> set[str]:
    """The claims on the user's names."""
    return {username_key(user.username), email_key(user.email)}


def swap_reservations(transaction: Transaction, before: User, after: User) -> None:
    """Give back the names that the user has no more, and claim its new ones."""
    for claim_of, member, taken in (
        (username_key, "username", UsernameTaken()),
        (email_key, "email", EmailTaken()),
    ):
        old, new = claim_of(getattr(before, member)), claim_of(getattr(after, member))
        Identifier.swap(transaction, before.id, old, new, taken=taken, stale=VersionMismatch())
