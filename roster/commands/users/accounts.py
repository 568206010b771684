"""`roster users create-admin`, `list`, `show`, `suspend`, `reactivate`, `sweep`."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

import click

from models import Role, Services, Status, User, UserFilter, events_of, resume_cleanup
from roster.commands.context import with_services
from roster.commands.users.group import as_json, get_user, login, users
from roster.commands.users.output import as_user, events_for_operators, show_json, show_table

_COLUMNS = ("id", "username", "email", "status", "roles", "created_at", "last_login_at")
_EVENT_COLUMNS = ("at", "type", "members", "reason", "actor_id", "ip")
_EVENTS_SHOWN = 10
_PAGE = 100


@users.command("create-admin")
@click.argument("username")
@click.argument("email")
@click.password_option(help="Asked for if not given, so that it stays out of the shell's history.")
@with_services
def create_admin(services: Services, username: str, email: str, password: str) -> None:
    """Make a user who may administer; the first one has nobody else to make it."""
    made = services.accounts.register(
        username=username, email=email, password=password, roles=[Role.ADMIN]
    )
    click.echo(f"made {made.username}, {made.id}")


@users.command("list")
@click.option("--status", type=click.Choice([status.value for status in Status]))
@click.option("--role", type=click.Choice([role.value for role in Role]))
@click.option("--limit", type=click.IntRange(min=1), help="How many at the most  [default: all]")
@as_json
@with_services
def list_users(
    services: Services, status: str | None, role: str | None, limit: int | None, is_json: bool
) -> None:
    """List users, newest first. Who came a moment ago may be missing."""
    chosen = UserFilter(Status(status) if status else None, Role(role) if role else None)
    found = map(as_user, islice(every_user(services, chosen), limit))
    if is_json:
        show_json(list(found))
    else:
        show_table(_COLUMNS, ([each[name] for name in _COLUMNS] for each in found))


@users.command()
@login
@as_json
@with_services
def show(services: Services, login: str, is_json: bool) -> None:
    """Show a user and what happened to it of late."""
    found = get_user(services, login)
    rows, _ = events_of(found.id, limit=_EVENTS_SHOWN)
    about: dict[str, Any] = {
        "user": as_user(found),
        # The name of the scheme and no more.
        "password": services.accounts.hasher.scheme_of(found.password_hash),
        "failed_tries": int(found.failed_attempts or 0),
    }
    events = events_for_operators(rows)
    if is_json:
        show_json({**about, "events": events})
        return
    show_table(("member", "value"), {**about.pop("user"), **about}.items())
    click.echo()
    show_table(_EVENT_COLUMNS, ([each[name] for name in _EVENT_COLUMNS] for each in events))


@users.command()
@login
@with_services
def suspend(services: Services, login: str) -> None:
    """Keep a user from signing in; every session ends at once."""
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
    """Remove session rows that a stopped process left behind."""
    click.echo(f"{resume_cleanup()} left over")


def every_user(services: Services, chosen: UserFilter) -> Iterator[User]:
    """All users whom a filter passes, newest first, read page by page; eventually consistent."""
    after = None
    while True:
        page, after = services.accounts.newest_first(chosen, after=after, limit=_PAGE)
        yield from page
        if after is None:
            return


def _set_status(services: Services, login: str, status: Status) -> None:
    user = services.accounts.update(get_user(services, login), {"status": status.value})
    click.echo(f"{user.username} is {user.status}")
