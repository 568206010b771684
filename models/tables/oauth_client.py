"""Clients: programs that belong to no user, and the secrets that authenticate them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Self

import orjson
from pynamodb.attributes import (
    BooleanAttribute,
    JSONAttribute,
    ListAttribute,
    NumberAttribute,
    UnicodeAttribute,
)
from pynamodb.exceptions import UpdateError
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex
from uuid_utils import uuid7

from flask_pynamodb import error_code
from models.clock import TimestampAttribute, now
from models.db import Table
from models.security import tokens

CLIENT_SECRET_PREFIX = "rsc_"
# Two, so that one can be replaced while the other is in use.
MAX_SECRETS = 2
# The last use is written at most this often, so that reads do not turn into writes.
_TOUCH_INTERVAL = timedelta(minutes=5)
# A concurrent change of the client, or a transaction that depends on it.
_CONFLICTS = ("ConditionalCheckFailedException", "TransactionConflictException")


class ClientKind(StrEnum):
    """What kind of program a client is."""

    SERVICE = "service"


class ClientScope(StrEnum):
    """What a client may do."""

    # Ask whether a token is active, and whose it is.
    INTROSPECT = "introspect"
    # Also get the email address of the user.
    EMAIL = "email"
    # Get access tokens: for itself, and in exchange for the tokens of users.
    TOKENS = "tokens"
    # Read users.
    USERS_READ = "users:read"
    # Register users, and change fields of users that do not decide about access.
    USERS_WRITE = "users:write"
    # Read audit events.
    EVENTS_READ = "events:read"


@dataclass(frozen=True)
class ClientSecret:
    """A secret of a client, of which only a digest is stored.

    Attributes:
        id: Its public name.
        digest: The digest of the secret.
        created_at: When it was created.
        last_used_at: When it was last used, accurate to five minutes; None until the first use.
    """

    id: str
    digest: str
    created_at: datetime
    last_used_at: datetime | None = None

    @classmethod
    def of(cls, text: str) -> Self:
        """Return a new secret with this text."""
        return cls(str(uuid7()), tokens.digest(text), now())

    def __repr__(self) -> str:
        return f"<ClientSecret {self.id}>"


class _SecretsAttribute(JSONAttribute):
    """The secrets of a client, oldest first; times are milliseconds since 1970."""

    def serialize(self, value: Sequence[ClientSecret]) -> str:
        return orjson.dumps(
            [
                {
                    "id": each.id,
                    "digest": each.digest,
                    "created_at": _milliseconds(each.created_at),
                    "last_used_at": each.last_used_at and _milliseconds(each.last_used_at),
                }
                for each in value
            ]
        ).decode()

    def deserialize(self, value: str) -> list[ClientSecret]:
        return [
            ClientSecret(
                each["id"],
                each["digest"],
                _timestamp(each["created_at"]),
                each["last_used_at"] and _timestamp(each["last_used_at"]),
            )
            for each in orjson.loads(value)
        ]


class _ByKind(GlobalSecondaryIndex[Any]):
    """Clients of a kind: the ID begins with the time of creation."""

    class Meta:
        index_name = "by_kind"
        projection = AllProjection()

    kind = UnicodeAttribute(hash_key=True)
    id = UnicodeAttribute(range_key=True)


class OAuthClient(Table):
    """A program that belongs to no user, so that it outlives the admin who created it.

    `version` counts the changes; a change is written under the condition that the stored version
    is still the one that was read.
    """

    class Meta:
        table_name = "clients"

    by_kind = _ByKind()

    id = UnicodeAttribute(hash_key=True)
    kind = UnicodeAttribute(default=ClientKind.SERVICE)
    name = UnicodeAttribute()
    scopes: ListAttribute[Any] = ListAttribute(of=UnicodeAttribute, default=list)
    # The URI that tokens for this client name; reserved in `identifiers`.
    audience = UnicodeAttribute(null=True)
    secrets = _SecretsAttribute(default=list)
    disabled = BooleanAttribute(default=False)
    version = NumberAttribute(default=1)
    created_at = TimestampAttribute()
    updated_at = TimestampAttribute()

    @classmethod
    def new(
        cls, name: str, kind: ClientKind, scopes: Collection[str], audience: str | None
    ) -> Self:
        """Return an unsaved client with a new ID and without secrets."""
        id = uuid7()
        created_at = datetime.fromtimestamp(id.timestamp / 1000, UTC)
        return cls(
            id=str(id),
            kind=kind,
            name=name,
            scopes=sorted(set(scopes)),
            audience=audience,
            created_at=created_at,
            updated_at=created_at,
        )

    @property
    def last_used_at(self) -> datetime | None:
        """When one of its secrets was last used, accurate to five minutes."""
        return max((each.last_used_at for each in self.secrets if each.last_used_at), default=None)

    def find_secret(self, text: str) -> ClientSecret | None:
        """Return the secret with this text."""
        digest = tokens.digest(text)
        return next((each for each in self.secrets if each.digest == digest), None)

    def accepts(self, digest: str) -> bool:
        """Return whether the client is not disabled and has a secret with this digest."""
        return not self.disabled and any(each.digest == digest for each in self.secrets)

    def touch(self, digest: str) -> None:
        """Record that the secret with this digest is in use, unless that was recorded recently.

        Concurrent writes take precedence: the next use is recorded instead.
        """
        used_at = now()
        secrets = [
            replace(each, last_used_at=used_at)
            if each.digest == digest and _is_outdated(each.last_used_at, used_at)
            else each
            for each in self.secrets
        ]
        if secrets == self.secrets:
            return
        try:
            self.update([OAuthClient.secrets.set(secrets)], OAuthClient.secrets == self.secrets)
        except UpdateError as error:
            if error_code(error) not in _CONFLICTS:
                raise

    def __repr__(self) -> str:
        return f"<OAuthClient {self.id}>"


def find_client(id: str) -> OAuthClient | None:
    """Return the client with this ID, if there is one; strongly consistent."""
    try:
        return OAuthClient.get(id, consistent_read=True)
    except OAuthClient.DoesNotExist:
        return None


def list_clients(after: str | None, limit: int) -> tuple[list[OAuthClient], str | None]:
    """Return a page of clients, newest first; a client appears in it after about a second.

    Args:
        after: The ID after which the page starts, None for the first page.
        limit: The maximum number of clients.

    Returns:
        The clients, and the ID to continue after, None at the end of the list.
    """
    # One more than the page shows whether another page follows, without another call.
    page = next(
        OAuthClient.by_kind.query(
            ClientKind.SERVICE,
            OAuthClient.id < after if after else None,
            scan_index_forward=False,
            page_size=limit + 1,
        ).page_iter
    )
    found = [OAuthClient.from_raw_data(item) for item in page["Items"]]
    has_more = len(found) > limit or "LastEvaluatedKey" in page
    return found[:limit], str(found[:limit][-1].id) if found and has_more else None


def _is_outdated(last_used_at: datetime | None, used_at: datetime) -> bool:
    return last_used_at is None or used_at - last_used_at >= _TOUCH_INTERVAL


def _milliseconds(time: datetime) -> int:
    return round(time.timestamp() * 1000)


def _timestamp(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
