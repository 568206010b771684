"""The status of a migration, for programs and for the command line."""

import time
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from flask_pynamodb.migrations.declaration import Migration

if TYPE_CHECKING:
    # Importing the extension imports this, and an app may have no migrations.
    from flask_pynamodb.migrations.history import MigrationHistory

State = Literal["pending", "running", "stopped", "failed", "done"]


@dataclass(frozen=True, slots=True)
class MigrationStatus:
    """The status of a migration.

    Attributes:
        id: The ID.
        bind_key: The key of its database in DYNAMODB_BINDS, None for the main one.
        table: The name of the table whose items it changes.
        state: `pending` before its first run, `running` while a run has the lease, `stopped` or
            `failed` if a run continues it, `done`.
        is_declared: Whether the app declares it; False after its code was removed.
        read: The number of items that its function was called with.
        changed: The number of items that were written, without those of a batch that a kill ended;
            with `dry_run`, that would be written.
        started_at: The time of the first run, None before.
        finished_at: The time of the end, None before.
        holder: The last run: its host, process and a random part.
        failure: Why the last run failed: the class of the error, and the key of the item.
    """

    id: str
    bind_key: str | None
    table: str
    state: State
    is_declared: bool = True
    read: int = 0
    changed: int = 0
    started_at: datetime | None = None
    finished_at: datetime | None = None
    holder: str | None = None
    failure: str | None = None


def pending_status(migration: Migration, read: int = 0, changed: int = 0) -> MigrationStatus:
    """Return the status of a migration that has not been started, or of a dry run."""
    table = str(migration.model.Meta.table_name)
    return MigrationStatus(
        migration.id, migration.bind_key, table, "pending", read=read, changed=changed
    )


def status_of(row: "MigrationHistory", *, is_declared: bool = True) -> MigrationStatus:
    """Return the status of a migration that has been started."""
    return MigrationStatus(
        row.id,
        row.__bind_key__,
        row.table,
        _state(row),
        is_declared,
        int(row.read),
        int(row.changed),
        row.started_at,
        row.finished_at,
        row.holder,
        row.failure,
    )


def _state(row: "MigrationHistory") -> State:
    if row.finished_at:
        return "done"
    if row.leased_until >= int(time.time()):
        return "running"
    return "failed" if row.failure else "stopped"
