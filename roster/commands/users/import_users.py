"""`roster users import`."""

import os
import stat
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any, BinaryIO

import click

from api.errors import RequestError, pointers_in
from api.json_body import read_object
from api.v1.users.schemas import ADMIN_FIELDS, MANAGED_FIELDS, USER_FIELDS
from api.validation import compile_check
from api.validation_errors import raise_if_any
from models import Services, User, UserImport
from models.errors import AccountError
from roster.commands.context import with_services
from roster.commands.output import show_json
from roster.commands.progress import progress
from roster.commands.users.group import as_json, users

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
IMPORTED_FIELDS: dict[str, dict[str, Any]] = {
    **USER_FIELDS,
    **MANAGED_FIELDS,
    **ADMIN_FIELDS,
    "password_hash": {"type": "string", "x-nullable": True},
}
_check = compile_check({"type": "object", "properties": IMPORTED_FIELDS, "required": ["email"]})
_Import = Callable[..., User | None]


@users.command("import")
@click.argument("file", type=click.File("rb"))
@click.option("--dry-run", is_flag=True, help="Validate every line and store nothing.")
@as_json
@with_services
def import_users(services: Services, file: BinaryIO, dry_run: bool, is_json: bool) -> None:
    """Import users of another system, one JSON object per line; - reads standard input.

    Fields: email; optionally username, password_hash, full_name, locale, metadata, app_metadata,
    external_id, roles, status, email_verified. ROSTER_USERNAMES can require username, or turn it
    off. Safe to repeat: existing users are not changed.
    """
    imports = UserImport(services.accounts)
    import_one = imports.dry_run if dry_run else imports.import_user
    counts, faults = Counter[str](), []
    with progress("Reading lines", total=_size_of(file)) as advance:
        for number, outcome in _import_lines(_counted(file, advance), import_one):
            counts[outcome if isinstance(outcome, str) else "rejected"] += 1
            if not isinstance(outcome, str):
                faults.append({"line": number, "errors": outcome})
                if not is_json:
                    _print_errors(number, outcome)
    _print_summary(counts, faults, dry_run, is_json)
    if faults:
        raise SystemExit(1)


def _size_of(file: BinaryIO) -> int | None:
    """Return the size in bytes of a regular file, None for a pipe."""
    try:
        status = os.fstat(file.fileno())
    except OSError:
        return None
    return status.st_size if stat.S_ISREG(status.st_mode) else None


def _counted(lines: Iterable[bytes], advance: Callable[[int], None]) -> Iterator[bytes]:
    for line in lines:
        yield line
        advance(len(line))


def _import_lines(
    lines: Iterable[bytes], import_one: _Import
) -> Iterator[tuple[int, str | list[dict[str, str]]]]:
    """Yield the outcome of each line that is not empty: a word, or its errors."""
    for number, line in enumerate(lines, 1):
        text = line.removeprefix(_BYTE_ORDER_MARK).strip() if number == 1 else line.strip()
        if text:
            yield number, _import_line(text, import_one)


def _import_line(line: bytes, import_one: _Import) -> str | list[dict[str, str]]:
    try:
        details = read_object(line)
        raise_if_any(_check(details))
        return "imported" if import_one(**details) else "already there"
    except RequestError as error:
        faults = error.errors or [("", error.detail)]
    except AccountError as error:
        faults = pointers_in(error) or [("", str(error))]
    return [{"pointer": pointer, "detail": detail} for pointer, detail in faults]


def _print_errors(number: int, errors: list[dict[str, str]]) -> None:
    for error in errors:
        where = f" {error['pointer']}:" if error["pointer"] else ""
        click.echo(f"line {number}:{where} {error['detail']}", err=True)


def _print_summary(
    counts: Counter[str], faults: list[dict[str, Any]], dry_run: bool, is_json: bool
) -> None:
    words = ("imported", "already there", "rejected")
    if is_json:
        # The names of the JSON document are stable.
        summary = {
            "imported": counts["imported"],
            "already_there": counts["already there"],
            "refused": counts["rejected"],
        }
        show_json({"dry_run": dry_run, **summary, "faults": faults})
        return
    parts = ", ".join(f"{counts[word]} {word}" for word in words)
    if dry_run:
        parts = f"dry run, nothing was stored: {counts['imported']} would be imported"
        parts += f", {counts['already there']} already there, {counts['rejected']} rejected"
    click.echo(parts)
