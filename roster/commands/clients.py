"""`roster clients`: programs that belong to no user, and their secrets."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

import click

from api.serialization import compiled
from api.v1.clients.schemas import client as client_schema
from models import ClientScope, OAuthClient, Services
from roster.commands.command_group import CommandGroup, as_json
from roster.commands.context import with_services
from roster.commands.output import show_json, show_table

_COLUMNS = ("id", "name", "scopes", "audience", "disabled", "created_at")
_PAGE = 100

clients = CommandGroup(
    "clients", help="Manage clients: programs that belong to no user. ID is the ID of a client."
)
_client_id = click.argument("client_id", metavar="ID")
_as_client = compiled(client_schema)


@clients.command()
@click.argument("name")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    type=click.Choice([scope.value for scope in ClientScope]),
    help="What the client may do; repeat it for several.",
)
@click.option("--audience", metavar="URI", help="The URI under which tokens are meant for it.")
@as_json
@with_services
def create(
    services: Services, name: str, scopes: tuple[str, ...], audience: str | None, is_json: bool
) -> None:
    """Create a client and print its secret, which is shown only once."""
    created, secret = services.clients.create(
        name, scopes=[ClientScope(scope) for scope in scopes], audience=audience
    )
    if is_json:
        show_json({**_as_client(created), "secret": secret})
    else:
        click.echo(f"client_id\t{created.id}\nclient_secret\t{secret}")


@clients.command("list")
@click.option("--limit", type=click.IntRange(min=1), help="The maximum number of clients.")
@as_json
@with_services
def list_command(services: Services, limit: int | None, is_json: bool) -> None:
    """List clients, newest first. A client appears in the list after about a second."""
    found: list[Any] = list(map(_as_client, islice(_every_client(services), limit)))
    if is_json:
        show_json(found)
    else:
        show_table(_COLUMNS, ([each[name] for name in _COLUMNS] for each in found))


@clients.command()
@_client_id
@as_json
@with_services
def show(services: Services, client_id: str, is_json: bool) -> None:
    """Show a client and its secrets by their IDs."""
    found: Any = _as_client(services.clients.get(client_id.lower()))
    if is_json:
        show_json(found)
        return
    secrets = found.pop("secrets")
    show_table(("field", "value"), found.items())
    click.echo()
    columns = ("id", "created_at", "last_used_at")
    show_table(columns, ([each[name] for name in columns] for each in secrets))


@clients.command()
@_client_id
@click.option("--revoke", "secret_id", metavar="SECRET", help="Revoke the secret with this ID.")
@as_json
@with_services
def rotate(services: Services, client_id: str, secret_id: str | None, is_json: bool) -> None:
    """Replace a secret without a gap: run it, use the new secret, run it with --revoke.

    Without --revoke it adds a secret and prints it. A revoked one is rejected after 30 seconds.
    """
    if secret_id is not None:
        services.clients.revoke_secret(client_id.lower(), secret_id.lower())
        click.echo(f"revoked {secret_id.lower()}")
        return
    added, secret = services.clients.add_secret(client_id.lower())
    if is_json:
        show_json({"id": added.id, "secret": secret})
    else:
        click.echo(f"secret_id\t{added.id}\nclient_secret\t{secret}")


@clients.command()
@_client_id
@with_services
def disable(services: Services, client_id: str) -> None:
    """Disable a client; it is rejected after at most 30 seconds."""
    updated = services.clients.update(client_id.lower(), {"disabled": True})
    click.echo(f"{updated.name} is disabled")


@clients.command()
@_client_id
@with_services
def enable(services: Services, client_id: str) -> None:
    """Enable a disabled client."""
    updated = services.clients.update(client_id.lower(), {"disabled": False})
    click.echo(f"{updated.name} is enabled")


@clients.command()
@_client_id
@with_services
def delete(services: Services, client_id: str) -> None:
    """Delete a client; its secrets are rejected after at most 30 seconds."""
    services.clients.delete(client_id.lower())
    click.echo(f"deleted {client_id.lower()}")


def _every_client(services: Services) -> Iterator[OAuthClient]:
    """Yield all clients, newest first, page by page; eventually consistent."""
    after = None
    while True:
        page, after = services.clients.newest_first(after=after, limit=_PAGE)
        yield from page
        if after is None:
            return
