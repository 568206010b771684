"""`roster events`: audit events of users and of actors, also of deleted users."""

from collections.abc import Iterator
from ipaddress import ip_address
from itertools import islice

import click

from api.rate_limits import bucket
from models import (
    AuditEvent,
    EventFilter,
    EventType,
    Services,
    client_key,
    field_rules,
    is_user_id,
    list_events,
)
from roster.commands.command_group import CommandGroup, as_json
from roster.commands.context import with_services
from roster.commands.output import show_json, show_table
from roster.commands.users.group import get_user
from roster.commands.users.serialization import events_for_operators

_COLUMNS = (
    "at",
    "type",
    "user_id",
    "actor_id",
    "api_key_id",
    "ip",
    "members",
    "reason",
    "amr",
    "second_factor",
    "count",
)
_PAGE = 100

events = CommandGroup("events", help="Read audit events.")


@events.command("list")
@click.option("--user", metavar="LOGIN", help="What happened to this user; by ID if it is deleted.")
@click.option("--actor", metavar="LOGIN", help="What this user did, or the API key with this ID.")
@click.option("--client", metavar="ADDRESS", help="Spent quotas of clients that did not sign in.")
@click.option("--type", type=click.Choice([type.value for type in EventType]))
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=100,
    show_default=True,
    help="The maximum number of events.",
)
@as_json
@with_services
def list_command(
    services: Services,
    user: str | None,
    actor: str | None,
    client: str | None,
    type: str | None,
    limit: int,
    is_json: bool,
) -> None:
    """List audit events of a user, of an actor, or of an actor on a user, newest first."""
    if user is None and actor is None and client is None:
        raise click.UsageError("Name --user or --actor, or both, or --client.")
    if client is not None and (user, actor) != (None, None):
        raise click.UsageError("--client does not go with --user or --actor.")
    chosen = EventFilter(
        _subject(services, user, client),
        None if actor is None else _id_of(services, actor),
        EventType(type) if type else None,
    )
    found = events_for_operators(islice(_every_event(chosen), limit))
    if is_json:
        show_json(found)
    else:
        show_table(_COLUMNS, ([each[name] for name in _COLUMNS] for each in found))


def _every_event(chosen: EventFilter) -> Iterator[AuditEvent]:
    """Yield all events that a filter passes, newest first, page by page."""
    after = None
    while True:
        page, after = list_events(chosen, after=after, limit=_PAGE)
        yield from page
        if after is None:
            return


def _subject(services: Services, user: str | None, client: str | None) -> str | None:
    if client is not None:
        try:
            return client_key(bucket(str(ip_address(client)), None))
        except ValueError:
            raise click.BadParameter("It must be an IP address.", param_hint="--client") from None
    return None if user is None else _id_of(services, user)


def _id_of(services: Services, login: str) -> str:
    """Return the ID that a login means; an ID needs no user, who may be deleted."""
    if is_user_id(login) or field_rules.API_KEY_ID.matches(login):
        return login
    return str(get_user(services, login).id)
