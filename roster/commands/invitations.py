"""`roster invitations`: invite people by email, one by one or from a CSV file."""

import csv
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, TextIO

import click

from api.errors import pointers_in
from api.serialization import compiled
from api.v1.invitations.schemas import invitation as invitation_schema
from models import Invitation, Role, Services, is_user_id
from models.errors import AccountError, AlreadyInvited, EmailNotConfigured, EmailTaken
from roster.commands.command_group import CommandGroup, as_json
from roster.commands.context import with_services
from roster.commands.output import show_json, show_table

_COLUMNS = ("id", "email", "roles", "status", "expires_at", "invited_by")
_OF_CSV = ("email", "roles")
_PAGE = 100
# The number of a line of a file, its address and its roles.
_Line = tuple[int | None, str, list[str]]
# The queue of emails is smaller than a file can be: it is emptied after so many lines.
_BATCH = 100
_SECONDS_PER_BATCH = 120.0
_INVITED, _ALREADY_INVITED, _USER, _REJECTED = "invited", "already invited", "a user", "rejected"

invitations = CommandGroup(
    "invitations",
    help="Invite people by email. INVITATION is the ID of an invitation, or its email address.",
)
_as_invitation = compiled(invitation_schema)
_which = click.argument("which", metavar="INVITATION")


@invitations.command()
@click.argument("emails", nargs=-1, metavar="[EMAIL]...")
@click.option("--role", "roles", multiple=True, help="A role of the users; repeat it for several.")
@click.option("--locale", help="The language of the emails and the users, as in de.")
@click.option(
    "--csv",
    "file",
    type=click.File("r", encoding="utf-8-sig"),
    help="A file with the columns email and roles, which are separated by spaces.",
)
@as_json
@with_services
def create(
    services: Services,
    emails: tuple[str, ...],
    roles: tuple[str, ...],
    locale: str | None,
    file: TextIO | None,
    is_json: bool,
) -> None:
    """Invite addresses, and email a link to each.

    Safe to repeat: an address with an invitation or a user gets no email. A line of the file
    without roles has those of --role, or else the role user.
    """
    if bool(emails) == bool(file):
        raise click.UsageError("Name addresses, or a file with --csv.")
    fields = {"roles": list(roles) or [Role.USER.value], "locale": locale}
    lines: Iterable[_Line] = _read_csv(file) if file else ((None, email, []) for email in emails)
    counts, faults = Counter[str](), []
    for number, email, own_roles in lines:
        own = {"roles": own_roles} if own_roles else {}
        outcome, errors = _invite(services, email, {**fields, **own})
        counts[outcome] += 1
        if errors:
            faults.append({"line": number, "errors": errors})
        if not is_json:
            _print_outcome(number, email, outcome, errors)
        if counts.total() % _BATCH == 0:
            services.invitations.deliver(_SECONDS_PER_BATCH)
    services.invitations.deliver(_SECONDS_PER_BATCH)
    if is_json:
        show_json({**{name.replace(" ", "_"): counts[name] for name in _WORDS}, "faults": faults})
    else:
        click.echo(", ".join(f"{counts[name]} {name}" for name in _WORDS))
    if faults:
        raise SystemExit(1)


@invitations.command("list")
@click.option("--limit", type=click.IntRange(min=1), help="The maximum number of invitations.")
@as_json
@with_services
def list_command(services: Services, limit: int | None, is_json: bool) -> None:
    """List pending and expired invitations, newest first. The newest may be missing for a second.

    Expired ones are listed for 30 days.
    """
    found: list[Any] = list(map(_as_invitation, islice(_every_invitation(services), limit)))
    if is_json:
        show_json(found)
    else:
        show_table(_COLUMNS, ([each[name] for name in _COLUMNS] for each in found))


@invitations.command()
@_which
@with_services
def resend(services: Services, which: str) -> None:
    """Send an invitation again: with a new link, the older one is void."""
    sent = services.invitations.resend(_get(services, which))
    click.echo(f"a new link will be emailed to {sent.email}")


@invitations.command()
@_which
@with_services
def revoke(services: Services, which: str) -> None:
    """Revoke an invitation; its link is void at once."""
    found = _get(services, which)
    services.invitations.revoke(found.id)
    click.echo(f"revoked {found.id}")


_WORDS = (_INVITED, _ALREADY_INVITED, _USER, _REJECTED)


def _get(services: Services, which: str) -> Invitation:
    """Return the invitation with this ID or email address.

    Raises:
        InvitationNotFound: There is no invitation with this ID.
        ClickException: There is no pending invitation of this address.
    """
    if is_user_id(which.lower()):
        return services.invitations.get(which.lower())
    found = services.invitations.find_by_email(which)
    if found is None:
        raise click.ClickException("There is no pending invitation of this email address.")
    return found


def _every_invitation(services: Services) -> Iterator[Invitation]:
    """Yield all invitations, newest first, page by page; eventually consistent."""
    after = None
    while True:
        page, after = services.invitations.newest_first(after=after, limit=_PAGE)
        yield from page
        if after is None:
            return


def _invite(
    services: Services, email: str, fields: dict[str, Any]
) -> tuple[str, list[dict[str, str]]]:
    """Invite an address; return the outcome in one word, and the errors of a rejection."""
    try:
        services.invitations.create(email, **fields)
    except AlreadyInvited:
        return _ALREADY_INVITED, []
    except EmailTaken:
        return _USER, []
    except EmailNotConfigured:
        # No other line can succeed.
        raise
    except AccountError as error:
        pairs = pointers_in(error) or [("", str(error))]
        return _REJECTED, [{"pointer": pointer, "detail": detail} for pointer, detail in pairs]
    return _INVITED, []


def _print_outcome(
    number: int | None, email: str, outcome: str, errors: list[dict[str, str]]
) -> None:
    where = "" if number is None else f"line {number}: "
    # A text that is no address could hide or turn what follows on a terminal.
    name = email if email.isprintable() else ascii(email)
    click.echo(f"{where}{name}: {outcome}", err=bool(errors))
    for error in errors:
        click.echo(f"  {error['pointer'] or '/'}: {error['detail']}", err=True)


def _read_csv(file: TextIO) -> Iterator[_Line]:
    """Yield the number, the address and the roles of each line that is not empty.

    Raises:
        ClickException: The file is no CSV file in UTF-8, or has other columns.
    """
    reader = csv.reader(file, strict=True)
    try:
        yield from _lines_of(reader)
    except (csv.Error, UnicodeDecodeError) as error:
        # The text of the other error repeats bytes of the file.
        reason = error if isinstance(error, csv.Error) else "it is not in UTF-8"
        raise click.ClickException(
            f"line {reader.line_num + 1}: this is no CSV: {reason}"
        ) from None


def _lines_of(reader: Any) -> Iterator[_Line]:
    columns: Iterable[str] | None = None
    for cells in reader:
        texts = [cell.strip() for cell in cells]
        if not any(texts):
            continue
        if columns is None:
            names = tuple(text.lower() for text in texts)
            columns = names if "@" not in texts[0] else _OF_CSV
            _require_columns(names if columns is names else _OF_CSV[: len(texts)], len(texts))
            if columns is names:
                continue
        fields = dict(zip(columns, texts, strict=False))
        yield reader.line_num, fields.get("email", ""), fields.get("roles", "").split()


def _require_columns(names: tuple[str, ...], number: int) -> None:
    if "email" in names and set(names) <= set(_OF_CSV) and len(set(names)) == number:
        return
    raise click.ClickException(
        "The columns of the file are email and, optionally, roles: name them in the first line."
    )
