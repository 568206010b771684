"""`flask dynamodb`: make, check and drop the app's tables."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click
from flask import current_app
from flask.cli import AppGroup

from flask_pynamodb.errors import is_unavailable

dynamodb = AppGroup("dynamodb", help="Make, check and drop the app's DynamoDB tables.")


@dynamodb.command()
def create() -> None:
    """Make the tables that are missing."""
    with _one_line_errors():
        for name in _database().create_all():
            click.echo(f"made {name}")
        click.echo("All tables are there.")


@dynamodb.command()
def check() -> None:
    """Say what the tables lack; exit 1 if anything does."""
    with _one_line_errors():
        problems = _database().check_all()
    for problem in problems:
        click.echo(problem)
    if problems:
        sys.exit(1)
    click.echo("All tables are as the models declare them.")


@dynamodb.command()
@click.confirmation_option(prompt="Delete all tables and everything in them?")
def drop() -> None:
    """Delete the tables and everything in them."""
    with _one_line_errors():
        for name in _database().drop_all():
            click.echo(f"dropped {name}")


def _database() -> Any:
    return current_app.extensions["pynamodb"].database


@contextmanager
def _one_line_errors() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        if not is_unavailable(error):
            raise
        raise click.ClickException(f"DynamoDB is out of reach: {error}") from error
