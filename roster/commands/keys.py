"""`roster keys`: count sealed values by secret key, and seal them with the current one."""

from collections.abc import Callable

import click

from models import KeyState, Rekeyed, Services, is_user_id
from roster.commands.command_group import CommandGroup, as_json
from roster.commands.context import with_services
from roster.commands.output import show_json, show_table

keys = CommandGroup("keys", help="Replace the secret key.")


@keys.command()
@as_json
@with_services
def status(services: Services, is_json: bool) -> None:
    """Count the second factors that each key has sealed.

    A key with 0 can be removed. The exit status is 1 if a key is missing that is still needed.
    Reads the whole table of second factors.
    """
    uses = services.key_rotation.status()
    if is_json:
        show_json([vars(use) for use in uses])
    else:
        columns = ("key", "state", "second factors")
        show_table(columns, ((use.key, use.state, use.second_factors) for use in uses))
    if any(use.state is KeyState.UNKNOWN for use in uses):
        raise SystemExit(1)


def _user_id(_context: click.Context, _option: click.Parameter, value: str | None) -> str | None:
    if value is not None and not is_user_id(value):
        raise click.BadParameter("must be a user ID, as an interrupted run has printed it.")
    return value


@keys.command()
@click.option(
    "--after",
    metavar="ID",
    callback=_user_id,
    help="Continue after this user ID, which a run has printed.",
)
@as_json
@with_services
def rekey(services: Services, after: str | None, is_json: bool) -> None:
    """Seal all second factors with the current key.

    Safe to interrupt, to repeat, and to run while users sign in. The exit status is 1 if one of
    them is unreadable, since its key is missing.
    """
    total = _rekey_all(services, after, lambda line: click.echo(line, err=True))
    if is_json:
        show_json({**vars(total), "unreadable": len(total.unreadable)})
    else:
        click.echo(
            f"{total.resealed} sealed again, {total.current} already current,"
            f" {total.changed} changed meanwhile, {len(total.unreadable)} unreadable"
        )
    if total.changed:
        click.echo("Some have changed meanwhile: run it again.", err=True)
    if total.unreadable:
        raise SystemExit(1)


def _rekey_all(services: Services, after: str | None, report: Callable[[str], None]) -> Rekeyed:
    total = Rekeyed()
    while True:
        page = services.key_rotation.rekey(after)
        total.add(page)
        for reason in page.unreadable:
            report(reason)
        after = page.after
        if after is None:
            return total
        report(f"{total.resealed} sealed again; continue with --after {after}")
