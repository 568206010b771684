"""The group of `roster users`, and what its commands have in common."""

from collections.abc import Callable
from functools import wraps
from typing import Any

import click

from flask_pynamodb import is_unavailable
from models import Services, User, db, is_user_id
from models.errors import AccountError

as_json = click.option("--json", "is_json", is_flag=True, help="One JSON document on stdout.")
login = click.argument("login", metavar="LOGIN")


class _Users(click.Group):
    """Commands whose refusals are one line and the exit status 1."""

    def add_command(self, cmd: click.Command, name: str | None = None) -> None:
        if cmd.callback:
            cmd.callback = _in_one_line(cmd.callback)
        super().add_command(cmd, name)


users = _Users("users", help="Look after accounts. LOGIN is an id, a user name or an address.")


def get_user(services: Services, login: str) -> User:
    """The user whom an operator means by an id, a user name or an address.

    Raises:
        UserNotFound: There is no user with this id.
        ClickException: Nobody has this user name or address.
    """
    accounts = services.accounts
    found = accounts.get(login) if is_user_id(login) else accounts.find(login)
    if found is None:
        raise click.ClickException("Nobody has this user name or address.")
    return found


def _in_one_line(function: Callable[..., None]) -> Callable[..., None]:
    @wraps(function)
    def run(*args: Any, **kwargs: Any) -> None:
        try:
            function(*args, **kwargs)
        except AccountError as error:
            raise click.ClickException(str(error)) from None
        except Exception as error:
            if not is_unavailable(error):
                raise
            raise click.ClickException(_reason(error)) from None

    return run


def _reason(error: Exception) -> str:
    """What is missing, in the words of `roster serve`; else what DynamoDB says."""
    try:
        if lacking := db.missing_access():
            return "; ".join(lacking)
        if lacking := [lack for lack in db.check_all() if lack.blocks]:
            return f"{'; '.join(lacking)}. `roster dynamodb create` makes missing tables."
    except Exception as another:
        if not is_unavailable(another):
            raise
    return f"DynamoDB is out of reach: {error}"
