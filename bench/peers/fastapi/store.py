"""Authenticates a request: reads session, user and requested user in one round trip."""

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
    """DynamoDB returned unprocessed keys, since its capacity is exhausted."""


@dataclass(frozen=True)
class Principal:
    """The authenticated caller.

    Attributes:
        user: The caller.
        other: Another user that the caller requests; None if it does not exist.
    """

    user: Item
    other: Item | None

    def get_visible_user(self, user_id: str) -> Item | None:
        """Return the user with this ID if it exists and the caller may read it."""
        if user_id == self.user["id"]:
            return self.user
        return self.other if "admin" in self.user["roles"] else None


async def authenticate(dynamodb: Any, token: str, requested_id: str) -> Principal | None:
    """Return the principal of a token, None unless its session is live.

    Args:
        dynamodb: The client.
        token: The bearer token of the request.
        requested_id: The ID of the user that the caller requests.
    """
    user_id = _user_id_of(token)
    if user_id is None:
        return None
    # DynamoDB rejects a batch that contains a key twice.
    ids = [user_id] if requested_id == user_id else [user_id, requested_id]
    digest = hashlib.sha256(token.encode()).hexdigest()
    response = await dynamodb.batch_get_item(
        RequestItems={
            _SESSIONS: {
                "Keys": [{"user_id": {"S": user_id}, "token_digest": {"S": digest}}],
                "ConsistentRead": True,
            },
            _USERS: {"Keys": [{"id": {"S": id}} for id in ids], "ConsistentRead": True},
        }
    )
    if response.get("UnprocessedKeys"):
        raise Unprocessed
    users = {user["id"]: user for user in map(_item, response["Responses"][_USERS])}
    sessions = [_item(session) for session in response["Responses"][_SESSIONS]]
    user = users.get(user_id)
    if not sessions or user is None or not _is_live(sessions[0], user):
        return None
    return Principal(user, users.get(requested_id))


def _is_live(session: Item, user: Item) -> bool:
    now = datetime.now(UTC).timestamp() * 1000
    return bool(
        user["status"] == "active"
        and session["epoch"] == user["epoch"]
        and now < min(session["expires_at"], session["ends_at"])
    )


def _item(attributes: Mapping[str, Any]) -> Item:
    return {name: _deserialize(value) for name, value in attributes.items()}


def _user_id_of(token: str) -> str | None:
    """Return the user ID at the start of a token; with it, the session is read by its key."""
    if not token.startswith(_PREFIX):
        return None
    try:
        raw = base64.b64decode(token[len(_PREFIX) :] + "==", altchars=b"-_", validate=True)
    except ValueError:
        return None
    return str(UUID(bytes=raw[:_ID_BYTES])) if len(raw) == _TOKEN_BYTES else None
