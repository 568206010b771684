"""Emailed tokens: for one user, one purpose and one use, and valid for a short time."""

from datetime import timedelta
from enum import StrEnum
from typing import Any, Self

from pynamodb.attributes import NumberAttribute, TTLAttribute, UnicodeAttribute
from pynamodb.expressions.condition import Condition
from uuid_utils import uuid7

from flask_pynamodb import Transaction
from models.clock import TimestampAttribute, now
from models.db import Table, db
from models.errors import InvalidToken, VersionMismatch
from models.security import tokens
from models.tables.user import User

_PREFIX = "rso_"


class Purpose(StrEnum):
    """What a token is for; it is valid for nothing else."""

    RESET_PASSWORD = "reset-password"
    CONFIRM_EMAIL = "confirm-email"


class OneTimeToken(Table):
    """One token that was emailed.

    It is void once used or expired, and once its context has changed: `session_epoch` is the
    user's at issue, which a new password raises; `email` is the address it was sent to.

    A token that has verified an address stays until it expires, with `used_at`, so that repeating
    the request can be told from a token that was never issued.
    """

    class Meta:
        table_name = "one_time_tokens"

    user_id = UnicodeAttribute(hash_key=True)
    token_digest = UnicodeAttribute(range_key=True)
    purpose = UnicodeAttribute()
    email = UnicodeAttribute()
    session_epoch = NumberAttribute(attr_name="epoch")
    expires_at = TimestampAttribute()
    used_at = TimestampAttribute(null=True)
    remove_at = TTLAttribute()

    @classmethod
    def new(cls, user: User, purpose: Purpose, email: str, lifetime: timedelta) -> tuple[Self, str]:
        """Return an unsaved row for the user as read, and the token to send."""
        token = tokens.make(_PREFIX, user.id)
        expires_at = now() + lifetime
        row = cls(
            user_id=user.id,
            token_digest=tokens.digest(token),
            purpose=purpose,
            email=email,
            session_epoch=user.session_epoch,
            expires_at=expires_at,
            remove_at=expires_at,
        )
        return row, token

    @classmethod
    def decoy(cls) -> tuple[Self, str]:
        """Return a row that looks like any other, and its token, which is never sent to a user."""
        return cls.new(
            User(str(uuid7()), session_epoch=0), Purpose.CONFIRM_EMAIL, "", timedelta(days=1)
        )

    @classmethod
    def get_valid(cls, token: str, purpose: Purpose) -> tuple[Self, User]:
        """Return the row of a valid token and its user, in one round trip.

        Raises:
            InvalidToken: It was never issued, or is used, expired, or for another purpose.
        """
        row, user = cls.get_issued(token, purpose)
        if row.used_at:
            raise InvalidToken
        return row, user

    @classmethod
    def get_issued(cls, token: str, purpose: Purpose) -> tuple[Self, User]:
        """Return the row of a token, which may be used, and its user, in one round trip.

        Raises:
            InvalidToken: It was never issued, or is deleted, expired, or for another purpose.
        """
        user_id = tokens.user_id_of(_PREFIX, token)
        if user_id is None:
            raise InvalidToken
        row: Any
        row, user = db.get_many((cls, user_id, tokens.digest(token)), (User, user_id))
        if not row or not user or row.purpose != purpose or row.expires_at <= now():
            raise InvalidToken
        return row, user

    def spend(self, transaction: Transaction) -> None:
        """Use the token in a transaction, which fails with InvalidToken on a second use."""
        transaction.delete(self, _is_unused(), otherwise=InvalidToken())

    def mark_used(self, transaction: Transaction) -> None:
        """Use the token in a transaction, and keep its row until it expires.

        Raises:
            VersionMismatch: When the transaction is committed: the token was used or deleted.
        """
        used = OneTimeToken(**{**self.attribute_values, "used_at": now()})
        transaction.save(used, _is_unused(), otherwise=VersionMismatch())

    def __repr__(self) -> str:
        return f"<OneTimeToken {self.purpose} of {self.user_id}>"


def _is_unused() -> Condition:
    condition: Condition = (
        OneTimeToken.token_digest.exists() & OneTimeToken.used_at.does_not_exist()
    )
    return condition


def remove_rows(user_id: str) -> None:
    """Delete every token of a user."""
    with OneTimeToken.batch_write() as batch:
        for row in OneTimeToken.query(user_id, consistent_read=True):
            batch.delete(row)
