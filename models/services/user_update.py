"""Update a user that others may be updating: optimistic locking, the diff, and its consequences."""

import random
import time
from collections.abc import Callable, Collection, Container, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar

from pynamodb.expressions.condition import Condition

from flask_pynamodb import Transaction
from models.clock import now
from models.errors import (
    EmailTaken,
    ExternalIdTaken,
    InvalidField,
    TooManyConflicts,
    UsernameTaken,
    UserNotFound,
    VersionMismatch,
    raise_together,
)
from models.locales import normalize_locale
from models.services.account_emails import TokenEmail
from models.services.hooks import UpdateHooks
from models.services.session_cleanup import remove_ended_sessions
from models.services.usernames import UsernameRules
from models.tables.audit_event import Actor, AuditEvent, EventType
from models.tables.counter import count_admin
from models.tables.identifier import (
    Identifier,
    email_key,
    external_key,
    normalize_email,
    normalize_external_id,
    username_key,
)
from models.tables.search_term import swap_rows
from models.tables.user import (
    User,
    forget_devices,
    has_api_key_epoch,
    has_indexed_version,
    is_user_id,
)

_Result = TypeVar("_Result")
# Attempts on a user that is being updated concurrently. One of the concurrent updates succeeds in
# each round, so this is also how many may compete; it takes about three seconds.
_MAX_ATTEMPTS = 60
_FIRST_WAIT_SECONDS = 0.002
_LONGEST_WAIT_SECONDS = 0.1
# The versions of the user that a caller accepts; None accepts any.
Versions = Container[int] | None
# The attributes of a user by the names they are stored under.
_ATTRIBUTES: dict[str, Any] = {part.attr_name: part for part in User.get_attributes().values()}
# The fields whose changes are recorded.
RECORDED_FIELDS = (
    "username",
    "email",
    "pending_email",
    "full_name",
    "locale",
    "metadata",
    "app_metadata",
    "external_id",
    "roles",
    "status",
)


def get_user(user_id: str) -> User:
    """Return the user with this ID, strongly consistent.

    Raises:
        UserNotFound: There is no user with this ID.
    """
    if not is_user_id(user_id):
        raise UserNotFound
    try:
        return User.get(user_id, consistent_read=True)
    except User.DoesNotExist:
        raise UserNotFound from None


def retry_on_conflict(user: User, versions: Versions, change: Callable[[User], _Result]) -> _Result:
    """Apply a change to the user; after each conflict read the user again and retry.

    Args:
        user: The user as the caller read it.
        versions: Reject the change unless the user is at one of these versions.
        change: Writes the change; raises VersionMismatch if the stored user differs.

    Raises:
        VersionMismatch: The user is at a version that the caller does not accept.
        UserNotFound: The user is gone.
        TooManyConflicts: Concurrent updates kept winning.
    """
    for attempt in range(_MAX_ATTEMPTS):
        if versions is not None and user.version not in versions:
            raise VersionMismatch
        try:
            return change(user)
        except VersionMismatch:
            # Jitter only spreads the threads; nothing depends on its quality.
            wait = min(_FIRST_WAIT_SECONDS * 2**attempt, _LONGEST_WAIT_SECONDS)
            time.sleep(random.random() * wait)  # nosec B311
            user = get_user(user.id)
    raise TooManyConflicts


def normalize_changes(changes: Mapping[str, Any], usernames: UsernameRules) -> dict[str, Any]:
    """Return new values of fields as they are stored.

    Args:
        changes: New values of fields.
        usernames: The rules for usernames; a reserved one is not rejected here.

    Raises:
        InvalidField: The username, email address, language tag or external ID is not valid.
    """
    rules: dict[str, Callable[[Any], Any]] = {
        "username": partial(usernames.normalize, any_username=True),
        "email": normalize_email,
        "roles": normalize_roles,
        "locale": normalize_locale,
        "external_id": normalize_external_id,
    }
    normalized, faults = dict(changes), []
    for name in rules.keys() & changes.keys():
        try:
            normalized[name] = rules[name](changes[name])
        except InvalidField as fault:
            faults.append(fault)
    raise_together(sorted(faults, key=lambda fault: fault.field))
    return normalized


def normalize_roles(roles: Sequence[str]) -> list[str]:
    """Return roles as stored: without duplicates, always in the same order."""
    return sorted(set(roles))


@dataclass(frozen=True)
class Handover:
    """What becomes of usernames that are given up.

    Attributes:
        quarantine: How long the old username is not available to other users.
        takes_over: Whether the new one may be a username that another user has given up.
        moved: The keys of names that the same transaction moves from one user to another.
    """

    quarantine: timedelta = timedelta()
    takes_over: bool = False
    moved: frozenset[str] = frozenset()


def apply_update(
    before: User,
    changes: Mapping[str, Any],
    by: Actor,
    handover: Handover,
    token_email: TokenEmail | None = None,
    hooks: UpdateHooks | None = None,
) -> User:
    """Update fields of a user in one transaction, if it is still as read.

    Args:
        before: The user as read.
        changes: New values of fields; those of `metadata` and `app_metadata` may be functions of
            the current objects.
        by: The caller.
        handover: What becomes of the old username.
        token_email: A token to store in the same transaction.
        hooks: The functions of the operator, for an update that they may refuse.

    Returns:
        The updated user.

    Raises:
        VersionMismatch: The user has changed since it was read.
        UsernameTaken: Another user has the username.
        EmailTaken: Another user has the email address.
        ExternalIdTaken: Another user has the external ID.
        LastAdmin: No active admin would be left.
        RoleRequired: The caller is a client, and the user an admin.
        Refused: A function of the operator refuses the update.
        HookFailed: A function of the operator has failed.
    """
    by.require_may_change(before)
    after = _with_changes(before, changes)
    fields = changed_fields(before, after)
    if hooks and fields:
        hooks.before(before, after, fields)
        fields = changed_fields(before, after)
    if not fields:
        # A repeated request for the same new address sends another email.
        if token_email:
            with by.transaction() as transaction:
                transaction.save(token_email.row)
        return before
    ends_sessions = before.is_active and not after.is_active
    if ends_sessions:
        after.session_epoch += 1
        forget_devices(after)
    event = AuditEvent.create(
        _event_type(before, after),
        before.id,
        by,
        changed_fields=fields,
        needs_cleanup=ends_sessions,
    )
    with by.transaction() as transaction:
        swap_reservations(transaction, before, after, handover)
        write(transaction, before, after)
        transaction.save(event)
        count_admin(transaction, after.is_active_admin - before.is_active_admin)
        if token_email:
            transaction.save(token_email.row)
    if ends_sessions:
        remove_ended_sessions(event, before_epoch=after.session_epoch)
    if hooks:
        hooks.after(before, after, fields)
    return after


def recorded_changes(before: User, after: User) -> tuple[str, ...]:
    """Return the names of the recorded fields that differ."""
    old, new = before.serialize(), after.serialize()
    return tuple(name for name in RECORDED_FIELDS if old.get(name) != new.get(name))


def changed_fields(before: User, after: User) -> tuple[str, ...]:
    """Return the names of the fields that differ, as the event of an update has them."""
    changed = recorded_changes(before, after)
    if "email" not in changed and before.email_verified != after.email_verified:
        # A new address is another reason, and the change of the address is recorded then.
        changed = (*changed, "email_verified")
    return changed


def copy_with(user: User, **values: Any) -> User:
    """Return a copy of the user with other values, as the next version."""
    after = User(**user.attribute_values)
    after.version += 1
    after.updated_at = now()
    for name, value in values.items():
        setattr(after, name, value)
    return after


def write(transaction: Transaction, before: User, after: User) -> None:
    """Write only what differs, so that a concurrent sign-in keeps its last_login_at.

    The rows of the search are written with it.

    The values are passed on serialized, since PynamoDB takes a dictionary such as {"S": "x"},
    which metadata may well be, for a value in DynamoDB's own notation.
    """
    swap_rows(transaction, before, after)
    old, new = before.serialize(), after.serialize()
    actions = [
        _ATTRIBUTES[name].set(new[name]) if name in new else _ATTRIBUTES[name].remove()
        for name in old.keys() | new.keys()
        if old.get(name) != new.get(name)
    ]
    transaction.update(before, actions, is_unmodified(before), otherwise=VersionMismatch())


def is_unmodified(user: User) -> Condition:
    """Return the condition that the user is as read, and no session or key was ended since.

    A migration that adds rows of the search changes no version of the user.
    """
    condition: Condition = (
        (User.version == user.version)
        & has_indexed_version(user.indexed_version)
        & (User.session_epoch == user.session_epoch)
        & has_api_key_epoch(user.api_key_epoch)
    )
    return condition


def reserved_keys(user: User) -> set[str]:
    """Return the keys under which the user's names are reserved."""
    keys = {email_key(user.email)}
    if user.username is not None:
        keys.add(username_key(user.username))
    if user.external_id:
        keys.add(external_key(user.external_id))
    return keys


def swap_reservations(
    transaction: Transaction, before: User, after: User, handover: Handover
) -> None:
    """Release the names that the user no longer has, and reserve its new ones."""
    old, new = reserved_keys(before), reserved_keys(after)
    release_names(transaction, before, old - new, handover)
    taken = new - old - handover.moved
    if after.username is not None and username_key(after.username) in taken:
        Identifier.take(
            transaction,
            username_key(after.username),
            before.id,
            otherwise=UsernameTaken(),
            takes_over=handover.takes_over,
        )
    if email_key(after.email) in taken:
        Identifier.reserve(transaction, email_key(after.email), before.id, otherwise=EmailTaken())
    if after.external_id and external_key(after.external_id) in taken:
        key = external_key(after.external_id)
        Identifier.reserve(transaction, key, before.id, otherwise=ExternalIdTaken())


def release_names(
    transaction: Transaction, user: User, keys: Collection[str], handover: Handover
) -> None:
    """Release names of a user, except those that move to another one.

    Raises:
        VersionMismatch: On commit, if a name was swapped concurrently: read the user again.
    """
    for key in sorted(set(keys) - handover.moved):
        stale = VersionMismatch()
        if user.username is not None and key == username_key(user.username):
            Identifier.give_up(
                transaction, key, user.id, otherwise=stale, quarantine=handover.quarantine
            )
        else:
            Identifier.release(transaction, key, user.id, otherwise=stale)


def _with_changes(before: User, changes: Mapping[str, Any]) -> User:
    values = dict(changes)
    faults: list[InvalidField] = []
    for name, value in changes.items():
        try:
            values[name] = value(getattr(before, name) or {}) if callable(value) else value
        except InvalidField as fault:
            faults += [fault, *fault.other_failures]  # type: ignore[list-item]
    raise_together(faults)
    if "app_metadata" in values:
        values["app_metadata"] = values["app_metadata"] or None
    after = copy_with(before, **values).set_index_keys()
    if email_key(after.email) != email_key(before.email) and "email_verified" not in values:
        after.email_verified = False
    return after


def _event_type(before: User, after: User) -> EventType:
    if before.status == after.status:
        return EventType.USER_UPDATED
    return EventType.USER_REACTIVATED if after.is_active else EventType.USER_SUSPENDED
