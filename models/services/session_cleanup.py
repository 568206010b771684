"""Remove the rows of ended sessions and revoked keys, and resume interrupted removals."""

import logging
import math
from datetime import timedelta

from flask_pynamodb import is_unavailable
from models.tables import api_key, device, one_time_token, session
from models.tables.audit_event import AuditEvent, EventType, unfinished_cleanup
from models.tables.user import User

log = logging.getLogger(__name__)
# A younger mark may belong to a request that is still running.
_INTERRUPTED_AFTER = timedelta(minutes=1)
_ENDS_API_KEYS = (EventType.USER_DELETED, EventType.API_KEYS_REVOKED)


def remove_ended_sessions(
    event: AuditEvent, *, before_epoch: float, before_api_key_epoch: float = math.inf
) -> None:
    """Remove the rows of the sessions that an event has ended, and of the API keys, if it did.

    They have already ended, so a database failure is no reason to report a failure to the
    caller: the event stays marked and `resume_cleanup` finishes it.
    """
    try:
        if event.type != EventType.API_KEYS_REVOKED:
            session.remove_rows(event.user_id, before_epoch=before_epoch)
        if event.type in _ENDS_API_KEYS:
            api_key.remove_rows(event.user_id, before_epoch=before_api_key_epoch)
        if event.type == EventType.USER_DELETED:
            one_time_token.remove_rows(event.user_id)
            device.remove_rows(event.user_id)
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
        session_epoch, api_key_epoch = _current_epochs(event)
        remove_ended_sessions(event, before_epoch=session_epoch, before_api_key_epoch=api_key_epoch)
    return len(events)


def _current_epochs(event: AuditEvent) -> tuple[float, float]:
    """Return the epochs of the sessions and of the API keys of an event's user."""
    if event.type == EventType.USER_DELETED:
        return math.inf, math.inf
    try:
        user = User.get(event.user_id, consistent_read=True)
    except User.DoesNotExist:
        return math.inf, math.inf
    return float(user.session_epoch), float(user.api_key_epoch or 0)
