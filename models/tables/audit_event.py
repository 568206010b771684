"""Audit events: what happened to which user, written in the transaction of the change."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import partial
from typing import Any, Self

from pynamodb.attributes import ListAttribute, NumberAttribute, TTLAttribute, UnicodeAttribute
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex
from uuid_utils import UUID, uuid7

from flask_pynamodb import Transaction
from models.clock import now
from models.db import Table, db
from models.tables.authority import AnyAuthority, AuthorizedTransaction
from models.tables.session import MAX_USER_AGENT_LENGTH, Client
from models.tables.user import User

# The value that puts an event into the index of pending cleanups.
_PENDING = "sweep"


class EventType(StrEnum):
    """Subject and action; the names are stable forever."""

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
    API_KEYS_REVOKED = "api-keys.revoked"
    CLIENT_CREATED = "client.created"
    CLIENT_UPDATED = "client.updated"
    CLIENT_DISABLED = "client.disabled"
    CLIENT_ENABLED = "client.enabled"
    CLIENT_DELETED = "client.deleted"
    CLIENT_SECRET_CREATED = "client-secret.created"
    CLIENT_SECRET_REVOKED = "client-secret.revoked"
    INVITATION_CREATED = "invitation.created"
    INVITATION_RESENT = "invitation.resent"
    INVITATION_REVOKED = "invitation.revoked"
    INVITATION_ACCEPTED = "invitation.accepted"
    SIGN_IN_FAILED = "sign-in.failed"
    SIGN_IN_REJECTED = "sign-in.rejected"
    ACCOUNT_LOCKED = "account.locked"
    ACCOUNT_UNLOCKED = "account.unlocked"
    SESSION_OPENED = "session.opened"
    SESSION_RENEWED = "session.renewed"
    SESSION_ENDED = "session.ended"
    SESSIONS_ENDED = "sessions.ended"
    ACCESS_DENIED = "access.denied"
    QUOTA_EXCEEDED = "quota.exceeded"


@dataclass(frozen=True)
class Actor:
    """The origin of a change.

    Attributes:
        user_id: The signed-in user or the client, None for anonymous callers and the command line.
        ip: The address of the client, if there is one.
        key_id: The API key that authenticated the user, None for a session.
        authority: What the change is based on; None for callers who are not signed in, and for the
            command line.
        user_agent: The `User-Agent` of the request, if there is one.
    """

    user_id: str | None = None
    ip: str | None = None
    key_id: str | None = None
    authority: AnyAuthority | None = field(default=None, repr=False, compare=False)
    user_agent: str | None = None

    @classmethod
    def from_client(cls, client: Client, user_id: str | None = None) -> Self:
        """Return the actor of a sign-in, which is based on nothing else.

        Args:
            client: The origin of the request.
            user_id: The user, if it is authenticated.
        """
        return cls(user_id, client.ip, user_agent=client.user_agent)

    @property
    def amr(self) -> list[str]:
        """The factors of the session that the change is based on; none without a session."""
        return self.authority.amr if self.authority else []

    def require_may_change(self, user: User) -> None:
        """Reject a change of a user that the actor may never make.

        Raises:
            RoleRequired: The actor is a client, and the user an admin.
        """
        if self.authority is not None:
            self.authority.require_may_change(user)

    def transaction(self) -> Transaction:
        """Start a transaction that is applied only while the authority of the actor holds."""
        if self.authority is None:
            return db.transaction()
        return db.transaction(kind=partial(AuthorizedTransaction, self.authority))


ANONYMOUS = Actor()


class _PendingCleanup(GlobalSecondaryIndex[Any]):
    """The few events whose cleanup has not finished."""

    class Meta:
        index_name = "unfinished"
        projection = AllProjection()

    pending_cleanup = UnicodeAttribute(attr_name="todo", hash_key=True)
    id = UnicodeAttribute(range_key=True)


class _ByActor(GlobalSecondaryIndex[Any]):
    """Only events whose actor is another user than the one they happened to."""

    class Meta:
        index_name = "by_actor"
        projection = AllProjection()

    actor_key = UnicodeAttribute(hash_key=True)
    id = UnicodeAttribute(range_key=True)


class _ByApiKey(GlobalSecondaryIndex[Any]):
    """Only events of an API key."""

    class Meta:
        index_name = "by_api_key"
        projection = AllProjection()

    key_id = UnicodeAttribute(hash_key=True)
    id = UnicodeAttribute(range_key=True)


class AuditEvent(Table):
    """One thing that happened to one user.

    An event can wait for several consumers. Each has an attribute of its own, set while the event
    waits for it and removed afterwards, and a sparse index on that attribute; so one consumer
    never delays another. `pending_cleanup` is the mark of the cleanup: the sessions are dead from
    the transaction on, and the mark makes sure that removing their rows resumes if the process
    dies in between.
    """

    class Meta:
        table_name = "events"

    by_pending_cleanup = _PendingCleanup()
    by_actor = _ByActor()
    by_api_key = _ByApiKey()

    user_id = UnicodeAttribute(hash_key=True)
    id = UnicodeAttribute(range_key=True)
    type = UnicodeAttribute()
    actor_id = UnicodeAttribute(null=True)
    # The actor, where that is another user: the key of a sparse index. Most events are of what a
    # user did to its own account, and need no index to be found.
    actor_key = UnicodeAttribute(null=True)
    ip = UnicodeAttribute(null=True)
    # Null in merged events, which count requests of several clients, and in rows of before 0.9.
    user_agent = UnicodeAttribute(null=True)
    # The API key that made the change or, where a key was created or revoked, that key: API keys
    # cannot do that.
    key_id = UnicodeAttribute(null=True)
    changed_fields: ListAttribute[Any] = ListAttribute(
        attr_name="members", of=UnicodeAttribute, default=list
    )
    reason = UnicodeAttribute(null=True)
    # The factors that were verified for a session, and which kind of code the second one was.
    amr: ListAttribute[Any] = ListAttribute(of=UnicodeAttribute, null=True)
    second_factor = UnicodeAttribute(null=True)
    # Set only on merged events: how many there were, and the last addition to their number.
    occurrences = NumberAttribute(attr_name="count", null=True)
    batch_id = UnicodeAttribute(attr_name="batch", null=True)
    # Set only on events of unknown logins and clients, which are removed after a while.
    remove_at = TTLAttribute(null=True)
    pending_cleanup = UnicodeAttribute(attr_name="todo", null=True)

    @classmethod
    def create(
        cls,
        type: EventType,
        user_id: str,
        by: Actor,
        *,
        changed_fields: tuple[str, ...] = (),
        reason: str | None = None,
        key_id: str | None = None,
        needs_cleanup: bool = False,
        amr: Sequence[str] = (),
        second_factor: str | None = None,
    ) -> Self:
        """Return an unsaved event of now.

        Args:
            type: What happened.
            user_id: The user it happened to.
            by: Who did it.
            changed_fields: The names of the fields that changed; never their values.
            reason: Why something failed, in one word.
            key_id: The API key that it is about; by default the one that made the change.
            needs_cleanup: Whether the rows of the user's sessions must be removed afterwards.
            amr: The factors that were verified, for a session.
            second_factor: The kind of code that was verified, if one was.
        """
        return cls(
            user_id=user_id,
            id=str(uuid7()),
            type=type,
            actor_id=by.user_id,
            actor_key=None if by.user_id == user_id else by.user_id,
            ip=by.ip,
            user_agent=(by.user_agent or "")[:MAX_USER_AGENT_LENGTH] or None,
            key_id=key_id or by.key_id,
            changed_fields=list(changed_fields),
            reason=reason,
            pending_cleanup=_PENDING if needs_cleanup else None,
            amr=list(amr) or None,
            second_factor=second_factor,
        )

    @property
    def at(self) -> datetime:
        """When it happened; the ID begins with this time."""
        return datetime.fromtimestamp(UUID(self.id).timestamp / 1000, UTC)

    def finish_cleanup(self) -> None:
        """Remove the mark of a pending cleanup."""
        self.update([AuditEvent.pending_cleanup.remove()])

    def __repr__(self) -> str:
        return f"<AuditEvent {self.type} {self.id}>"


def save_events(events: Sequence[AuditEvent]) -> None:
    """Write events of the same request, all or none."""
    if len(events) == 1:
        events[0].save()
        return
    with db.transaction() as transaction:
        for event in events:
            transaction.save(event)


def unfinished_cleanup(older_than: timedelta) -> Iterator[AuditEvent]:
    """Return the events older than this whose cleanup has not finished, oldest first."""
    return (
        event
        for event in AuditEvent.by_pending_cleanup.query(_PENDING)
        if event.at <= now() - older_than
    )
