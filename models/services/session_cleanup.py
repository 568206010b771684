"""Remove the rows of ended sessions, and resume removals that were interrupted."""

import logging
import math
from datetime import timedelta

from flask_pynamodb import is_unavailable
from models.tables import api_key, one_time_token, session
from models.tables.audit_event import AuditEvent, EventType, unfinished_cleanup
from models.tables.user import User

log = logging.getLogger(__name__)
# A younger mark may belong to a request that is still running.
_INTERRUPTED_AFTER = timedelta(minutes=1)


def remove_ended_sessions(event: AuditEvent, *, before_epoch: float) -> None:
    """Remove the session rows that an event has ended.

    The sessions have already ended, so a database failure is no reason to report a failure to the
    caller: the event stays marked and `resume_cleanup` finishes it.
    """
    try:
        session.remove_rows(event.user_id, before_epoch=before_epoch)
        if event.type == EventType.USER_DELETED:
            api_key.remove_rows(event.user_id)
            one_time_token.remove_rows(event.user_id)
        event.finish_cleanup()
    except Exception as error:
        if not is_unavailable(error):
            raise
        log.warning("Session rows of %s remain until the next cleanup: %s", event.user_id, error)


def resume_cleanup(older_than: timedelta = _INTERRUPTED_AFTER) -> int:
    """Finish the cleanups that a stopped process left unfinished.

    Returns:
        How many there were.
    """
    events = list(unfinished_cleanup(older_than))
    for event in events:
        remove_ended_sessions(event, before_epoch=_current_epoch(event))
    return len(events)


def _current_epoch(event: AuditEvent) -> float:
    if event.type == EventType.USER_DELETED:
        return math.inf
    try:
        return float(User.get(event.user_id, consistent_read=True).session_epoch)
    except User.DoesNotExist:
        return math.inf
