"""A group of commands whose errors are one line, and the options that groups share."""

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click

from flask_pynamodb import is_unavailable
from models import db
from models.errors import AccountError

as_json = click.option("--json", "is_json", is_flag=True, help="Write one JSON document to stdout.")


_LOCAL_DATA = "roster.local_data"
_DEFAULT_DATA = Path(".roster")


class CommandGroup(click.Group):
    """Commands whose errors are one line and exit status 1.

    With `--local` they use the data of `roster serve --local`, also while it runs.
    """

    def __init__(self, name: str, *, help: str) -> None:
        super().__init__(name, help=help, params=local_options(), callback=choose_database)

    def add_command(self, cmd: click.Command, name: str | None = None) -> None:
        if cmd.callback:
            cmd.callback = one_line_errors(cmd.callback)
        super().add_command(cmd, name)


def local_data(context: click.Context) -> Path | None:
    """Return the data folder that `--local` has chosen, None without it."""
    return context.meta.get(_LOCAL_DATA)


def local_options() -> list[click.Parameter]:
    """Return the options that choose local mode; `choose_database` is their callback."""
    return [
        click.Option(
            ["--local", "is_local"],
            is_flag=True,
            help="Use the data of `roster serve --local` and `make run`, also while it runs.",
        ),
        click.Option(
            ["--data"],
            type=click.Path(path_type=Path, file_okay=False),
            help=f"The data folder of --local.  [default: {_DEFAULT_DATA}]",
        ),
    ]


@click.pass_context
def choose_database(context: click.Context, is_local: bool, data: Path | None) -> None:
    """Note whether the commands of a group use local mode, for `local_data`."""
    if data and not is_local:
        raise click.UsageError("--data needs --local.")
    if is_local:
        context.meta[_LOCAL_DATA] = data or _DEFAULT_DATA


def one_line_errors(function: Callable[..., None]) -> Callable[..., None]:
    """Turn errors of the domain and of the database into one line and exit status 1."""

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
