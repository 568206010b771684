"""A group of commands whose errors are one line, and the options that groups share."""

from collections.abc import Callable
from functools import wraps
from typing import Any

import click

from flask_pynamodb import is_unavailable
from models import db
from models.errors import AccountError

as_json = click.option("--json", "is_json", is_flag=True, help="Write one JSON document to stdout.")


class CommandGroup(click.Group):
    """Commands whose errors are one line and exit status 1."""

    def add_command(self, cmd: click.Command, name: str | None = None) -> None:
        if cmd.callback:
            cmd.callback = _one_line_errors(cmd.callback)
        super().add_command(cmd, name)


def _one_line_errors(function: Callable[..., None]) -> Callable[..., None]:
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
    """Return what is missing, as `roster serve` reports it; else the error of DynamoDB."""
    try:
        if missing := db.missing_access():
            return "; ".join(missing)
        if missing := [drift for drift in db.check_all() if drift.blocks]:
            return f"{'; '.join(missing)}. `roster dynamodb create` creates missing tables."
    except Exception as another:
        if not is_unavailable(another):
            raise
    return f"DynamoDB is not reachable: {error}"
