"""`roster users sessions`."""

import click

from models import ANONYMOUS, Services, Session
from roster.commands.context import with_services
from roster.commands.output import show_json, show_table
from roster.commands.users.group import as_json, get_user, login, users

_COLUMNS = ("id", "created_at", "last_used_at", "expires_at", "amr", "ip", "user_agent")


@users.command()
@login
@click.option("--end", "ended", metavar="ID", multiple=True, help="End this session; repeatable.")
@click.option("--end-all", "ends_all", is_flag=True, help="End every session of the user.")
@as_json
@with_services
def sessions(
    services: Services, login: str, ended: tuple[str, ...], ends_all: bool, is_json: bool
) -> None:
    """List the active sessions of a user, newest first, or end them."""
    user = get_user(services, login)
    for session_id in ended:
        services.sessions.end(user, session_id, by=ANONYMOUS)
    if ends_all:
        services.sessions.end_all(user, by=ANONYMOUS)
        user = services.accounts.get(user.id)
    rows = [_fields(row) for row in services.sessions.list_for(user)]
    if is_json:
        show_json(rows)
    else:
        show_table(_COLUMNS, ([row[name] for name in _COLUMNS] for row in rows))


def _fields(row: Session) -> dict[str, object]:
    return {
        "id": row.id,
        "created_at": row.created_at,
        "last_used_at": row.last_used_at,
        "expires_at": row.expires_at,
        "amr": row.methods,
        "ip": row.ip,
        "user_agent": row.user_agent,
    }
