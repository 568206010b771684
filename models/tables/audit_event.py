"""What happened to whom, in order: written in the transaction that makes the change."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Self

from pynamodb.attributes import ListAttribute, TTLAttribute, UnicodeAttribute
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex
from uuid_utils import UUID, uuid7

from models.clock import now
from models.db import db

EVENT_ID_PATTERN = r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
# The items that one page looks at, at the least, when a filter may pass few of them.
_FILTERED_PAGE = 100


class EventType(StrEnum):
    """Subject and action; the names are stable for ever."""

    USER_REGISTERED = "user.registered"
    USER_UPDATED = "user.updated"
    USER_SUSPENDED = "user.suspended"
    USER_REACTIVATED = "user.reactivated"
    USER_DELETED = "user.deleted"
    USER_IMPORTED = "user.imported"
    USER_UNLOCKED = "user.unlocked"
    EMAIL_VERIFICATION_REQUESTED = "email-verification.requested"
    EMAIL_VERIFIED = "email.verified"
    EMAIL_CHANGED = "email.changed"
    PASSWORD_CHANGED = "password.changed"
    PASSWORD_RESET_REQUESTED = "password-reset.requested"
    PASSWORD_RESET = "password.reset"
    SECOND_FACTOR_ENROLLED = "second-factor.enrolled"
    SECOND_FACTOR_ENABLED = "second-factor.enabled"
    SECOND_FACTOR_DISABLED = "second-factor.disabled"
    RECOVERY_CODES_RENEWED = "recovery-codes.renewed"
    API_KEY_CREATED = "api-key.created"
    API_KEY_REVOKED = "api-key.revoked"
    SIGN_IN_FAILED = "sign-in.failed"
    SESSION_OPENED = "session.opened"
    SESSION_RENEWED = "session.renewed"
    SESSION_ENDED = "session.ended"
    SESSIONS_ENDED = "sessions.ended"


@dataclass(frozen=True)
class Actor:
    """Who makes a change, and from where.

    Attributes:
        user_id: The signed-in user, or None for anonymous callers and the command line.
        ip: The address of the client, if there is one.
        key_id: The API key that the user's client signs in with, None for a session.
    """

    user_id: str | None = None
    ip: str | None = None
    key_id: str | None = None


ANONYMOUS = Actor()


class _Unfinished(GlobalSecondaryIndex[Any]):
    """The few events whose sessions are still to be swept."""

    class Meta:
        index_name = "unfinished"
        projection = AllProjection()

    todo = UnicodeAttribute(hash_key=True)
    id = UnicodeAttribute(range_key=True)


class AuditEvent(db.Model):  # type: ignore[misc,name-defined]
    """One thing that happened to one user.

    `todo` marks an event that ended the user's sessions until their rows are swept away: the
    sessions are dead from the transaction on, the mark only sees to it that the sweep is taken
    up again if the process dies in the middle.
    """

    class Meta:
        table_name = "events"

    unfinished = _Unfinished()

    user_id = UnicodeAttribute(hash_key=True)
    id = UnicodeAttribute(range_key=True)
    type = UnicodeAttribute()
    actor_id = UnicodeAttribute(null=True)
    ip = UnicodeAttribute(null=True)
    # The API key that it was done with, or, where a key was created or revoked, that it is about:
    # no key can do that.
    key_id = UnicodeAttribute(null=True)
    members: ListAttribute[Any] = ListAttribute(of=UnicodeAttribute, default=list)
    reason = UnicodeAttribute(null=True)
    # Only what happened to logins that nobody has is removed after a while.
    remove_at = TTLAttribute(null=True)
    todo = UnicodeAttribute(null=True)

    @classmethod
    def create(
        cls,
        type: EventType,
        user_id: str,
        by: Actor,
        *,
        members: tuple[str, ...] = (),
        reason: str | None = None,
        key_id: str | None = None,
        sweeps: bool = False,
    ) -> Self:
        """An event that happens now, not stored yet.

        Args:
            type: What happened.
            user_id: To whom.
            by: Who did it.
            members: The names of the members that changed; never their values.
            reason: Why something failed, in one word.
            key_id: The API key that it is about; the one that it was done with if not given.
            sweeps: Whether the user's session rows are to be removed afterwards.
        """
        return cls(
            user_id=user_id,
            id=str(uuid7()),
            type=type,
            actor_id=by.user_id,
            ip=by.ip,
            key_id=key_id or by.key_id,
            members=list(members),
            reason=reason,
            todo="sweep" if sweeps else None,
        )

    @property
    def at(self) -> datetime:
        """When it happened; the id begins with it."""
        return datetime.fromtimestamp(UUID(self.id).timestamp / 1000, UTC)

    def finish(self) -> None:
        """Take the mark away."""
        self.update([AuditEvent.todo.remove()])

    def __repr__(self) -> str:
        return f"<AuditEvent {self.type} {self.id}>"


def unfinished_cleanup(older_than: timedelta) -> Iterator[AuditEvent]:
    """Events whose sweep was begun some time ago and not finished, oldest first."""
    return (
        event for event in AuditEvent.unfinished.query("sweep") if event.at <= now() - older_than
    )


def events_of(
    user_id: str, *, type: EventType | None = None, after: str | None = None, limit: int = 25
) -> tuple[list[AuditEvent], str | None]:
    """What happened to a user, newest first: one page in one round trip, strongly consistent.

    A page can be shorter than the limit, even empty, while more follow: what a filter drops was
    read all the same.

    Args:
        user_id: The user.
        type: Only events of this type.
        after: The id of the event after which the page starts, None for the first page.
        limit: How many events at the most.

    Returns:
        The events, and the id to go on after, None at the end of the list.
    """
    # One more than the page shows: whether another one follows is known without another call.
    page = next(
        AuditEvent.query(
            user_id,
            AuditEvent.id < after if after else None,
            AuditEvent.type == type if type else None,
            consistent_read=True,
            scan_index_forward=False,
            page_size=limit + 1 if type is None else max(limit + 1, _FILTERED_PAGE),
        ).page_iter
    )
    found = [AuditEvent.from_raw_data(item) for item in page["Items"][: limit + 1]]
    if len(found) > limit:
        return found[:limit], str(found[limit - 1].id)
    last = page.get("LastEvaluatedKey")
    return found, str(last["id"]["S"]) if last else None
