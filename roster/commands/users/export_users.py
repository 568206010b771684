"""`roster users export`."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

import click
import orjson

from models import Services, UserFilter
from roster.commands.context import with_services
from roster.commands.progress import progress
from roster.commands.users.accounts import every_user
from roster.commands.users.group import users
from roster.commands.users.import_users import IMPORTED_FIELDS
from roster.commands.users.serialization import as_user


@users.command("export")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A file for you alone, replaced when the export is complete.  [default: stdout]",
)
@click.option(
    "--for-import",
    "is_for_import",
    is_flag=True,
    help="Only the fields that `roster users import` accepts.",
)
@with_services
def export_users(services: Services, output: Path | None, is_for_import: bool) -> None:
    """Export all users without password hashes: one JSON object per line, newest first.

    Reads every user, page by page. Users that are created meanwhile may be missing.
    """
    count = 0
    with _opened(output) as file, progress("Exporting users") as advance:
        for user in every_user(services, UserFilter()):
            fields = as_user(user)
            if is_for_import:
                fields = {name: fields[name] for name in IMPORTED_FIELDS if name in fields}
            file.write(orjson.dumps(fields, option=orjson.OPT_APPEND_NEWLINE))
            count += 1
            advance(1)
    click.echo(f"exported {count} users", err=True)


@contextmanager
def _opened(path: Path | None) -> Iterator[BinaryIO]:
    """Open a new file that takes the place of the old one when the block ends without an error."""
    if path is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    try:
        # Created with mode 0600: it has the data of all users.
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    except OSError as error:
        raise click.ClickException(f"{path} cannot be written: {error.strerror}.") from None
    try:
        with open(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(descriptor)
        os.replace(name, path)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(name)
        raise
