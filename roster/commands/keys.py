"""`roster keys`: replace the secret key, and the keys that sign access tokens."""

import json
from collections.abc import Callable

import click

from api.fields import Timestamp
from models import (
    KeyPair,
    KeyState,
    Rekeyed,
    Services,
    SigningKeyStatus,
    TokenAlgorithm,
    is_user_id,
)
from roster.commands.command_group import CommandGroup, as_json
from roster.commands.context import with_services
from roster.commands.output import show_json, show_table

_text = Timestamp().format
_COLUMNS = ("kid", "alg", "state", "created_at", "signs_from")

keys = CommandGroup(
    "keys",
    help="Replace the secret key, and the keys that sign access tokens. KID is the ID of a key.",
)


@keys.command()
@as_json
@with_services
def status(services: Services, is_json: bool) -> None:
    """Count the second factors and signing keys that each secret key has sealed.

    A key with 0 can be removed. The exit status is 1 if a key is missing that is still needed.
    Reads the whole table of second factors.
    """
    uses = services.key_rotation.status()
    if is_json:
        show_json([vars(use) for use in uses])
    else:
        columns = ("key", "state", "second factors", "signing keys")
        rows = ((use.key, use.state, use.second_factors, use.signing_keys) for use in uses)
        show_table(columns, rows)
    if any(use.state is KeyState.UNKNOWN for use in uses):
        raise SystemExit(1)


@keys.command("list")
@as_json
@with_services
def list_command(services: Services, is_json: bool) -> None:
    """List the keys that sign access tokens, the oldest first.

    Those of ROSTER_TOKEN_KEYS_FILE in their order: the first one signs.
    """
    found = [_shown(each) for each in services.signing_keys.status()]
    if is_json:
        show_json(found)
    else:
        show_table(_COLUMNS, ([each[name] for name in _COLUMNS] for each in found))


@keys.command()
@as_json
@with_services
def rotate(services: Services, is_json: bool) -> None:
    """Create the next key that signs access tokens; it signs after 24 hours.

    Keys are rotated every 89 days without this command. If a key is waiting already, no other one
    is created.
    """
    created = _shown(services.signing_keys.rotate())
    if is_json:
        show_json(created)
    else:
        click.echo(f"{created['kid']} signs from {created['signs_from']}")


@keys.command()
@click.option(
    "--alg",
    "algorithm",
    type=click.Choice([each.value for each in TokenAlgorithm]),
    default=TokenAlgorithm.RS256.value,
    show_default=True,
)
def generate(algorithm: str) -> None:
    """Print a new private JWKS with one key, for ROSTER_TOKEN_KEYS_FILE.

    The key is not stored: write it into a file that no other user can read. Needs no database.
    """
    pair = KeyPair.generate(TokenAlgorithm(algorithm))
    click.echo(json.dumps({"keys": [json.loads(pair.secret()) | {"kid": pair.kid}]}))


@keys.command()
@click.argument("kid", metavar="KID")
@with_services
def revoke(services: Services, kid: str) -> None:
    """Revoke a key that signs access tokens, for example a stolen one.

    The tokens that it has signed become invalid: services that keep the published keys follow
    within 5 minutes. If it is the one that signs, another key takes its place at once.
    """
    services.signing_keys.revoke(kid)
    click.echo(f"revoked {kid}")


def _shown(key: SigningKeyStatus) -> dict[str, str | None]:
    return {
        "kid": key.kid,
        "alg": key.algorithm,
        "state": key.state.value,
        "created_at": _text(key.created_at) if key.created_at else None,
        "signs_from": _text(key.signs_from) if key.signs_from else None,
    }


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
    """Seal all second factors and signing keys with the current secret key.

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
