"""`roster users unlock`, `reset-password`, `schemes`."""

from collections import Counter

import click

from models import ANONYMOUS, Services, UserFilter
from roster.commands.context import with_services
from roster.commands.users.accounts import every_user
from roster.commands.users.group import as_json, get_user, login, users
from roster.commands.users.output import show_json, show_table


@users.command()
@login
@with_services
def unlock(services: Services, login: str) -> None:
    """Forget a user's failed tries to sign in."""
    user = get_user(services, login)
    services.passwords.unlock(user, by=ANONYMOUS)
    click.echo(f"{user.username} is unlocked")


@users.command("reset-password")
@login
@with_services
def reset_password(services: Services, login: str) -> None:
    """Email a user a link to set a new password; nobody else ever chooses it."""
    user = get_user(services, login)
    if not user.is_active:
        raise click.ClickException(f"{user.username} is {user.status}: `reactivate` comes first.")
    services.passwords.send_reset(user, by=ANONYMOUS)
    click.echo(f"a link to set a new password is mailed to {user.email}")


@users.command()
@as_json
@with_services
def schemes(services: Services, is_json: bool) -> None:
    """Count how passwords are hashed: old hashes are replaced when their users sign in.

    Reads every user, page by page.
    """
    name_of = services.accounts.hasher.scheme_of
    counts = Counter(name_of(user.password_hash) for user in every_user(services, UserFilter()))
    if is_json:
        show_json(dict(counts.most_common()))
    else:
        show_table(("scheme", "users"), counts.most_common())
