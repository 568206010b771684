"""Clearing away the rows of sessions that have ended, begun again where it broke off."""

import logging
import math
from datetime import timedelta

from flask_pynamodb import is_unavailable
from models.services import api_keys
from models.tables import one_time_token, session
from models.tables.audit_event import AuditEvent, EventType, unfinished_cleanup
from models.tables.user import User

log = logging.getLogger(__name__)
# A younger mark belongs to a request that may still be at it.
_LEFT_BEHIND = timedelta(minutes=1)


def sweep(event: AuditEvent, *, before_epoch: float) -> None:
    """Remove session rows that an event has made worthless.

    The sessions are dead already, so a store that fails now is no reason to tell the caller that
    the change failed: the event stays marked and `resume_cleanup` finishes it.
    """
    try:
        session.remove_rows(event.user_id, before_epoch=before_epoch)
        if event.type == EventType.USER_DELETED:
            api_keys.remove_rows(event.user_id)
            one_time_token.remove_rows(event.user_id)
        event.finish()
    except Exception as error:
        if not is_unavailable(error):
            raise
        log.warning("The session rows of %s are left for a later sweep: %s", event.user_id, error)


def resume_cleanup(older_than: timedelta = _LEFT_BEHIND) -> int:
    """Finish the sweeps that a stopped process left behind.

    Returns:
        How many there were.
    """
    events = list(unfinished_cleanup(older_than))
    for event in events:
        sweep(event, before_epoch=_epoch_of(event))
    return len(events)


def _epoch_of(event: AuditEvent) -> float:
    if event.type == EventType.USER_DELETED:
        return math.inf
    try:
        return float(User.get(event.user_id, consistent_read=True).session_epoch)
    except User.DoesNotExist:
        return math.inf
