"""`roster users unlock`, `reset-password`, `schemes`."""

from collections import Counter

import click

from models import ANONYMOUS, Services, UserFilter
from roster.commands.context import with_services
from roster.commands.output import show_json, show_table
from roster.commands.users.accounts import every_user
from roster.commands.users.group import as_json, get_user, login, users


@users.command()
@login
@with_services
def unlock(services: Services, login: str) -> None:
    """End the lockout of a user and reset the count of failed attempts."""
    user = get_user(services, login)
    services.passwords.unlock(user, by=ANONYMOUS)
    click.echo(f"{user.account_name} is unlocked")


@users.command("reset-password")
@login
@with_services
def reset_password(services: Services, login: str) -> None:
    """Email a user a link to set a new password."""
    user = get_user(services, login)
    if not user.is_active:
        raise click.ClickException(f"{user.account_name} is {user.status}: run `reactivate` first.")
    services.passwords.send_reset(user, by=ANONYMOUS)
    click.echo(f"a link to set a new password will be emailed to {user.email}")


@users.command()
@as_json
@with_services
def schemes(services: Services, is_json: bool) -> None:
    """Count password hashes by scheme: outdated ones are replaced when their users sign in.

    Reads every user, page by page.
    """
    name_of = services.accounts.hasher.scheme_of
    counts = Counter(name_of(user.password_hash) for user in every_user(services, UserFilter()))
    if is_json:
        show_json(dict(counts.most_common()))
    else:
        show_table(("scheme", "users"), counts.most_common())
