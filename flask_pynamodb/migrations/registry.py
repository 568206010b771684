"""The migrations of an extension: declare them, list them, run those that are not done."""

from typing import Any, TypeVar

from pynamodb.expressions.condition import Condition

from flask_pynamodb.errors import MigrationError
from flask_pynamodb.migrations.declaration import Declaration, Migration
from flask_pynamodb.migrations.history import MigrationHistory, make_history, read_history
from flask_pynamodb.migrations.options import Options
from flask_pynamodb.migrations.pace import Allowance
from flask_pynamodb.migrations.run import Run
from flask_pynamodb.migrations.status import MigrationStatus, pending_status, status_of
from flask_pynamodb.model import Model
from flask_pynamodb.state import ALL_BINDS, Database, current_state

_M = TypeVar("_M", bound=Model)


class Migrations:
    """The migrations of one extension.

    Args:
        database: The extension.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._declared: dict[str, Migration] = {}
        # The models of the histories by bind key.
        self._histories: dict[str | None, type[MigrationHistory]] = {}

    def declare(
        self, migration_id: str, model: type[_M], filter_condition: Condition | None
    ) -> Declaration[_M]:
        """See `PynamoDB.migration`."""
        if model._db is not self._database or vars(model).get("__abstract__"):
            raise TypeError(
                f"The migration {migration_id!r} needs a model of this extension that has a table,"
                f" not {model.__name__}."
            )
        return Declaration(self._register, migration_id, model, filter_condition)

    def models(self) -> list[Any]:
        """Return the models whose tables have migrations."""
        return [migration.model for migration in self._declared.values()]

    def statuses(self, bind_key: str | None = ALL_BINDS) -> list[MigrationStatus]:
        """See `PynamoDB.migrations`."""
        rows = self._rows(bind_key)
        started = [
            status_of(row, is_declared=migration_id in self._declared)
            for migration_id, row in rows.items()
        ]
        others = [pending_status(one) for one in self._declared_in(bind_key) if one.id not in rows]
        return sorted(started + others, key=lambda status: status.id)

    def run(
        self, last: str | None, bind_key: str | None, options: Options, *, repeat: bool
    ) -> list[MigrationStatus]:
        """See `PynamoDB.migrate`."""
        if last is not None and last not in {one.id for one in self._declared_in(bind_key)}:
            raise MigrationError(f"There is no migration {last!r}.{self._known(bind_key)}")
        rows = self._rows(bind_key)
        self._check(rows, bind_key)
        chosen = self._chosen(last, bind_key, rows, repeat=repeat)
        allowance = Allowance(options.limit)
        done: list[MigrationStatus] = []
        for migration in chosen:
            if options.should_stop() or allowance.is_used_up:
                break
            run = Run(migration, self._histories[migration.bind_key], options, allowance)
            done.append(run.execute(rows.get(migration.id), restarts=repeat))
        return done

    def _register(self, migration: Migration) -> None:
        if migration.id in self._declared:
            raise ValueError(f"There is a migration {migration.id!r} already.")
        self._declared[migration.id] = migration
        if migration.bind_key not in self._histories:
            history = make_history(self._database, migration.bind_key)
            self._histories[migration.bind_key] = history

    def _declared_in(self, bind_key: str | None) -> list[Migration]:
        """Return the declared migrations of one database, or of all, in their order."""
        return [
            self._declared[migration_id]
            for migration_id in sorted(self._declared)
            if bind_key in (ALL_BINDS, self._declared[migration_id].bind_key)
        ]

    def _rows(self, bind_key: str | None) -> dict[str, MigrationHistory]:
        """Return the rows of all started migrations of one database, or of all, by ID."""
        if bind_key != ALL_BINDS:
            current_state(self._database).bind(bind_key)
        histories = [one for key, one in self._histories.items() if bind_key in (ALL_BINDS, key)]
        return {row.id: row for history in histories for row in read_history(history)}

    def _chosen(
        self,
        last: str | None,
        bind_key: str | None,
        rows: dict[str, MigrationHistory],
        repeat: bool,
    ) -> list[Migration]:
        """Return the migrations to run, in their order."""
        if repeat:
            if last is None:
                raise MigrationError("To repeat a migration, name it.")
            return [self._declared[last]]
        return [
            migration
            for migration in self._declared_in(bind_key)
            if (last is None or migration.id <= last)
            and not (migration.id in rows and rows[migration.id].finished_at)
        ]

    def _known(self, bind_key: str | None) -> str:
        ids = ", ".join(migration.id for migration in self._declared_in(bind_key))
        return f" Declared are {ids}." if ids else " None is declared."

    def _check(self, rows: dict[str, MigrationHistory], bind_key: str | None) -> None:
        """Reject declarations that contradict the history."""
        for row in rows.values():
            _check_row(row, self._declared.get(row.id))
        newest: dict[str | None, str] = {}
        for row in rows.values():
            newest[row.__bind_key__] = max(row.id, newest.get(row.__bind_key__, ""))
        for migration in self._declared_in(bind_key):
            started = newest.get(migration.bind_key, "")
            if migration.id not in rows and migration.id < started:
                raise MigrationError(
                    f"{migration.id}: it comes before {started} in the order of IDs, which has been"
                    " started already. Give it an ID that comes after."
                )


def _check_row(row: MigrationHistory, migration: Migration | None) -> None:
    if row.finished_at:
        return
    if migration is None:
        raise MigrationError(
            f"{row.id}: it was started and is not declared any more. Finish it with the release of"
            f" the app that declares it, or delete its row from {type(row).Meta.table_name}."
        )
    table = migration.model.Meta.table_name
    if row.table != table:
        raise MigrationError(
            f"{row.id}: it was started on the table {row.table}, and is declared for {table}."
            " Give the new one another ID."
        )
