"""Sessions: opaque tokens of which only a digest is stored, ended by the clock or by hand."""

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Self

from pynamodb.attributes import NumberAttribute, TTLAttribute, UnicodeAttribute

from models.clock import TimestampAttribute, now
from models.db import db
from models.errors import Unauthenticated
from models.security import tokens as tokens
from models.tables.user import User

_PREFIX = "rst_"
# The one form of a SHA-256 digest that counts as an id: no other is looked up.
SESSION_ID_PATTERN = r"^[0-9a-f]{64}$"
_SESSION_ID = re.compile(SESSION_ID_PATTERN[1:-1])
# Browsers send a few hundred characters; what is longer is cut, not refused.
_LONGEST_USER_AGENT = 400
# A session's last use is written at most this often, so that reads do not turn into writes.
_TOUCH_INTERVAL = timedelta(minutes=5)


@dataclass(frozen=True)
class Lifetimes:
    """How long sessions last.

    Attributes:
        idle: Without use.
        total: However much they are used.
    """

    idle: timedelta = timedelta(days=7)
    total: timedelta = timedelta(days=30)


@dataclass(frozen=True)
class Client:
    """From where somebody signs in."""

    ip: str | None = None
    user_agent: str | None = None


class Session(db.Model):  # type: ignore[misc,name-defined]
    """One sign-in of one user.

    Whether it lives is decided by `is_alive_for`: by the clock, since DynamoDB's time to live
    removes rows days late, and by the user's epoch, since that ends all sessions in one write.
    """

    class Meta:
        table_name = "sessions"

    user_id = UnicodeAttribute(hash_key=True)
    token_digest = UnicodeAttribute(range_key=True)
    session_epoch = NumberAttribute(attr_name="epoch")
    created_at = TimestampAttribute()
    # When the user last gave the password: a new session's own beginning.
    authenticated_at = TimestampAttribute(null=True)
    last_used_at = TimestampAttribute()
    expires_at = TimestampAttribute()
    ends_at = TimestampAttribute()
    remove_at = TTLAttribute()
    ip = UnicodeAttribute(null=True)
    user_agent = UnicodeAttribute(null=True)

    @classmethod
    def new(cls, user: User, client: Client, lifetimes: Lifetimes) -> tuple[Self, str]:
        """A session of the user as it was read, not stored yet, and its token.

        The token is known to nobody afterwards: only its digest is kept.
        """
        token = tokens.make(_PREFIX, user.id)
        opened_at = now()
        expires_at = opened_at + min(lifetimes.idle, lifetimes.total)
        session = cls(
            user_id=user.id,
            token_digest=tokens.digest(token),
            session_epoch=user.session_epoch,
            created_at=opened_at,
            authenticated_at=opened_at,
            last_used_at=opened_at,
            expires_at=expires_at,
            ends_at=opened_at + lifetimes.total,
            remove_at=expires_at,
            ip=client.ip,
            user_agent=client.user_agent and client.user_agent[:_LONGEST_USER_AGENT],
        )
        return session, token

    @property
    def id(self) -> str:
        """Names the session to its user. It does not lead back to the token."""
        return str(self.token_digest)

    def is_alive_for(self, user: User) -> bool:
        """Whether the session still signs this user in."""
        return (
            user.is_active
            and self.session_epoch == user.session_epoch
            and now() < min(self.expires_at, self.ends_at)
        )

    def is_fresh(self, within: timedelta) -> bool:
        """Whether the user gave the password a little while ago (ASVS 7.5.1)."""
        return now() - (self.authenticated_at or self.created_at) < within

    def touch(self, lifetimes: Lifetimes) -> None:
        """Note that the session is in use, if that was not noted a little while ago.

        Raises:
            Unauthenticated: The session has been ended in the meantime.
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
class Found:
    """What a token leads to.

    Attributes:
        session: Its session, alive or not.
        user: The session's user.
        other: The other user that was asked for, which may be `user`; None if nobody was asked
            for, or there is no such user.
    """

    session: Session
    user: User
    other: User | None


def find(token: str, *, other_user_id: str | None = None) -> Found | None:
    """The session of a token, alive or not, and its user, in one round trip.

    Args:
        token: What the caller presented.
        other_user_id: A second user that the caller asks about, read in the same round trip.

    Returns:
        None if the token is none of ours, or the session or its user is gone.
    """
    user_id = tokens.user_id_of(_PREFIX, token)
    if user_id is None:
        return None
    # DynamoDB refuses a batch that names an item twice.
    others = [(User, other_user_id)] if other_user_id not in (None, user_id) else []
    session, user, *rest = db.get_many(
        (Session, user_id, tokens.digest(token)), (User, user_id), *others
    )
    other = rest[0] if rest else user if other_user_id == user_id else None
    return Found(session, user, other) if session and user else None


def of_user(user_id: str) -> list[Session]:
    """Every stored session of a user, newest first, alive or not; strongly consistent."""
    rows: Any = Session.query(user_id, consistent_read=True)
    return sorted(rows, key=lambda row: row.created_at, reverse=True)


def remove_rows(user_id: str, *, before_epoch: float) -> None:
    """Delete the rows of a user's sessions that were opened before an epoch."""
    with Session.batch_write() as batch:
        for row in of_user(user_id):
            if row.session_epoch < before_epoch:
                batch.delete(row)


def is_session_id(text: str) -> bool:
    """Whether the text has the form of a session's id."""
    return _SESSION_ID.fullmatch(text) is not None
