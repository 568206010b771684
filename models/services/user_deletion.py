"""Delete a user: what a transaction writes, and what follows it."""

import math

from flask_pynamodb import Transaction
from models.errors import VersionMismatch
from models.services.session_cleanup import remove_ended_sessions
from models.services.user_update import Handover, is_unmodified, release_names, reserved_keys
from models.tables import second_factor
from models.tables.audit_event import Actor, AuditEvent, EventType
from models.tables.counter import count_admin
from models.tables.search_term import remove_rows
from models.tables.user import User


def write_deletion(
    transaction: Transaction, user: User, by: Actor, handover: Handover
) -> AuditEvent:
    """Delete a user in a transaction, if it is still as read, and release its names.

    Returns:
        The event of the deletion; the rows of sessions and keys are still there.

    Raises:
        VersionMismatch: On commit, if the user has changed since it was read.
        LastAdmin: On commit, if no active admin would be left.
    """
    event = AuditEvent.create(EventType.USER_DELETED, user.id, by, needs_cleanup=True)
    transaction.delete(user, is_unmodified(user), otherwise=VersionMismatch())
    release_names(transaction, user, reserved_keys(user), handover)
    remove_rows(transaction, user)
    second_factor.delete(transaction, user)
    transaction.save(event)
    count_admin(transaction, -int(user.is_active_admin))
    return event


def finish_deletion(event: AuditEvent) -> None:
    """Remove the rows that a deleted user leaves: those of sessions, keys and tokens."""
    remove_ended_sessions(event, before_epoch=math.inf)
