"""Look up a token's row and its user in one round trip."""

from dataclasses import dataclass
from typing import Any

from models.db import db
from models.security import tokens
from models.tables.user import User


@dataclass(frozen=True)
class TokenLookup:
    """What a token leads to.

    Attributes:
        user: The owner of the token.
        other: The other user that was requested, which may be `user`; None if none was requested
            or there is no such user.
    """

    user: User
    other: User | None


def find_token_row(
    model: Any, prefix: str, token: str, other_user_id: str | None
) -> tuple[Any, User, User | None] | None:
    """Return the row of a token, its user and another user, in one round trip.

    Args:
        model: A table with the key user ID and token digest.
        prefix: The prefix of its tokens.
        token: The token that the caller presented.
        other_user_id: A second user to read in the same round trip.

    Returns:
        None if the token is not of this kind, or its row or its user is gone.
    """
    user_id = tokens.user_id_of(prefix, token)
    if user_id is None:
        return None
    return find_row(model, user_id, tokens.digest(token), other_user_id)


def find_row(
    model: Any, user_id: str, digest: str, other_user_id: str | None = None
) -> tuple[Any, User, User | None] | None:
    """Return the row of a digest, its user and another user, in one round trip.

    Args:
        model: A table with the key user ID and token digest.
        user_id: The user.
        digest: The digest of a token.
        other_user_id: A second user to read in the same round trip.

    Returns:
        None if the row or its user is gone.
    """
    # DynamoDB rejects a batch with a duplicate key.
    others = [(User, other_user_id)] if other_user_id not in (None, user_id) else []
    row, user, *rest = db.get_many((model, user_id, digest), (User, user_id), *others)
    if not row or not user:
        return None
    return row, user, rest[0] if rest else user if other_user_id == user_id else None
