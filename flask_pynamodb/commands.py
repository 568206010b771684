"""What the commands of `flask dynamodb` share: the option `--bind`, and errors in one line."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from flask_pynamodb.errors import MigrationError, is_unavailable
from flask_pynamodb.state import ALL_BINDS, current_state

bind_option = click.option(
    "--bind",
    "bind_key",
    default=ALL_BINDS,
    metavar="KEY",
    help="One database of DYNAMODB_BINDS.  [default: all]",
)


def database() -> Any:
    """Return the extension of the current app."""
    return current_state().database


@contextmanager
def one_line_errors() -> Iterator[None]:
    """Show an unavailable DynamoDB and a failed migration as one line."""
    try:
        yield
    except MigrationError as error:
        raise click.ClickException(str(error)) from error
    except Exception as error:
        if not is_unavailable(error):
            raise
        raise click.ClickException(f"DynamoDB is not reachable: {error}") from error
