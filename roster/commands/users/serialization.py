"""Users and audit events as the commands display them: the fields of the API."""

from collections.abc import Iterable

from api.schemas import user
from api.serialization import compiled
from api.v1.events.routes import event_body
from api.v1.events.schemas import event
from models import AuditEvent

as_user = compiled(user)
_as_event = compiled(event)


def events_for_operators(rows: Iterable[AuditEvent]) -> list[dict[str, object]]:
    """Return audit events as the API returns them to admins."""
    return [_as_event(event_body(row, hides_ip=False)) for row in rows]
