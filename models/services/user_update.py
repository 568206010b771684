"""What changing a user's members comes to: its claims, its event, the number of admins."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from models.db import db
from models.services import metadata as metadata_rules
from models.services.account_emails import TokenEmail
from models.services.changes import copy_with, swap_reservations, write
from models.services.session_cleanup import sweep
from models.tables.audit_event import Actor, AuditEvent, EventType
from models.tables.counter import count_admin
from models.tables.identifier import email_key, normalize_email, normalize_username
from models.tables.user import User

_CHANGEABLE = (
    "username",
    "email",
    "pending_email",
    "full_name",
    "metadata",
    "roles",
    "status",
)


def normalized(changes: Mapping[str, Any]) -> dict[str, Any]:
    """New values of members as they are stored.

    Raises:
        InvalidField: The user name or address cannot be one.
    """
    rules: dict[str, Callable[[Any], Any]] = {
        "username": normalize_username,
        "email": normalize_email,
        "roles": normalize_roles,
    }
    return {name: rules.get(name, _as_is)(value) for name, value in changes.items()}


def apply_update(
    before: User, changes: Mapping[str, Any], by: Actor, prepared: TokenEmail | None = None
) -> User:
    """Change members of a user in one transaction, if it is still as it was read.

    Args:
        before: The user as it was read.
        changes: New values of members.
        by: Who asks.
        prepared: A token to store together with the change.

    Returns:
        The user after the change.

    Raises:
        VersionMismatch: The user has changed since.
        UsernameTaken: Somebody has the user name.
        EmailTaken: Somebody has the address.
        LastAdmin: Nobody would be left to administer.
    """
    values = dict(changes)
    if "metadata" in values:
        values["metadata"] = metadata_rules.checked(
            metadata_rules.merged(before.metadata, values["metadata"]) or {}
        )
    after = copy_with(before, **values).set_index_keys()
    if email_key(after.email) != email_key(before.email):
        after.email_verified = False
    old, new = before.serialize(), after.serialize()
    members = tuple(name for name in _CHANGEABLE if old.get(name) != new.get(name))
    if not members:
        # Whoever asks for the same new address again wants another mail.
        if prepared:
            prepared.row.save()
        return before
    ends_sessions = before.is_active and not after.is_active
    after.session_epoch += int(ends_sessions)
    event = AuditEvent.create(
        _kind(before, after), before.id, by, members=members, sweeps=ends_sessions
    )
    with db.transaction() as transaction:
        swap_reservations(transaction, before, after)
        write(transaction, before, after)
        transaction.save(event)
        count_admin(transaction, after.is_active_admin - before.is_active_admin)
        if prepared:
            transaction.save(prepared.row)
    if ends_sessions:
        sweep(event, before_epoch=after.session_epoch)
    return after


def _kind(before: User, after: User) -> EventType:
    if before.status == after.status:
        return EventType.USER_UPDATED
    return EventType.USER_REACTIVATED if after.is_active else EventType.USER_SUSPENDED


def normalize_roles(roles: Sequence[str]) -> list[str]:
    """Roles as they are stored: each once, always in the same order."""
    return sorted(set(roles))


def _as_is(value: Any) -> Any:
    return value
