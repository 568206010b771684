"""`roster users import`."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any, BinaryIO

import click

from api.errors import RequestError
from api.json_body import read_object
from api.v1.users.schemas import ADMIN_FIELDS, USER_FIELDS
from api.validation import compile_check
from api.validation_errors import raise_if_any
from models import Services, User, UserImport
from models.errors import AccountError
from roster.commands.context import with_services
from roster.commands.users.group import as_json, users
from roster.commands.users.output import show_json

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_MEMBERS: dict[str, dict[str, Any]] = {
    **USER_FIELDS,
    **ADMIN_FIELDS,
    "password_hash": {"type": "string", "x-nullable": True},
    "email_verified": {"type": "boolean"},
}
_check = compile_check(
    {"type": "object", "properties": _MEMBERS, "required": ["username", "email"]}
)
_Bring = Callable[..., User | None]


@users.command("import")
@click.argument("file", type=click.File("rb"))
@click.option("--dry-run", is_flag=True, help="Check every line and store nothing.")
@as_json
@with_services
def import_users(services: Services, file: BinaryIO, dry_run: bool, is_json: bool) -> None:
    """Bring in users of another system, one JSON object a line; - reads standard input.

    Members: username, email; and, where there are some, password_hash, full_name, metadata,
    roles, status, email_verified. Safe to repeat: who is there already is left alone.
    """
    imports = UserImport(services.accounts)
    bring = imports.dry_run if dry_run else imports.import_user
    counts, faults = Counter[str](), []
    for number, outcome in _bring_all(file, bring):
        counts[outcome if isinstance(outcome, str) else "refused"] += 1
        if not isinstance(outcome, str):
            faults.append({"line": number, "errors": outcome})
            if not is_json:
                _tell(number, outcome)
    _sum_up(counts, faults, dry_run, is_json)
    if faults:
        raise SystemExit(1)


def _bring_all(
    lines: Iterable[bytes], bring: _Bring
) -> Iterator[tuple[int, str | list[dict[str, str]]]]:
    """What became of each line that is not empty: a word, or what is wrong with it."""
    for number, line in enumerate(lines, 1):
        text = line.removeprefix(_BYTE_ORDER_MARK).strip() if number == 1 else line.strip()
        if text:
            yield number, _bring_one(text, bring)


def _bring_one(line: bytes, bring: _Bring) -> str | list[dict[str, str]]:
    try:
        details = read_object(line)
        raise_if_any(_check(details))
        return "imported" if bring(**details) else "already there"
    except RequestError as error:
        faults = error.errors or [("", error.detail)]
    except AccountError as error:
        faults = [(f"/{error.field}" if error.field else "", str(error))]
    return [{"pointer": pointer, "detail": detail} for pointer, detail in faults]


def _tell(number: int, errors: list[dict[str, str]]) -> None:
    for error in errors:
        where = f" {error['pointer']}:" if error["pointer"] else ""
        click.echo(f"line {number}:{where} {error['detail']}", err=True)


def _sum_up(
    counts: Counter[str], faults: list[dict[str, Any]], dry_run: bool, is_json: bool
) -> None:
    words = ("imported", "already there", "refused")
    if is_json:
        summary = {word.replace(" ", "_"): counts[word] for word in words}
        show_json({"dry_run": dry_run, **summary, "faults": faults})
        return
    what = "dry run, nothing is stored: " if dry_run else ""
    click.echo(what + ", ".join(f"{counts[word]} {word}" for word in words))
