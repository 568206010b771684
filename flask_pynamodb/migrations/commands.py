"""`flask dynamodb migrate` and `migrations`."""

import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import click
from flask.cli import with_appcontext

from flask_pynamodb.commands import bind_option, database, one_line_errors
from flask_pynamodb.migrations.status import MigrationStatus

_PROGRESS_SECONDS = 10.0


@click.command()
@click.argument("last", metavar="[ID]", required=False)
@bind_option
@click.option("--dry-run", is_flag=True, help="Call the functions, and write nothing.")
@click.option("--repeat", is_flag=True, help="Run ID alone, from the beginning, even if done.")
@click.option("--limit", type=click.IntRange(1), metavar="N", help="Migrate at most N items.")
@click.option(
    "--rate",
    "units_per_second",
    type=click.FloatRange(1),
    metavar="UNITS",
    help="Consume at most so many capacity units per second.",
)
@click.option(
    "--segments",
    type=click.IntRange(1, 32),
    default=1,
    show_default=True,
    metavar="N",
    help="Migrate N segments of a table at the same time.",
)
@click.option(
    "--batch-size",
    type=click.IntRange(1, 1000),
    default=100,
    show_default=True,
    metavar="N",
    help="Store the position after N items of a segment.",
)
@with_appcontext
def migrate(**options: Any) -> None:
    """Run the migrations that are not done, up to ID if it is given.

    Ctrl-C ends after the current items; the next run continues there.
    """
    dry_run, stopped = options["dry_run"], threading.Event()
    with one_line_errors(), _stop_on_signals(stopped):
        ran = database().migrate(
            **options, should_stop=stopped.is_set, on_progress=_progress(dry_run)
        )
    for status in ran:
        state = "dry run" if dry_run else status.state
        click.echo(f"{status.id}: {state}, {_counts(status, dry_run)}")
    if stopped.is_set():
        raise click.ClickException("Stopped. Run the command again to continue.")
    if not ran:
        click.echo("All migrations are done.")


@click.command()
@bind_option
@click.option("--check", "checks", is_flag=True, help="Exit 1 unless all migrations are done.")
@with_appcontext
def migrations(bind_key: str, checks: bool) -> None:
    """Show the state of each migration."""
    with one_line_errors():
        statuses = database().migrations(bind_key)
    for status in statuses:
        click.echo(_status_line(status))
    if checks and any(status.state != "done" for status in statuses):
        sys.exit(1)


def _status_line(status: MigrationStatus) -> str:
    parts = [f"{status.state:8} {status.id}  {status.table}"]
    if status.started_at:
        parts.append(_counts(status))
    if status.finished_at:
        parts.append(f"finished {status.finished_at:%Y-%m-%d %H:%M:%S} UTC")
    if status.state == "running":
        parts.append(f"by {status.holder}")
    if status.state == "failed":
        parts.append(str(status.failure))
    if not status.is_declared:
        parts.append("not declared any more")
    return ", ".join(parts)


def _counts(status: MigrationStatus, dry_run: bool = False) -> str:
    return f"{status.read} items read, {status.changed} {'to change' if dry_run else 'changed'}"


def _progress(dry_run: bool) -> Callable[[MigrationStatus], None]:
    """Return a function that prints a line on stderr every few seconds."""
    last = time.monotonic()

    def report(status: MigrationStatus) -> None:
        nonlocal last
        if time.monotonic() - last >= _PROGRESS_SECONDS:
            last = time.monotonic()
            click.echo(f"{status.id}: {_counts(status, dry_run)} ...", err=True)

    return report


@contextmanager
def _stop_on_signals(stopped: threading.Event) -> Iterator[None]:
    """Set an event at the first SIGINT or SIGTERM; a second one interrupts."""
    # A handler that was not installed by Python is None.
    before = {
        number: signal.getsignal(number) or signal.SIG_DFL
        for number in (signal.SIGINT, signal.SIGTERM)
    }

    def stop(number: int, frame: Any) -> None:
        stopped.set()
        click.echo("Stopping after the current items.", err=True)
        signal.signal(number, before[signal.Signals(number)])

    for number in before:
        signal.signal(number, stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
