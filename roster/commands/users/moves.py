"""`roster users move`."""

import click

from models import Move, Services
from roster.commands.context import with_services
from roster.commands.users.group import get_user, login, users


@users.command()
@login
@click.argument("source_login", metavar="FROM")
@click.option("--email", "moves_email", is_flag=True, help="The email address; FROM is deleted.")
@click.option("--username", "moves_username", is_flag=True, help="The username.")
@click.option("--delete-source", "deletes_source", is_flag=True, help="Delete FROM.")
@click.option("--yes", is_flag=True, help="Do not ask for a confirmation.")
@with_services
def move(
    services: Services,
    login: str,
    source_login: str,
    moves_email: bool,
    moves_username: bool,
    deletes_source: bool,
    yes: bool,
) -> None:
    """Move the email address, the username or both from the user FROM to a user.

    For duplicates. A user cannot exist without an email address, so --email requires
    --delete-source. The moved address is not verified.
    """
    if not (moves_email or moves_username):
        raise click.UsageError("Give --email, --username, or both.")
    target, source = get_user(services, login), get_user(services, source_login)
    if moves_username and source.username is None:
        raise click.ClickException(f"{source.email} has no username.")
    if moves_email and not deletes_source:
        raise click.UsageError("--email requires --delete-source: every user has an address.")
    if services.accounts.usernames.are_required and not deletes_source:
        raise click.UsageError("--username requires --delete-source where usernames are required.")
    request = Move(
        source.id,
        source.email if moves_email else None,
        source.username if moves_username else None,
        deletes_source,
    )
    names = ", ".join(request.names_of(source))
    if not yes:
        and_delete = f" and delete {source.account_name}, {source.id}" if deletes_source else ""
        click.confirm(f"Move {names} to {target.account_name}{and_delete}?", abort=True)
    after = services.name_moves.move(target, request)
    click.echo(f"{after.account_name}, {after.id} has {names}")
