"""A user, and the indexes that list users."""

import random
from datetime import UTC, datetime
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
from pynamodb.expressions.condition import Condition
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex
from uuid_utils import uuid7

from models import field_rules
from models.clock import TimestampAttribute
from models.db import Table
from models.roles import Role, strongest_role
from models.tables.login_attempts import AttemptCounter

# A partition of an index accepts 1,000 writes per second (DynamoDB developer guide, "Partitions
# and data distribution"); every sign-up and sign-in is one write to this index.
SHARDS = 4


def is_user_id(text: str) -> bool:
    """Return whether a text has the form of a user's ID."""
    return field_rules.USER_ID.matches(text)


class MetadataAttribute(JSONAttribute):
    """A JSON object; validated before it is stored, so that every parser reads the same."""

    def deserialize(self, value: str) -> Any:
        return orjson.loads(value)


class Status(StrEnum):
    """Whether a user may sign in."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    DELETED = "deleted"


class _ByCreation(GlobalSecondaryIndex[Any]):
    """All users, newest first within a shard: the ID begins with the time of creation."""

    class Meta:
        index_name = "by_created"
        projection = AllProjection()

    shard = NumberAttribute(hash_key=True)
    id = UnicodeAttribute(range_key=True)


class _ByRole(GlobalSecondaryIndex[Any]):
    """Only users with rights over other accounts, so that listing them reads no other user."""

    class Meta:
        index_name = "by_elevation"
        projection = AllProjection()

    role_key = UnicodeAttribute(attr_name="elevation", hash_key=True)
    id = UnicodeAttribute(range_key=True)


class _ByInactive(GlobalSecondaryIndex[Any]):
    """Only users who may not sign in."""

    class Meta:
        index_name = "by_bar"
        projection = AllProjection()

    inactive_key = UnicodeAttribute(attr_name="bar", hash_key=True)
    id = UnicodeAttribute(range_key=True)


class User(AttemptCounter, Table):
    """A person or machine with an account.

    `version` counts the changes; a change is written under the condition that the stored version
    is still the one that was read. `session_epoch` is copied to every session: raising it ends all
    sessions at once, in the same write that suspends the user or changes the password.
    """

    class Meta:
        table_name = "users"

    by_creation = _ByCreation()
    by_role = _ByRole()
    by_inactive = _ByInactive()

    id = UnicodeAttribute(hash_key=True)
    shard = NumberAttribute()
    # The keys of the sparse indexes; `set_index_keys` derives them.
    role_key = UnicodeAttribute(attr_name="elevation", null=True)
    inactive_key = UnicodeAttribute(attr_name="bar", null=True)
    # Null for a user that signs in with the email address only.
    username = UnicodeAttribute(null=True)
    email = UnicodeAttribute()
    email_verified = BooleanAttribute(default=False)
    # A requested new address, until it is confirmed.
    pending_email = UnicodeAttribute(null=True)
    full_name = UnicodeAttribute(null=True)
    # A language tag, for pages and emails; null in rows written before 0.9.
    locale = UnicodeAttribute(null=True)
    status = UnicodeAttribute(default=Status.ACTIVE)
    roles: ListAttribute[Any] = ListAttribute(of=UnicodeAttribute, default=list)
    metadata = MetadataAttribute(default=dict)
    # A JSON object of the operator, and the ID of the user in another system; null where there is
    # none, and in rows written before 0.10.
    app_metadata = MetadataAttribute(null=True)
    external_id = UnicodeAttribute(null=True)
    password_hash = UnicodeAttribute(null=True)
    # Stored with the password, so that a sign-in without a second factor needs no further read.
    has_second_factor = BooleanAttribute(default=False)
    version = NumberAttribute(default=1)
    # The version whose rows are in the index of the search; null where there are none.
    indexed_version = NumberAttribute(null=True)
    session_epoch = NumberAttribute(attr_name="epoch", default=1)
    # Session rows, at least: rows that expire or are deleted are not subtracted. Null in rows
    # written before 0.7.
    session_rows = NumberAttribute(null=True)
    # Devices that were issued a token since `device_epoch` was last raised, which voids them all;
    # null until then.
    devices_issued = NumberAttribute(null=True)
    device_epoch = NumberAttribute(null=True)
    # When the user was last notified of a sign-in from a new device.
    new_device_notified_at = TimestampAttribute(null=True)
    # Raised to revoke all API keys; null until then.
    api_key_epoch = NumberAttribute(attr_name="key_epoch", null=True)
    created_at = TimestampAttribute()
    updated_at = TimestampAttribute()
    last_login_at = TimestampAttribute(null=True)

    @classmethod
    def new(cls, **attributes: Any) -> Self:
        """Return an unsaved user with a new ID."""
        id = uuid7()
        now = datetime.fromtimestamp(id.timestamp / 1000, UTC)
        return cls(
            id=str(id),
            # The choice of a shard only spreads load.
            shard=random.randrange(SHARDS),  # nosec B311
            created_at=now,
            updated_at=now,
            **attributes,
        ).set_index_keys()

    def set_index_keys(self) -> Self:
        """Set the keys of the sparse indexes from roles and status."""
        self.role_key = strongest_role(self.roles)
        self.inactive_key = None if self.is_active else self.status
        return self

    @property
    def app_metadata_object(self) -> dict[str, Any]:
        """`app_metadata`, an empty object where there are none."""
        return self.app_metadata or {}

    @property
    def account_name(self) -> str:
        """The username, or the email address of a user without one: the user signs in with it."""
        return str(self.email if self.username is None else self.username)

    @property
    def is_active(self) -> bool:
        return bool(self.status == Status.ACTIVE)

    @property
    def is_admin(self) -> bool:
        return Role.ADMIN in self.roles

    @property
    def is_active_admin(self) -> bool:
        """Whether this admin can sign in; at least one such user must exist."""
        return self.is_active and self.is_admin

    def __repr__(self) -> str:
        return f"<User {self.id}>"


def count_users() -> int:
    """Return the number of users, without reading them.

    It is part of the description of the table, which DynamoDB updates about every six hours.
    """
    return int(User.describe_table()["ItemCount"])


def forget_devices(user: User) -> None:
    """Void every known device of a user that is about to be written."""
    user.device_epoch = (user.device_epoch or 0) + 1
    user.devices_issued = None


def next_api_key_epoch(user: User) -> float:
    """Return the epoch of a user, as read, after its API keys have been revoked."""
    return float((user.api_key_epoch or 0) + 1)


def has_indexed_version(version: float | None) -> Condition:
    """Return the condition that the rows in the index of the search are those of this version."""
    condition: Condition = (
        User.indexed_version.does_not_exist()
        if version is None
        else User.indexed_version == version
    )
    return condition


def has_api_key_epoch(epoch: float | None) -> Condition:
    """Return the condition that not all API keys of the user were revoked since this epoch."""
    condition: Condition = (
        User.api_key_epoch.does_not_exist() if epoch is None else User.api_key_epoch == epoch
    )
    return condition
