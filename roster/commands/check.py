"""`roster check`: whether the settings, the tables and the stored users fit together."""

from collections.abc import Iterator
from pathlib import Path

import click

from api.errors import pointers_in
from models import Services, UserFilter, db
from roster.commands.command_group import as_json, choose_database, local_options, one_line_errors
from roster.commands.context import with_services
from roster.commands.output import show_json
from roster.commands.progress import progress
from roster.commands.users.accounts import every_user
from roster.migrations import SEARCH_TERMS


@click.command("check", params=local_options())
@as_json
@one_line_errors
def check(is_local: bool, data: Path | None, is_json: bool) -> None:
    """Check settings, tables, and the metadata of all users; exit 1 if something does not fit.

    Reads every user, page by page. Users whose metadata no longer match ROSTER_METADATA_SCHEMA can
    sign in as before; their next change of these metadata has to match.
    """
    choose_database(is_local, data)
    _check(is_json)


@with_services
def _check(services: Services, is_json: bool) -> None:
    if services.hooks.module:
        names = ", ".join(services.hooks.functions)
        click.echo(f"ROSTER_HOOKS: {services.hooks.module} has {names}.", err=is_json)
    problems = _problems(services)
    if is_json:
        found = list(problems)
        show_json(found)
        fits = not found
    else:
        fits = True
        # Printed as they are found: there can be as many as users.
        for problem in problems:
            click.echo(f"{problem['subject']}: {problem['problem']}")
            fits = False
    if not fits:
        raise SystemExit(1)
    click.echo("Settings, tables and users fit together.", err=is_json)


def _problems(services: Services) -> Iterator[dict[str, str]]:
    """Yield what does not fit, the tables first; users are read only where their table is sound."""
    drifts = db.check_all()
    for drift in drifts:
        yield {"subject": "tables", "problem": str(drift)}
    if not any(drift.blocks for drift in drifts):
        yield from _misfits(services)


def _misfits(services: Services) -> Iterator[dict[str, str]]:
    """Yield what stored users have that the rules no longer accept. Never shows a value.

    Users whose rows of the search are not as the settings say are counted only.
    """
    rules, searched, unmigrated = services.accounts.metadata_rules, services.accounts.search, 0
    with progress("Checking users") as advance:
        for user in every_user(services, UserFilter()):
            for fault in rules.faults_of(user.attribute_values):
                for pointer, sentence in pointers_in(fault):
                    yield {"subject": f"user {user.id}", "problem": f"{pointer}: {sentence}"}
            unmigrated += not searched.is_current(user)
            advance(1)
    if unmigrated:
        yield {"subject": "search", "problem": _unmigrated(unmigrated, is_on=searched.is_on)}


def _unmigrated(number: int, *, is_on: bool) -> str:
    users = "1 user is" if number == 1 else f"{number} users are"
    state = f"{users} not found" if is_on else f"{users} in the index although ROSTER_SEARCH is off"
    return f"{state}. Run `roster dynamodb migrate {SEARCH_TERMS} --repeat`."
