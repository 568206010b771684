"""A user, and the indexes by which users are listed."""

import random
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Self

from pynamodb.attributes import (
    BooleanAttribute,
    JSONAttribute,
    ListAttribute,
    NumberAttribute,
    UnicodeAttribute,
)
from pynamodb.expressions.condition import Condition
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex
from uuid_utils import uuid7

from models.clock import TimestampAttribute
from models.db import db
from models.tables.login_attempts import AttemptCounter

# A partition of an index takes 1,000 writes a second (DynamoDB developer guide, "Partitions and
# data distribution"); every sign-up and sign-in is one write to this index.
SHARDS = 4
# The items that one page may look at in one partition when a filter passes few of them.
_MOST_EVALUATED = 500
_FILTERED_PAGE = 100


# The one way to write a UUID that counts as an id: no other is looked up.
USER_ID_PATTERN = r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
_USER_ID = re.compile(USER_ID_PATTERN[1:-1])


def is_user_id(text: str) -> bool:
    """Whether the text has the form of a user's id."""
    return _USER_ID.fullmatch(text) is not None


class Role(StrEnum):
    """What a user may do."""

    ADMIN = "admin"
    USER = "user"


class Status(StrEnum):
    """Whether a user may sign in."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    DELETED = "deleted"


@dataclass(frozen=True)
class UserFilter:
    """Which users a list shows; None lets all pass."""

    status: Status | None = None
    role: Role | None = None


class _ByCreation(GlobalSecondaryIndex[Any]):
    """All users, newest first within a shard: the id begins with the time it was made."""

    class Meta:
        index_name = "by_created"
        projection = AllProjection()

    shard = NumberAttribute(hash_key=True)
    id = UnicodeAttribute(range_key=True)


class _ByAdmin(GlobalSecondaryIndex[Any]):
    """Only the admins: listing them never reads past the others."""

    class Meta:
        index_name = "by_elevation"
        projection = AllProjection()

    admin_key = UnicodeAttribute(attr_name="elevation", hash_key=True)
    id = UnicodeAttribute(range_key=True)


class _ByInactive(GlobalSecondaryIndex[Any]):
    """Only the users who may not sign in."""

    class Meta:
        index_name = "by_bar"
        projection = AllProjection()

    inactive_key = UnicodeAttribute(attr_name="bar", hash_key=True)
    id = UnicodeAttribute(range_key=True)


class User(AttemptCounter, db.Model):  # type: ignore[misc,name-defined]
    """A person or machine with an account.

    `version` counts the changes; a change is written under the condition that it is still the
    one that was read. `epoch` is carried by every session: raising it ends all sessions at once,
    in the same write that suspends the user or changes the password.
    """

    class Meta:
        table_name = "users"

    by_creation = _ByCreation()
    by_admin = _ByAdmin()
    by_inactive = _ByInactive()

    id = UnicodeAttribute(hash_key=True)
    shard = NumberAttribute()
    admin_key = UnicodeAttribute(attr_name="elevation", null=True)
    inactive_key = UnicodeAttribute(attr_name="bar", null=True)
    username = UnicodeAttribute()
    email = UnicodeAttribute()
    email_verified = BooleanAttribute(default=False)
    # The address that the user wants instead, as long as it is not confirmed.
    pending_email = UnicodeAttribute(null=True)
    full_name = UnicodeAttribute(null=True)
    status = UnicodeAttribute(default=Status.ACTIVE)
    roles: ListAttribute[Any] = ListAttribute(of=UnicodeAttribute, default=list)
    metadata = JSONAttribute(default=dict)
    password_hash = UnicodeAttribute(null=True)
    # Kept beside the password, so that a sign-in without one reads nothing more.
    has_second_factor = BooleanAttribute(default=False)
    version = NumberAttribute(default=1)
    session_epoch = NumberAttribute(attr_name="epoch", default=1)
    created_at = TimestampAttribute()
    updated_at = TimestampAttribute()
    last_login_at = TimestampAttribute(null=True)

    @classmethod
    def new(cls, **attributes: Any) -> Self:
        """A user with a fresh id, not stored yet."""
        id = uuid7()
        now = datetime.fromtimestamp(id.timestamp / 1000, UTC)
        return cls(
            id=str(id),
            # Which shard is a matter of load alone.
            shard=random.randrange(SHARDS),  # nosec B311
            created_at=now,
            updated_at=now,
            **attributes,
        ).set_index_keys()

    def set_index_keys(self) -> Self:
        """Set the keys of the sparse indexes from roles and status."""
        self.admin_key = Role.ADMIN if self.is_admin else None
        self.inactive_key = None if self.is_active else self.status
        return self

    @property
    def is_active(self) -> bool:
        return bool(self.status == Status.ACTIVE)

    @property
    def is_admin(self) -> bool:
        return Role.ADMIN in self.roles

    @property
    def is_active_admin(self) -> bool:
        """An admin who can sign in; one of these must always be left."""
        return self.is_active and self.is_admin

    def matches(self, chosen: UserFilter) -> bool:
        return chosen.status in (None, self.status) and (
            chosen.role is None or chosen.role in self.roles
        )

    def __repr__(self) -> str:
        return f"<User {self.id}>"


def newest_first(
    chosen: UserFilter, *, after: str | None, limit: int
) -> tuple[list[User], str | None]:
    """Some users, newest first, eventually consistent.

    Reads one index partition where the filter allows it, else one page of each shard, and looks
    at a bounded number of items: where a filter passes few of them a page may be short, or even
    empty, although more follow.

    Args:
        chosen: Which users.
        after: The id at which the page before ended, or None for the first page.
        limit: How many users at the most.

    Returns:
        The users, and the id to go on after, None at the end of the list.
    """
    found: list[dict[str, Any]] = []
    horizon = ""
    for index, partition in _partitions(chosen):
        items, last_seen = _read(index, partition, chosen, after, limit)
        found += items
        # A partition that was not read to its end speaks only for ids down to the last it saw.
        horizon = max(horizon, last_seen or "")
    # Several partitions bring several times what the page shows: only the page is unpacked.
    found.sort(key=_id_of, reverse=True)
    page = [User.from_raw_data(item) for item in found[:limit] if _id_of(item) >= horizon]
    if len(page) == limit:
        return page, str(page[-1].id) if horizon or len(found) > limit else None
    return page, horizon or None


def _partitions(chosen: UserFilter) -> list[tuple[Any, Any]]:
    """The fewest index partitions that hold every user the filter passes."""
    if chosen.role == Role.ADMIN:
        return [(User.by_admin, Role.ADMIN)]
    if chosen.status not in (None, Status.ACTIVE):
        return [(User.by_inactive, chosen.status)]
    return [(User.by_creation, shard) for shard in range(SHARDS)]


def _read(
    index: Any, partition: Any, chosen: UserFilter, after: str | None, limit: int
) -> tuple[list[dict[str, Any]], str | None]:
    condition = _condition(chosen)
    # What a filter drops was read all the same: fewer, larger pages cost fewer round trips.
    page_size = limit + 1 if condition is None else max(limit + 1, _FILTERED_PAGE)
    pages = index.query(
        partition,
        User.id < after if after else None,
        condition,
        scan_index_forward=False,
        page_size=page_size,
    ).page_iter
    items: list[dict[str, Any]] = []
    evaluated = 0
    for page in pages:
        items += page["Items"]
        evaluated += page["ScannedCount"]
        if len(items) > limit or evaluated >= _MOST_EVALUATED:
            break
    last = pages.last_evaluated_key
    return items, _id_of(last) if last else None


def _id_of(item: dict[str, Any]) -> str:
    return str(item["id"]["S"])


def _condition(chosen: UserFilter) -> Condition | None:
    condition: Condition | None = None
    if chosen.status:
        condition &= User.status == chosen.status
    if chosen.role:
        condition &= User.roles.contains(chosen.role)
    return condition
