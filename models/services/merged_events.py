"""Record what an attacker can repeat without end: merged, counted, and by a background thread.

A rejected request neither waits for the record nor causes a write of its own.
"""

from datetime import datetime

from models.clock import now
from models.services.background import Background
from models.tables.audit_event import Actor, EventType
from models.tables.login_attempts import ATTEMPTS_FORGOTTEN_AFTER
from models.tables.merged_event import MergedEvent, window_start
from models.tables.user import is_user_id


class MergedEvents:
    """Operations on merged audit events.

    Args:
        background: Writes them.
    """

    def __init__(self, background: Background) -> None:
        self._background = background

    def attempt_during_lockout(self, subject: str, since: datetime, by: Actor) -> None:
        """Record a login attempt that was rejected since the account is locked out.

        Args:
            subject: The user, or the key of an unknown login.
            since: When the lockout began.
            by: The caller.
        """
        started_at = window_start(now(), since)
        self._add(EventType.SIGN_IN_REJECTED, subject, by, "locked-out", started_at)

    def access_denied(self, by: Actor, reason: str) -> None:
        """Record a request that the caller may not make, or not on this object.

        Args:
            by: The caller, who is signed in.
            reason: The kind of problem.
        """
        if by.user_id:
            self._add(EventType.ACCESS_DENIED, by.user_id, by, reason, window_start(now()))

    def quota_exceeded(self, subject: str, quota: str, by: Actor) -> None:
        """Record a request over a quota.

        Args:
            subject: The user, the key of an unknown login, or the key of a client.
            quota: The name of the quota.
            by: The caller.
        """
        self._add(EventType.QUOTA_EXCEEDED, subject, by, quota, window_start(now()))

    def _add(
        self, type: EventType, subject: str, by: Actor, reason: str, started_at: datetime
    ) -> None:
        is_kept = is_user_id(subject)
        remove_at = None if is_kept else started_at + ATTEMPTS_FORGOTTEN_AFTER
        # The authority of the caller is not needed to record what was rejected.
        event = MergedEvent(
            type, subject, Actor(by.user_id, by.ip, by.key_id), reason, started_at, remove_at
        )
        self._background.submit((event.subject, event.id), event.add)


def client_key(client: str) -> str:
    """Return the key under which events of an anonymous client are stored.

    Args:
        client: The key under which the requests of the client are counted.
    """
    return f"client#{client}"
