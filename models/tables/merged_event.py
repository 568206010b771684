"""Merged audit events: one for all occurrences of the same within a window of time.

What an attacker can repeat without end must not write without end. The ID of a merged event
follows from what is merged, so that all processes count in the same item.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from pynamodb.exceptions import UpdateError

from flask_pynamodb import error_code
from models.tables.audit_event import Actor, AuditEvent, EventType

WINDOW = timedelta(minutes=10)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class MergedEvent:
    """What is counted in one audit event.

    Attributes:
        type: What happened.
        subject: The user it happened to, or the key of an unknown login or a client.
        by: The caller; of several addresses the first one is stored.
        reason: Why, in one word.
        started_at: The beginning of the window, which is the time of the event.
        remove_at: When the event may be removed; None to keep it.
    """

    type: EventType
    subject: str
    by: Actor
    reason: str | None
    started_at: datetime
    remove_at: datetime | None = None

    @property
    def id(self) -> str:
        """A UUIDv7 of the beginning of the window, with a digest where others are random."""
        parts = (self.type, self.subject, self.reason, self.by.user_id, self.by.key_id)
        digest = hashlib.sha256("\0".join(part or "" for part in parts).encode()).digest()
        milliseconds = (self.started_at - _EPOCH) // timedelta(milliseconds=1)
        value = milliseconds << 80 | int.from_bytes(digest[:10])
        # RFC 9562, 5.7: the version and the variant.
        value = value & ~(0xF << 76) | 7 << 76
        return str(UUID(int=value & ~(0x3 << 62) | 0x2 << 62))

    def add(self, occurrences: int) -> None:
        """Count occurrences; the first ones create the event."""
        batch_id = secrets.token_hex(8)
        values: list[tuple[Any, Any]] = [
            (AuditEvent.type, self.type),
            (AuditEvent.actor_id, self.by.user_id),
            (AuditEvent.key_id, self.by.key_id),
            (AuditEvent.changed_fields, []),
            (AuditEvent.reason, self.reason),
            (AuditEvent.remove_at, self.remove_at),
            (AuditEvent.batch_id, batch_id),
        ]
        actions = [attribute.set(value) for attribute, value in values if value is not None]
        if self.by.ip:
            actions.append(AuditEvent.ip.set(AuditEvent.ip | self.by.ip))
        row = AuditEvent(self.subject, self.id)
        try:
            # A repetition by the transport, after a lost response, must not count twice.
            row.update(
                [*actions, AuditEvent.occurrences.add(occurrences)],
                ~(AuditEvent.batch_id == batch_id),
            )
        except UpdateError as error:
            if error_code(error) != "ConditionalCheckFailedException":
                raise


def window_start(at: datetime, since: datetime = _EPOCH) -> datetime:
    """Return the beginning of the window of a time; windows begin with `since`."""
    return since + (at - since) // WINDOW * WINDOW
