"""API keys: what a machine signs in with in a user's stead, with some of the user's roles.

A key is a token like a session's, of which only a digest is stored. It lives for as long as its
owner chose, until it is revoked, and while its owner is active; a new password does not end it.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Self

from pynamodb.attributes import ListAttribute, TTLAttribute, UnicodeAttribute

from models.clock import TimestampAttribute, now
from models.db import db
from models.email import Email, EmailKind, Mailer
from models.errors import ApiKeyNotFound, InvalidField, Unauthenticated
from models.security import tokens as tokens
from models.tables.audit_event import Actor, AuditEvent, EventType
from models.tables.user import User

API_KEY_PREFIX = "rsk_"
# The one form of a SHA-256 digest that counts as an id: no other is looked up.
API_KEY_ID_PATTERN = r"^[0-9a-f]{64}$"
_API_KEY_ID = re.compile(API_KEY_ID_PATTERN[1:-1])
# Neither control characters nor those that turn or hide text on a reader's screen: the name is
# shown in lists and mails.
_UNPRINTABLE = r"\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufeff"
API_KEY_NAME_PATTERN = rf"^[^ {_UNPRINTABLE}][^{_UNPRINTABLE}]{{0,99}}$"
_API_KEY_NAME = re.compile(API_KEY_NAME_PATTERN[1:-1])
MAX_API_KEYS = 50
# A key's last use is written at most this often, so that reads do not turn into writes.
_TOUCH_INTERVAL = timedelta(minutes=5)


class ApiKey(db.Model):  # type: ignore[misc,name-defined]
    """One key of one user.

    Whether it lives is decided by `is_alive_for`: by the clock, since DynamoDB's time to live
    removes rows days late, and by the user, since a suspension has to count at once.
    """

    class Meta:
        table_name = "api_keys"

    user_id = UnicodeAttribute(hash_key=True)
    key_digest = UnicodeAttribute(range_key=True)
    name = UnicodeAttribute()
    roles: ListAttribute[Any] = ListAttribute(of=UnicodeAttribute, default=list)
    created_at = TimestampAttribute()
    expires_at = TimestampAttribute()
    last_used_at = TimestampAttribute(null=True)
    remove_at = TTLAttribute()

    @classmethod
    def new(
        cls, user: User, name: str, roles: Collection[str], lifetime: timedelta
    ) -> tuple[Self, str]:
        """A key of the user, not stored yet, and its token.

        The token is known to nobody afterwards: only its digest is kept.
        """
        token = tokens.make(API_KEY_PREFIX, user.id)
        created_at = now()
        key = cls(
            user_id=user.id,
            key_digest=tokens.digest(token),
            name=name,
            roles=sorted(set(roles)),
            created_at=created_at,
            expires_at=created_at + lifetime,
            remove_at=created_at + lifetime,
        )
        return key, token

    @property
    def id(self) -> str:
        """Names the key to its user. It does not lead back to the token."""
        return str(self.key_digest)

    @property
    def has_expired(self) -> bool:
        """Whether its time is over, be the row removed yet or not."""
        return now() >= self.expires_at

    def is_alive_for(self, user: User) -> bool:
        """Whether the key still signs this user in; a suspended user's keys rest."""
        return user.is_active and not self.has_expired

    def roles_for(self, user: User) -> list[str]:
        """What the key may do: none of its roles that its owner has no more (ASVS 8.3.2)."""
        return [role for role in self.roles if role in user.roles]

    def touch(self) -> None:
        """Note that the key is in use, if that was not noted a little while ago.

        Raises:
            Unauthenticated: The key has been revoked in the meantime.
        """
        used_at = now()
        if self.last_used_at and used_at - self.last_used_at < _TOUCH_INTERVAL:
            return
        with db.transaction() as transaction:
            transaction.update(
                self,
                [ApiKey.last_used_at.set(used_at)],
                ApiKey.key_digest.exists(),
                otherwise=Unauthenticated(),
            )

    def __repr__(self) -> str:
        return f"<ApiKey of {self.user_id}>"


@dataclass(frozen=True)
class ApiKeyLookup:
    """What a key's token leads to.

    Attributes:
        key: The key, alive.
        user: The key's owner.
        other: The other user that was asked for, which may be `user`; None if nobody was asked
            for, or there is no such user.
    """

    key: ApiKey
    user: User
    other: User | None


class ApiKeys:
    """Operations on API keys; the mailer tells owners of new ones."""

    def __init__(self, mailer: Mailer) -> None:
        self.mailer = mailer

    def create(
        self, user: User, name: str, roles: Collection[str], lifetime: timedelta, by: Actor
    ) -> tuple[ApiKey, str]:
        """Make a key, and tell its owner by mail.

        A user has `MAX_API_KEYS` keys at the most. They are counted before the key is
        written, so that requests at the same moment may exceed that by as many as there are.

        Args:
            user: The owner, as the request found it.
            name: What the owner calls it.
            roles: Which of the owner's roles it gets.
            lifetime: After how long it expires.
            by: Who asks.

        Returns:
            The key and its token, which is kept nowhere.

        Raises:
            InvalidField: The name is not 1 to 100 printable characters, the owner has not all of
                the roles, or has too many keys.
            Unauthenticated: The owner was suspended or deleted, or all its sessions were ended,
                in the meantime.
        """
        _refuse_name(name)
        _refuse_roles(roles, user)
        if len(self.of_user(user)) >= MAX_API_KEYS:
            raise InvalidField(
                "name", f"You have {MAX_API_KEYS} API keys, which is the most. Revoke one first."
            )
        key, token = ApiKey.new(user, name, roles, lifetime)
        with db.transaction() as transaction:
            # Whoever ends the sessions of a stolen account must not find a new key afterwards.
            transaction.condition_check(
                User,
                user.id,
                condition=User.session_epoch == user.session_epoch,
                otherwise=Unauthenticated(),
            )
            transaction.save(key)
            transaction.save(
                AuditEvent.create(EventType.API_KEY_CREATED, user.id, by, key_id=key.id)
            )
        self.mailer.send(
            Email(EmailKind.API_KEY_CREATED, to=user.email, username=user.username, detail=name)
        )
        return key, token

    def of_user(self, user: User) -> list[ApiKey]:
        """The keys of a user that have not expired, newest first; strongly consistent."""
        return [key for key in _stored_of(user.id) if not key.has_expired]

    def revoke(self, user: User, id: str, by: Actor) -> None:
        """End a key at once.

        Raises:
            ApiKeyNotFound: The user has no such key.
        """
        if not _API_KEY_ID.fullmatch(id):
            raise ApiKeyNotFound
        with db.transaction() as transaction:
            transaction.delete(
                ApiKey(user.id, id), ApiKey.key_digest.exists(), otherwise=ApiKeyNotFound()
            )
            transaction.save(AuditEvent.create(EventType.API_KEY_REVOKED, user.id, by, key_id=id))

    def find(self, token: str, *, other_user_id: str | None = None) -> ApiKeyLookup | None:
        """The living key of a token, and its owner, in one round trip.

        Args:
            token: What the caller presented.
            other_user_id: A second user to read in the same round trip.

        Returns:
            None if the token is none of ours, or the key or its owner is gone or not active.

        Raises:
            Unauthenticated: The key has been revoked at this very moment.
        """
        user_id = tokens.user_id_of(API_KEY_PREFIX, token)
        if user_id is None:
            return None
        # DynamoDB refuses a batch that names an item twice.
        others = [(User, other_user_id)] if other_user_id not in (None, user_id) else []
        key, user, *rest = db.get_many(
            (ApiKey, user_id, tokens.digest(token)), (User, user_id), *others
        )
        if not key or not user or not key.is_alive_for(user):
            return None
        key.touch()
        other = rest[0] if rest else user if other_user_id == user_id else None
        return ApiKeyLookup(key, user, other)


def remove_rows(user_id: str) -> None:
    """Delete every key of a user, living or not."""
    with ApiKey.batch_write() as batch:
        for key in _stored_of(user_id):
            batch.delete(key)


def _stored_of(user_id: str) -> list[ApiKey]:
    rows: Any = ApiKey.query(user_id, consistent_read=True)
    return sorted(rows, key=lambda row: row.created_at, reverse=True)


def _refuse_name(name: str) -> None:
    if not _API_KEY_NAME.fullmatch(name):
        raise InvalidField("name", "A name has 1 to 100 printable characters, no space first.")


def _refuse_roles(roles: Collection[str], user: User) -> None:
    foreign = sorted(set(roles) - set(user.roles))
    if foreign:
        raise InvalidField(
            "roles", f"A key has no role that its owner has not: {', '.join(foreign)}."
        )
