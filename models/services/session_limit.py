"""The limit of sessions per user: a new one ends the oldest."""

import logging

from flask_pynamodb import is_unavailable
from models.db import db
from models.errors import UserNotFound
from models.tables.audit_event import Actor, AuditEvent, EventType
from models.tables.session import Session, sessions_of
from models.tables.user import User

MAX_SESSIONS = 100
# Rows that one sign-in removes: a transaction has at most 100 operations.
_MAX_REMOVED = 25

log = logging.getLogger(__name__)


def end_oldest(user: User, new: Session, by: Actor) -> None:
    """End the oldest sessions over the limit, and remove rows of sessions that have ended.

    The sign-in has succeeded: a failure of the database leaves this to the next one.

    Args:
        user: The user as read for the sign-in.
        new: The session that was created, which stays.
        by: The caller.
    """
    try:
        _end_oldest(user, new, by)
    except Exception as error:
        if not is_unavailable(error):
            raise
        log.warning("Sessions of %s over the limit remain: %s", user.id, error)


def _end_oldest(user: User, new: Session, by: Actor) -> None:
    rows = [row for row in sessions_of(user.id) if row.token_digest != new.token_digest]
    active = [row for row in rows if row.is_active_for(user)]
    ended = [row for row in rows if not row.is_active_for(user)]
    over_limit = active[MAX_SESSIONS - 1 :]
    removed = [*ended, *reversed(over_limit)][:_MAX_REMOVED]
    with db.transaction() as transaction:
        for row in removed:
            transaction.delete(row)
            if row in over_limit:
                event = AuditEvent.create(
                    EventType.SESSION_ENDED, user.id, by, reason="too-many-sessions"
                )
                transaction.save(event)
        transaction.update(
            user,
            [User.session_rows.set(len(rows) + 1 - len(removed))],
            User.id.exists(),
            # The deletion of a user removes its sessions.
            otherwise=UserNotFound(),
        )
