"""`roster users create-admin`, `list`, `show`, `suspend`, `reactivate`, `sweep`."""

from collections.abc import Iterator
from functools import partial
from itertools import islice
from typing import Any

import click

from models import (
    EventFilter,
    Role,
    Services,
    Status,
    User,
    UserFilter,
    field_rules,
    list_events,
    resume_cleanup,
)
from models.errors import InvalidField
from roster.commands.context import with_services
from roster.commands.output import show_json, show_table
from roster.commands.users.group import as_json, get_user, login, username, users
from roster.commands.users.serialization import as_user, events_for_operators

_COLUMNS = ("id", "username", "email", "status", "roles", "created_at", "last_login_at")
_EVENT_COLUMNS = ("at", "type", "members", "reason", "actor_id", "ip")
_EVENTS_SHOWN = 10
_PAGE = 100


@users.command("create-admin")
@username
@click.argument("email")
@click.password_option(help="Prompted for if not given, so that it stays out of the shell history.")
@with_services
def create_admin(services: Services, username: str | None, email: str, password: str) -> None:
    """Create an admin; the first one cannot be created through the API.

    The email address counts as verified, so check it.
    """
    admin = services.accounts.register(
        username=username,
        email=email,
        password=password,
        roles=[Role.ADMIN],
        email_verified=True,
        any_username=True,
    )
    click.echo(f"created {admin.account_name}, {admin.id}")


@users.command("list")
@click.option("--status", type=click.Choice([status.value for status in Status]))
@click.option("--role", metavar="ROLE", help="Also one that is no longer in the settings.")
@click.option("--limit", type=click.IntRange(min=1), help="The maximum number  [default: all]")
@click.option(
    "--search", "text", metavar="TEXT", help="The beginning of a username, address or name."
)
@as_json
@with_services
def list_users(
    services: Services,
    status: str | None,
    role: str | None,
    limit: int | None,
    text: str | None,
    is_json: bool,
) -> None:
    """List users, newest first. The newest users may be missing for a moment.

    With --search they are in alphabetical order.
    """
    if role is not None and not field_rules.ROLE.matches(role):
        raise click.BadParameter(field_rules.ROLE.requirement, param_hint="--role")
    chosen = UserFilter(Status(status) if status else None, role)
    found = map(as_user, islice(every_user(services, chosen, _searched(services, text)), limit))
    if is_json:
        show_json(list(found))
    else:
        show_table(_COLUMNS, ([each[name] for name in _COLUMNS] for each in found))


@users.command()
@login
@as_json
@with_services
def show(services: Services, login: str, is_json: bool) -> None:
    """Show a user and its latest audit events."""
    found = get_user(services, login)
    rows, _ = list_events(EventFilter(found.id), limit=_EVENTS_SHOWN)
    about: dict[str, Any] = {
        "user": as_user(found),
        # Only the name of the scheme.
        "password": services.accounts.hasher.scheme_of(found.password_hash),
        "failed_tries": int(found.failed_attempts or 0),
    }
    events = events_for_operators(rows)
    if is_json:
        show_json({**about, "events": events})
        return
    show_table(("field", "value"), {**about.pop("user"), **about}.items())
    click.echo()
    show_table(_EVENT_COLUMNS, ([each[name] for name in _EVENT_COLUMNS] for each in events))


@users.command()
@login
@with_services
def suspend(services: Services, login: str) -> None:
    """Suspend a user; every session ends at once."""
    _set_status(services, login, Status.SUSPENDED)


@users.command()
@login
@with_services
def reactivate(services: Services, login: str) -> None:
    """Let a suspended user sign in again."""
    _set_status(services, login, Status.ACTIVE)


@users.command()
@with_services
def sweep(services: Services) -> None:
    """Remove session rows that an interrupted process left behind."""
    click.echo(f"cleaned up {resume_cleanup()} users")


def every_user(services: Services, chosen: UserFilter, text: str | None = None) -> Iterator[User]:
    """Yield all users that a filter passes, page by page; eventually consistent.

    Args:
        services: The services.
        chosen: The filter.
        text: Yield the users that it finds; without it all, newest first.
    """
    accounts, after = services.accounts, None
    list_page = accounts.newest_first if text is None else partial(accounts.search.find, text)
    while True:
        page, after = list_page(chosen, after=after, limit=_PAGE)
        yield from page
        if after is None:
            return


def _searched(services: Services, text: str | None) -> str | None:
    """Return the text of a search.

    Raises:
        BadParameter: It is too short or too long, or the search is off.
    """
    if text is None:
        return None
    longest = field_rules.SEARCH.max_length
    if len(text) > longest:
        raise click.BadParameter(f"It has at most {longest} characters.", param_hint="--search")
    try:
        return services.accounts.search.normalize(text)
    except InvalidField as fault:
        raise click.BadParameter(str(fault), param_hint="--search") from None


def _set_status(services: Services, login: str, status: Status) -> None:
    user = services.accounts.update(get_user(services, login), {"status": status.value})
    click.echo(f"{user.account_name} is {user.status}")
