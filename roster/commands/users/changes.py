"""`roster users create`, `delete`, `promote`, `demote`, `roles`."""

import sys
from typing import Any

import click

from models import ANONYMOUS, EventType, Role, Services, User, build_user
from roster.commands.context import with_services
from roster.commands.users.group import get_user, login, username, users


@users.command()
@username
@click.argument("email")
@click.option("--full-name", help="The display name.")
@click.option("--admin", "is_admin", is_flag=True, help="With the role admin.")
@click.option("--role", "roles", multiple=True, help="A role  [default: user; may be repeated]")
@click.option("--verified", "is_verified", is_flag=True, help="The email address is the user's.")
@click.option("--password-stdin", "from_stdin", is_flag=True, help="Read the password from stdin.")
@click.option(
    "--no-password",
    "without_password",
    is_flag=True,
    help="The user sets a password by a reset email, see `reset-password`.",
)
@with_services
def create(
    services: Services,
    username: str | None,
    email: str,
    full_name: str | None,
    is_admin: bool,
    roles: tuple[str, ...],
    is_verified: bool,
    from_stdin: bool,
    without_password: bool,
) -> None:
    """Create a user; the password is prompted for, so that it stays out of the shell history."""
    if from_stdin and without_password:
        raise click.UsageError("--password-stdin contradicts --no-password.")
    accounts = services.accounts
    details: dict[str, Any] = {
        "username": username,
        "email": email,
        "full_name": full_name,
        "roles": [*roles, *([Role.ADMIN] if is_admin else [])] or [Role.USER],
        "email_verified": is_verified,
    }
    if without_password:
        user = build_user(**details)
        accounts.create(user, EventType.USER_REGISTERED, by=ANONYMOUS, any_username=True)
    else:
        password = _password(from_stdin)
        user = accounts.register(**details, password=password, any_username=True)
    click.echo(f"created {user.account_name}, {user.id}")


@users.command()
@login
@click.option("--yes", is_flag=True, help="Do not ask for a confirmation.")
@with_services
def delete(services: Services, login: str, yes: bool) -> None:
    """Delete a user with all sessions, API keys and the second factor."""
    user = get_user(services, login)
    if not yes:
        names = dict.fromkeys((user.account_name, user.email, user.id))
        click.confirm(f"Delete {', '.join(names)}?", abort=True)
    services.accounts.delete(user)
    click.echo(f"deleted {user.account_name}, {user.id}")


@users.command()
@login
@with_services
def promote(services: Services, login: str) -> None:
    """Give a user the role admin."""
    user = get_user(services, login)
    _set_roles(services, user, [*user.roles, Role.ADMIN])


@users.command()
@login
@with_services
def demote(services: Services, login: str) -> None:
    """Take the role admin from a user; at least one active admin stays."""
    user = get_user(services, login)
    others = [role for role in user.roles if role != Role.ADMIN]
    _set_roles(services, user, others or [Role.USER])


@users.command()
@login
@click.option("--add", "added", metavar="ROLE", multiple=True, help="Give a role; repeatable.")
@click.option("--remove", "removed", metavar="ROLE", multiple=True, help="Take one; repeatable.")
@with_services
def roles(services: Services, login: str, added: tuple[str, ...], removed: tuple[str, ...]) -> None:
    """Show the roles of a user, or give and take some; at least one active admin stays."""
    user = get_user(services, login)
    if both := set(added) & set(removed):
        raise click.UsageError(f"--add contradicts --remove: {', '.join(sorted(both))}.")
    rest = [role for role in user.roles if role not in removed]
    _set_roles(services, user, [*rest, *added])


def _set_roles(services: Services, user: User, roles: list[str]) -> None:
    after = services.accounts.update(user, {"roles": roles})
    click.echo(f"{after.account_name} has the roles {', '.join(after.roles) or '-'}")


def _password(from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    return str(click.prompt("Password", hide_input=True, confirmation_prompt=True))
