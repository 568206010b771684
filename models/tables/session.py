"""Sessions: opaque tokens stored as digests, ended by expiry, by sign-out or by the epoch."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any, Self

from pynamodb.attributes import ListAttribute, NumberAttribute, TTLAttribute, UnicodeAttribute
from pynamodb.expressions.update import Action

from flask_pynamodb import Transaction
from models import field_rules
from models.clock import TimestampAttribute, now
from models.db import Table, db
from models.errors import Unauthenticated
from models.security import tokens
from models.tables.token_lookup import TokenLookup, find_row, find_token_row
from models.tables.user import User

_PREFIX = "rst_"
# Browsers send a few hundred characters; longer values are truncated, not rejected.
MAX_USER_AGENT_LENGTH = 400
# The last use is written at most this often, so that reads do not turn into writes.
_TOUCH_INTERVAL = timedelta(minutes=5)


class AuthMethod(StrEnum):
    """A factor of an authentication, as RFC 8176 names it."""

    PASSWORD = "pwd"
    # A TOTP code or a recovery code.
    OTP = "otp"


@dataclass(frozen=True)
class Lifetimes:
    """How long sessions last.

    Attributes:
        idle: Without use.
        total: In total, however much they are used.
    """

    idle: timedelta = timedelta(days=7)
    total: timedelta = timedelta(days=30)


@dataclass(frozen=True)
class Client:
    """The origin of a request."""

    ip: str | None = None
    user_agent: str | None = None


class Session(Table):
    """One sign-in of one user.

    `is_active_for` decides whether it is valid: by the clock, since DynamoDB's time to live
    removes rows days late, and by the user's epoch, which ends all sessions in one write.
    """

    class Meta:
        table_name = "sessions"

    user_id = UnicodeAttribute(hash_key=True)
    token_digest = UnicodeAttribute(range_key=True)
    session_epoch = NumberAttribute(attr_name="epoch")
    created_at = TimestampAttribute()
    # When the user last authenticated; null in rows written before reauthentication existed.
    authenticated_at = TimestampAttribute(null=True)
    # The factors of this authentication; null in rows written before 0.7.
    amr: ListAttribute[Any] = ListAttribute(of=UnicodeAttribute, null=True)
    last_used_at = TimestampAttribute()
    expires_at = TimestampAttribute()
    ends_at = TimestampAttribute()
    remove_at = TTLAttribute()
    ip = UnicodeAttribute(null=True)
    user_agent = UnicodeAttribute(null=True)

    @classmethod
    def new(
        cls,
        user: User,
        client: Client,
        lifetimes: Lifetimes,
        amr: Sequence[AuthMethod] = (AuthMethod.PASSWORD,),
    ) -> tuple[Self, str]:
        """Return an unsaved session of the user as read, and its token.

        Only the digest of the token is kept.

        Args:
            user: The user.
            client: The origin of the request.
            lifetimes: How long it lasts.
            amr: The factors that were verified.
        """
        token = tokens.make(_PREFIX, user.id)
        created_at = now()
        expires_at = created_at + min(lifetimes.idle, lifetimes.total)
        session = cls(
            user_id=user.id,
            token_digest=tokens.digest(token),
            session_epoch=user.session_epoch,
            created_at=created_at,
            authenticated_at=created_at,
            amr=list(amr),
            last_used_at=created_at,
            expires_at=expires_at,
            ends_at=created_at + lifetimes.total,
            remove_at=expires_at,
            ip=client.ip,
            user_agent=client.user_agent and client.user_agent[:MAX_USER_AGENT_LENGTH],
        )
        return session, token

    @property
    def id(self) -> str:
        """The public name of the session. It does not lead back to the token."""
        return str(self.token_digest)

    def is_active_for(self, user: User) -> bool:
        """Return whether the session still authenticates this user."""
        return (
            user.is_active
            and self.session_epoch == user.session_epoch
            and now() < min(self.expires_at, self.ends_at)
        )

    @property
    def methods(self) -> list[str]:
        """The factors of this authentication; at least a password."""
        return list(self.amr or [AuthMethod.PASSWORD])

    @property
    def used_second_factor(self) -> bool:
        """Whether a second factor was verified for this session."""
        return AuthMethod.OTP in self.methods

    def is_recent(self, within: timedelta) -> bool:
        """Return whether the user authenticated within this time (ASVS 7.5.1)."""
        return now() - (self.authenticated_at or self.created_at) < within

    def keep(
        self, transaction: Transaction, epoch: float, *, amr: Sequence[str] | None = None
    ) -> None:
        """Move this session to the next epoch of its user, in the transaction that raises it.

        Every other session of the user ends.

        Args:
            transaction: The transaction.
            epoch: The epoch of the user as read.
            amr: The factors of the session from now on; by default those that it has.

        Raises:
            Unauthenticated: When the transaction is committed: the session has ended.
        """
        actions: list[Action] = [Session.session_epoch.set(epoch + 1)]
        if amr is not None:
            actions.append(Session.amr.set(list(amr)))
        # A session ended by the epoch may still have its row: it stays ended.
        transaction.update(
            self, actions, Session.session_epoch == epoch, otherwise=Unauthenticated()
        )

    def touch(self, lifetimes: Lifetimes) -> None:
        """Record that the session is in use, unless that was recorded recently.

        Raises:
            Unauthenticated: The session has ended since it was read.
        """
        used_at = now()
        if used_at - self.last_used_at < min(_TOUCH_INTERVAL, lifetimes.idle / 10):
            return
        expires_at = min(used_at + lifetimes.idle, self.ends_at)
        with db.transaction() as transaction:
            transaction.update(
                self,
                [
                    Session.last_used_at.set(used_at),
                    Session.expires_at.set(expires_at),
                    Session.remove_at.set(expires_at),
                ],
                Session.token_digest.exists(),
                otherwise=Unauthenticated(),
            )

    def __repr__(self) -> str:
        return f"<Session of {self.user_id}>"


@dataclass(frozen=True)
class SessionLookup(TokenLookup):
    """What a session's token leads to.

    Attributes:
        session: The session, active or not.
    """

    session: Session


def find(token: str, *, other_user_id: str | None = None) -> SessionLookup | None:
    """Return the session of a token, active or not, and its user, in one round trip.

    Args:
        token: The token that the caller presented.
        other_user_id: A second user to read in the same round trip.

    Returns:
        None if the token is not a session's, or the session or its user is gone.
    """
    found = find_token_row(Session, _PREFIX, token, other_user_id)
    if found is None:
        return None
    session, user, other = found
    return SessionLookup(user, other, session)


def find_by_id(user_id: str, id: str) -> SessionLookup | None:
    """Return a session of a user, active or not, and the user, in one round trip."""
    found = find_row(Session, user_id, id)
    return SessionLookup(found[1], None, found[0]) if found else None


def sessions_of(user_id: str) -> list[Session]:
    """Return every stored session of a user, newest first, active or not; strongly consistent."""
    rows: Any = Session.query(user_id, consistent_read=True)
    return sorted(rows, key=lambda row: row.created_at, reverse=True)


def remove_rows(user_id: str, *, before_epoch: float) -> None:
    """Delete the rows of a user's sessions that were created before an epoch."""
    with Session.batch_write() as batch:
        for row in sessions_of(user_id):
            if row.session_epoch < before_epoch:
                batch.delete(row)


def is_session_id(text: str) -> bool:
    """Return whether a text has the form of a session's ID."""
    return field_rules.SESSION_ID.matches(text)
