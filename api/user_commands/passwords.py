"""`roster users unlock`, `reset-password`, `schemes`."""

from collections import Counter

import click

from api.services import accounts, credentials
from api.user_commands.accounts import every_user
from api.user_commands.group import as_json, get_user, login, users
from api.user_commands.shown import show_json, show_table
from models import NOBODY, UserFilter


@users.command()
@login
def unlock(login: str) -> None:
    """Forget a user's failed tries to sign in."""
    user = get_user(login)
    credentials.unlock(user, by=NOBODY)
    click.echo(f"{user.username} is unlocked")


@users.command("reset-password")
@login
def reset_password(login: str) -> None:
    """Mail a user a link to set a new password; nobody else ever chooses it."""
    user = get_user(login)
    if not user.is_active:
        raise click.ClickException(f"{user.username} is {user.status}: `reactivate` comes first.")
    credentials.start_reset_for(user, by=NOBODY)
    click.echo(f"a link to set a new password is mailed to {user.email}")


@users.command()
@as_json
def schemes(is_json: bool) -> None:
    """Count how passwords are hashed: old hashes are replaced when their users sign in.

    Reads every user, page by page.
    """
    name_of = accounts.passwords.scheme_of
    counts = Counter(name_of(user.password_hash) for user in every_user(UserFilter()))
    if is_json:
        show_json(dict(counts.most_common()))
    else:
        show_table(("scheme", "users"), counts.most_common())
