"""API keys: tokens of which only a digest is stored, for programs that act for a user."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any, Self

from pynamodb.attributes import ListAttribute, NumberAttribute, TTLAttribute, UnicodeAttribute

from models.clock import TimestampAttribute, now
from models.db import Table, db
from models.errors import Unauthenticated
from models.security import tokens
from models.tables.session import AuthMethod
from models.tables.token_lookup import TokenLookup, find_row, find_token_row
from models.tables.user import User

API_KEY_PREFIX = "rsk_"
# The last use is written at most this often, so that reads do not turn into writes.
_TOUCH_INTERVAL = timedelta(minutes=5)


class Scope(StrEnum):
    """What a key may do besides reading and changing what belongs to a user itself."""

    # Usernames, roles and statuses, new admins, and deleting users.
    ACCOUNTS = "accounts"


class ApiKey(Table):
    """One key of one user.

    `is_active_for` decides whether it is valid: by the clock, since DynamoDB's time to live
    removes rows days late, and by the user, since a suspension must count at once.
    """

    class Meta:
        table_name = "api_keys"

    user_id = UnicodeAttribute(hash_key=True)
    key_digest = UnicodeAttribute(range_key=True)
    name = UnicodeAttribute()
    roles: ListAttribute[Any] = ListAttribute(of=UnicodeAttribute, default=list)
    # The owner's epoch at that time: the key is valid while it has not been raised.
    owner_epoch = NumberAttribute(null=True)
    # What it may do besides; null in rows written before 0.7.
    scopes: ListAttribute[Any] = ListAttribute(of=UnicodeAttribute, null=True)
    # The factors of the session that created it; null in rows written before 0.7.
    amr: ListAttribute[Any] = ListAttribute(of=UnicodeAttribute, null=True)
    created_at = TimestampAttribute()
    expires_at = TimestampAttribute()
    last_used_at = TimestampAttribute(null=True)
    remove_at = TTLAttribute()

    @classmethod
    def new(
        cls,
        user: User,
        name: str,
        roles: Collection[str],
        lifetime: timedelta,
        amr: Collection[str] = (),
        scopes: Collection[str] = (),
        *,
        token: str,
    ) -> Self:
        """Return an unsaved key of the user.

        Args:
            user: The owner.
            name: The owner's name for it.
            roles: The roles of the owner that it gets.
            lifetime: After how long it expires.
            amr: The factors of the session that creates it.
            scopes: What it may do besides.
            token: The token, of which only the digest is kept.
        """
        created_at = now()
        return cls(
            user_id=user.id,
            key_digest=tokens.digest(token),
            name=name,
            roles=sorted(set(roles)),
            owner_epoch=user.api_key_epoch,
            scopes=sorted(set(scopes)),
            amr=list(amr),
            created_at=created_at,
            expires_at=created_at + lifetime,
            remove_at=created_at + lifetime,
        )

    @property
    def id(self) -> str:
        """The public name of the key. It does not lead back to the token."""
        return str(self.key_digest)

    @property
    def used_second_factor(self) -> bool:
        """Whether the session that created the key had verified a second factor."""
        return AuthMethod.OTP in (self.amr or ())

    @property
    def has_expired(self) -> bool:
        """Whether the key has expired, even if its row is not removed yet."""
        return now() >= self.expires_at

    def is_active_for(self, user: User) -> bool:
        """Return whether the key still authenticates this user, who must be active."""
        return user.is_active and not self.is_revoked_for(user) and not self.has_expired

    def is_revoked_for(self, user: User) -> bool:
        """Return whether all keys of the user were revoked since, even if the row is left."""
        return bool(self.owner_epoch != user.api_key_epoch)

    def roles_for(self, user: User) -> list[str]:
        """Return the roles of the key that its owner still has (ASVS 8.3.2)."""
        return [role for role in self.roles if role in user.roles]

    def touch(self) -> None:
        """Record that the key is in use, unless that was recorded recently.

        Raises:
            Unauthenticated: The key has been revoked since it was read.
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
class ApiKeyLookup(TokenLookup):
    """What a key's token leads to.

    Attributes:
        key: The key, active or not.
    """

    key: ApiKey


def find(token: str, *, other_user_id: str | None = None) -> ApiKeyLookup | None:
    """Return the key of a token, active or not, and its owner, in one round trip.

    Args:
        token: The token that the caller presented.
        other_user_id: A second user to read in the same round trip.

    Returns:
        None if the token is not a key's, or the key or its owner is gone.
    """
    found = find_token_row(ApiKey, API_KEY_PREFIX, token, other_user_id)
    if found is None:
        return None
    key, user, other = found
    return ApiKeyLookup(user, other, key)


def find_by_id(user_id: str, id: str) -> ApiKeyLookup | None:
    """Return a key of a user, active or not, and the user, in one round trip."""
    found = find_row(ApiKey, user_id, id)
    return ApiKeyLookup(found[1], None, found[0]) if found else None


def keys_of(user_id: str) -> list[ApiKey]:
    """Return every stored key of a user, newest first, expired or not; strongly consistent."""
    rows: Any = ApiKey.query(user_id, consistent_read=True)
    return sorted(rows, key=lambda row: row.created_at, reverse=True)


def remove_rows(user_id: str, *, before_epoch: float) -> None:
    """Delete the keys of a user from before an epoch of their owner, expired or not."""
    with ApiKey.batch_write() as batch:
        for key in keys_of(user_id):
            if (key.owner_epoch or 0) < before_epoch:
                batch.delete(key)
