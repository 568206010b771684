"""What a request reads: a session, its user and perhaps another user, in one round trip."""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from boto3.dynamodb.types import TypeDeserializer

Item = dict[str, Any]

_SESSIONS, _USERS = "roster-sessions", "roster-users"
_PREFIX = "rst_"
_ID_BYTES, _TOKEN_BYTES = 16, 40
_deserialize = TypeDeserializer().deserialize


class Unprocessed(Exception):
    """DynamoDB has left keys unread: it is short of capacity."""


@dataclass(frozen=True)
class Principal:
    """Who is signed in.

    Attributes:
        user: The caller.
        other: Another user that the caller asks about, None if there is no such user.
    """

    user: Item
    other: Item | None

    def get_visible_user(self, user_id: str) -> Item | None:
        """The user with this id if there is one and the caller may know it."""
        if user_id == self.user["id"]:
            return self.user
        return self.other if "admin" in self.user["roles"] else None


async def find_caller(dynamodb: Any, token: str, asked_id: str) -> Principal | None:
    """The user whose session a token is, None unless the session is alive.

    Args:
        dynamodb: The client.
        token: What the caller presented.
        asked_id: The user that the caller asks about.
    """
    user_id = _user_id_of(token)
    if user_id is None:
        return None
    # DynamoDB refuses a batch that names a key twice.
    ids = [user_id] if asked_id == user_id else [user_id, asked_id]
    digest = hashlib.sha256(token.encode()).hexdigest()
    answer = await dynamodb.batch_get_item(
        RequestItems={
            _SESSIONS: {
                "Keys": [{"user_id": {"S": user_id}, "token_digest": {"S": digest}}],
                "ConsistentRead": True,
            },
            _USERS: {"Keys": [{"id": {"S": id}} for id in ids], "ConsistentRead": True},
        }
    )
    if answer.get("UnprocessedKeys"):
        raise Unprocessed
    users = {user["id"]: user for user in map(_item, answer["Responses"][_USERS])}
    sessions = [_item(found) for found in answer["Responses"][_SESSIONS]]
    user = users.get(user_id)
    if not sessions or user is None or not _is_alive(sessions[0], user):
        return None
    return Principal(user, users.get(asked_id))


def _is_alive(session: Item, user: Item) -> bool:
    now = datetime.now(UTC).timestamp() * 1000
    return bool(
        user["status"] == "active"
        and session["epoch"] == user["epoch"]
        and now < min(session["expires_at"], session["ends_at"])
    )


def _item(attributes: Mapping[str, Any]) -> Item:
    return {name: _deserialize(value) for name, value in attributes.items()}


def _user_id_of(token: str) -> str | None:
    """A token begins with its user's id, so that a session is found by its key."""
    if not token.startswith(_PREFIX):
        return None
    try:
        raw = base64.b64decode(token[len(_PREFIX) :] + "==", altchars=b"-_", validate=True)
    except ValueError:
        return None
    return str(UUID(bytes=raw[:_ID_BYTES])) if len(raw) == _TOKEN_BYTES else None
