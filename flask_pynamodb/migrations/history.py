"""The history of migrations: a table with a row for each migration that has been started."""

import os
import socket
import time
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, cast

from pynamodb.attributes import Attribute, NumberAttribute, UnicodeAttribute, UTCDateTimeAttribute
from pynamodb.constants import LIST
from pynamodb.exceptions import PynamoDBException, QueryError, UpdateError

from flask_pynamodb.errors import MigrationError, error_code
from flask_pynamodb.keys import Key
from flask_pynamodb.model import Model, make_base
from flask_pynamodb.model_meta import ModelType
from flask_pynamodb.state import Database

# All rows of a table are in one partition, so that a Query lists them.
_KIND = "migration"
# A run that has not renewed its lease for this long is taken for dead, and another one continues.
LEASE_SECONDS = 60

# Where a segment of the table begins: its first item, the item after a key, or its end.
Position = Key | bool


class PositionsAttribute(Attribute[list[Position]]):
    """The positions of the segments: True at the end, False at the beginning, else a key."""

    attr_type = LIST

    def serialize(self, value: list[Position]) -> list[dict[str, Any]]:
        return [{"BOOL": one} if isinstance(one, bool) else {"M": one} for one in value]

    def deserialize(self, value: list[dict[str, Any]]) -> list[Position]:
        return [cast(Position, next(iter(one.values()))) for one in value]


class MigrationHistory(Model):
    """The row of a migration that has been started.

    Attributes:
        kind: The partition of all rows.
        id: The ID of the migration.
        table: The table whose items it changes.
        positions: Where the next run continues, for each segment of the table.
        read: The number of items that the function was called with.
        changed: The number of items that were written.
        started_at: The time of the first run.
        updated_at: The time of the last stored position.
        finished_at: The time when all items were done; None before.
        holder: The last run: its host, process and a random part.
        leased_until: Epoch seconds until which no other run may start; 0 after the end of a run.
        failure: The class of the error that ended the last run, and the key of the item.
    """

    __abstract__ = True

    kind = UnicodeAttribute(hash_key=True)
    id = UnicodeAttribute(range_key=True)
    table = UnicodeAttribute()
    positions = PositionsAttribute()
    read = NumberAttribute()
    changed = NumberAttribute()
    started_at = UTCDateTimeAttribute()
    updated_at = UTCDateTimeAttribute()
    finished_at = UTCDateTimeAttribute(null=True)
    holder = UnicodeAttribute()
    leased_until = NumberAttribute()
    failure = UnicodeAttribute(null=True)

    @classmethod
    def _base_table_name(cls, settings: Mapping[str, Any]) -> str:
        return str(settings["MIGRATIONS_TABLE"])


def make_history(database: Database, bind_key: str | None) -> type[MigrationHistory]:
    """Return the model of the history in one database, registered with the extension."""
    namespace = {
        "__bind_key__": bind_key,
        "__module__": __name__,
        "__doc__": MigrationHistory.__doc__,
        "Meta": type("Meta", (), {"table_name": "migrations"}),
    }
    bases = (MigrationHistory, make_base(database))
    return cast(type[MigrationHistory], ModelType("MigrationHistory", bases, namespace))


def read_history(history: type[MigrationHistory]) -> list[MigrationHistory]:
    """Return the rows of all migrations that have been started, in the order of their IDs.

    Raises:
        MigrationError: The table does not exist.
    """
    try:
        return list(history.query(_KIND, consistent_read=True))
    except QueryError as error:
        if error_code(error) != "ResourceNotFoundException":
            raise
        raise MigrationError(
            f"The table {history.Meta.table_name} of the history of migrations is missing:"
            " run `flask dynamodb create`, or db.create_all()."
        ) from error


class Lease:
    """The right of one run to a migration, and the row in which its progress is stored.

    Args:
        history: The model of the history.
        migration_id: The ID of the migration.
    """

    def __init__(self, history: type[MigrationHistory], migration_id: str) -> None:
        self._history = history
        self._holder = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
        self.row = history(_KIND, migration_id)

    def acquire(self, table: str, positions: Sequence[Position], *, restarts: bool) -> None:
        """Start or continue the migration, unless another run does.

        Args:
            table: The name of the table.
            positions: The positions of a migration that has not been started.
            restarts: Whether it begins again, also after its end.

        Raises:
            MigrationError: Another run has the lease, or has finished the migration meanwhile.
        """
        row, now = self._history, datetime.now(UTC)
        fresh: list[tuple[Any, Any]] = [
            (row.table, table),
            (row.positions, list(positions)),
            (row.read, 0),
            (row.changed, 0),
            (row.started_at, now),
        ]
        actions = [
            *(one.set(value if restarts else (one | value)) for one, value in fresh),
            row.updated_at.set(now),
            row.holder.set(self._holder),
            row.leased_until.set(_lease_end()),
            row.failure.remove(),
        ]
        # A request that is sent again after a lost response finds the lease of its own.
        is_free = (row.holder == self._holder) | (row.leased_until < int(time.time()))
        condition = row.id.does_not_exist() | is_free
        if restarts:
            actions.append(row.finished_at.remove())
        else:
            condition &= row.finished_at.does_not_exist()
        try:
            self.row.update(actions, condition)
        except UpdateError as error:
            if error_code(error) != "ConditionalCheckFailedException":
                raise
            raise MigrationError(self._reason()) from error

    def save(self, positions: Sequence[Position], read: int, changed: int) -> None:
        """Store the progress and renew the lease; finish the migration if all is done.

        Raises:
            MigrationError: Another run has taken over.
        """
        row, now = self._history, datetime.now(UTC)
        is_finished = all(position is True for position in positions)
        self._update(
            [
                row.positions.set(list(positions)),
                row.read.set(read),
                row.changed.set(changed),
                row.updated_at.set(now),
                row.leased_until.set(0 if is_finished else _lease_end()),
                *([row.finished_at.set(now)] if is_finished else []),
            ]
        )

    def renew(self) -> None:
        """Renew the lease.

        Raises:
            MigrationError: Another run has taken over.
        """
        self._update([self._history.leased_until.set(_lease_end())])

    def release(self, failure: str | None) -> None:
        """End the lease before its time, so that the next run can start at once.

        Args:
            failure: Why the run ended; None if it was stopped.
        """
        row = self._history
        actions = [row.leased_until.set(0), *([row.failure.set(failure)] if failure else [])]
        self._update(actions)

    def _update(self, actions: list[Any]) -> None:
        try:
            self.row.update(actions, self._history.holder == self._holder)
        except UpdateError as error:
            if error_code(error) != "ConditionalCheckFailedException":
                raise
            raise MigrationError(
                f"{self.row.id}: another run has continued this migration, because this one had"
                f" not renewed its lease for {LEASE_SECONDS} seconds."
            ) from error

    def _reason(self) -> str:
        """Return why the lease cannot be acquired."""
        try:
            self.row.refresh(consistent_read=True)
        except (PynamoDBException, self._history.DoesNotExist):
            return f"{self.row.id}: another run has this migration."
        if self.row.finished_at:
            return f"{self.row.id}: another run has finished this migration."
        seconds = max(0, int(self.row.leased_until) - int(time.time()))
        return (
            f"{self.row.id}: {self.row.holder} runs this migration. If that process is dead, run"
            f" again in {seconds + 1} seconds."
        )


def _lease_end() -> int:
    return int(time.time()) + LEASE_SECONDS
