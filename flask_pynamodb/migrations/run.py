"""One run of a migration: rounds of calls, with the position stored after each of them."""

import math
import threading
import time
from contextlib import suppress
from functools import partial

from pynamodb.exceptions import PynamoDBException

from flask_pynamodb.concurrency import gather
from flask_pynamodb.errors import MigrationError, error_code, is_unavailable
from flask_pynamodb.migrations.declaration import Migration
from flask_pynamodb.migrations.history import LEASE_SECONDS, Lease, MigrationHistory, Position
from flask_pynamodb.migrations.item import migrate_item
from flask_pynamodb.migrations.options import Options
from flask_pynamodb.migrations.pace import Allowance, Meter, pause
from flask_pynamodb.migrations.segment import Segment
from flask_pynamodb.migrations.status import MigrationStatus, pending_status, status_of

# A round ends after this time, so that slow functions do not outlast the lease.
_ROUND_SECONDS = 5.0
_RENEWAL_SECONDS = LEASE_SECONDS / 6
# Rounds that fail because DynamoDB is unavailable are repeated, after delays that double.
_RETRIES = 5
_FIRST_DELAY_SECONDS = 1.0
# Unavailable for a reason that does not pass by itself.
_PERMANENT_CODES = frozenset(
    {
        "AccessDeniedException",
        "ExpiredTokenException",
        "InvalidSignatureException",
        "MissingAuthenticationTokenException",
        "RequestTimeTooSkewed",
        "ResourceNotFoundException",
        "UnrecognizedClientException",
    }
)


class Run:
    """One run of one migration.

    Args:
        migration: The migration.
        history: The model of its history.
        options: The options.
        allowance: How many items it may still migrate.
    """

    def __init__(
        self,
        migration: Migration,
        history: type[MigrationHistory],
        options: Options,
        allowance: Allowance,
    ) -> None:
        self._migration = migration
        self._options = options
        self._allowance = allowance
        self._lease = Lease(history, migration.id)
        self._meter = Meter()
        self._counts = threading.Lock()
        self._segments: list[Segment] = []
        self._read = self._changed = 0
        self._is_finished = False
        self._renewed_at = 0.0
        self._round_end = 0.0
        self._round_units = 0.0

    def execute(self, row: MigrationHistory | None, *, restarts: bool) -> MigrationStatus:
        """Migrate the items until all are done, the run is stopped, or its limit is reached.

        Args:
            row: The row of the migration in its history, if it has been started.
            restarts: Whether to begin again.

        Raises:
            MigrationError: Another run has the migration, or an item failed.
            Exception: DynamoDB is unavailable.
        """
        positions: list[Position] = [False] * self._options.segments
        if not self._options.dry_run:
            table = self._migration.model.Meta.table_name
            self._lease.acquire(table, positions, restarts=restarts)
            started = self._lease.row
            # The counts of a dry run are its own.
            self._read, self._changed = int(started.read), int(started.changed)
            positions = started.positions
        elif row and not restarts:
            positions = row.positions
        self._segments = [
            Segment(self._migration, number, len(positions), position)
            for number, position in enumerate(positions)
        ]
        try:
            with self._meter.measure():
                self._work()
        except BaseException as error:
            self._release(error if isinstance(error, Exception) else None)
            raise
        if not self._is_finished:
            self._release(None)
        return self._status()

    def _work(self) -> None:
        failures, rate = 0, self._options.units_per_second
        while not (self._is_finished or self._options.should_stop() or self._allowance.is_used_up):
            started, units, read = time.monotonic(), self._meter.units, self._read
            self._round_end = started + _ROUND_SECONDS
            self._round_units = units + (rate or math.inf)
            error = self._round()
            if error:
                failures = 1 if self._read > read else failures + 1
                if failures > _RETRIES or not _is_temporary(error):
                    raise error
                self._pause(_FIRST_DELAY_SECONDS * 2 ** (failures - 1))
            else:
                failures = 0
            if rate:
                spent = time.monotonic() - started
                self._pause((self._meter.units - units) / rate - spent)

    def _round(self) -> Exception | None:
        """Migrate a batch of each segment at the same time, and store the positions.

        Returns:
            The error that ended it, if any.
        """
        active = [segment for segment in self._segments if not segment.is_done]
        errors = [error for error in gather([partial(self._try, one) for one in active]) if error]
        try:
            self._save()
        except PynamoDBException as error:
            errors.append(error)
        self._options.on_progress(self._status())
        lasting = [error for error in errors if not _is_temporary(error)]
        return next(iter(lasting + errors), None)

    def _try(self, segment: Segment) -> Exception | None:
        # A thread that raises would leave the others of its round behind.
        try:
            self._migrate_batch(segment)
        except Exception as error:
            return error
        return None

    def _migrate_batch(self, segment: Segment) -> None:
        done = 0
        while not segment.is_done:
            item = segment.next_item(self._options.batch_size)
            if item is not None:
                if not self._allowance.take():
                    return
                changed = migrate_item(self._migration, item, dry_run=self._options.dry_run)
                segment.advance()
                done += 1
                with self._counts:
                    self._read += 1
                    self._changed += changed
            if done >= self._options.batch_size or self._is_round_over():
                return

    def _is_round_over(self) -> bool:
        return (
            self._meter.units >= self._round_units
            or time.monotonic() >= self._round_end
            or self._options.should_stop()
        )

    def _save(self) -> None:
        positions = [segment.position for segment in self._segments]
        if not self._options.dry_run:
            self._lease.save(positions, self._read, self._changed)
            self._renewed_at = time.monotonic()
        self._is_finished = all(segment.is_done for segment in self._segments)

    def _pause(self, seconds: float) -> None:
        pause(seconds, self._renew_and_check)

    def _renew_and_check(self) -> bool:
        """Renew the lease in time; return whether to stop."""
        is_due = time.monotonic() - self._renewed_at > _RENEWAL_SECONDS
        if is_due and not self._options.dry_run:
            # If DynamoDB is unavailable for longer than the lease, another run may take over.
            with suppress(PynamoDBException):
                self._lease.renew()
                self._renewed_at = time.monotonic()
        return self._options.should_stop()

    def _release(self, error: Exception | None) -> None:
        if self._options.dry_run:
            return
        failure = None
        if error:
            failure = getattr(error, "failure", None) or type(error).__name__
        # The lease of a run that cannot release it ends by itself.
        with suppress(PynamoDBException, MigrationError):
            self._lease.release(failure)

    def _status(self) -> MigrationStatus:
        if self._options.dry_run:
            return pending_status(self._migration, self._read, self._changed)
        return status_of(self._lease.row)


def _is_temporary(error: Exception) -> bool:
    return (
        isinstance(error, PynamoDBException)
        and is_unavailable(error)
        and error_code(error) not in _PERMANENT_CODES
    )
