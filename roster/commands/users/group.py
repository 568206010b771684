"""The group of `roster users`, and the code that its commands share."""

import click

from models import Services, User, is_user_id
from roster.commands.command_group import CommandGroup, as_json

__all__ = ["as_json", "get_user", "login", "username", "users"]

login = click.argument("login", metavar="LOGIN")


def _at_most_one(
    context: click.Context, parameter: click.Parameter, values: tuple[str, ...]
) -> str | None:
    if len(values) > 1:
        raise click.UsageError(f"Got unexpected extra argument ({values[1]})", context)
    return values[0] if values else None


# All but the last argument, which is the email address.
username = click.argument("username", nargs=-1, metavar="[USERNAME]", callback=_at_most_one)
users = CommandGroup(
    "users", help="Manage accounts. LOGIN is an ID, a username or an email address."
)


def get_user(services: Services, login: str) -> User:
    """Return the user with this ID, username or email address.

    Raises:
        UserNotFound: There is no user with this ID.
        ClickException: There is no user with this username or email address.
    """
    accounts = services.accounts
    found = accounts.get(login) if is_user_id(login) else accounts.find(login)
    if found is None:
        raise click.ClickException("There is no user with this username or email address.")
    return found
