"""`roster users`: what an operator does with accounts from a terminal."""

import click
from flask.cli import AppGroup

from api.services import accounts
from models import Role, resume_sweeps
from models.errors import AccountError

users = AppGroup("users", help="Look after accounts.")


@users.command("create-admin")
@click.argument("username")
@click.argument("email")
@click.password_option(help="Asked for if not given, so that it stays out of the shell's history.")
def create_admin(username: str, email: str, password: str) -> None:
    """Make a user who may administer; the first one has nobody else to make it."""
    try:
        made = accounts.register(
            username=username,
            email=email,
            password=password,
            roles=[Role.ADMIN],
        )
    except AccountError as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"made {made.username}, {made.id}")


@users.command()
def sweep() -> None:
    """Remove session rows that a stopped process left behind."""
    click.echo(f"{resume_sweeps()} left over")
