"""Pages of audit events, newest first: of a user, of an actor, or of an actor on a user."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial, reduce
from operator import and_
from typing import Any

from pynamodb.expressions.condition import Condition

from models.db import db
from models.tables.audit_event import AuditEvent, EventType
from models.tables.user import is_user_id

# The smallest page to read when a filter may pass few events.
_FILTERED_PAGE_SIZE = 100
# The events of these types have the API key that they are about; no key can make them.
_ABOUT_KEYS = (EventType.API_KEY_CREATED, EventType.API_KEY_REVOKED)


@dataclass(frozen=True)
class EventFilter:
    """Which events a list shows; at least a user or an actor.

    Attributes:
        user_id: Only what happened to this user, who may be deleted.
        actor: Only what this user did, or what this API key did.
        type: Only events of this type.
    """

    user_id: str | None = None
    actor: str | None = None
    type: EventType | None = None


@dataclass(frozen=True)
class _Page:
    """Some events, newest first, and the ID down to which they are complete."""

    items: list[dict[str, Any]]
    last_read: str


def list_events(
    chosen: EventFilter, *, after: str | None = None, limit: int = 25
) -> tuple[list[AuditEvent], str | None]:
    """Return a page of events, newest first, in the time of one round trip.

    A page can be shorter than the limit, even empty, while more follow: filtered events are read
    as well. The events of a user are strongly consistent. Those of an actor are read from an index
    too, in which events appear after about a second.

    Args:
        chosen: Which events.
        after: The ID of the event after which the page starts, None for the first page.
        limit: The maximum number of events.

    Returns:
        The events, and the ID to continue after, None at the end of the list.
    """
    pages = db.gather(*(partial(read, after, limit) for read in _sources(chosen)))
    items = [item for page in pages for item in page.items]
    items.sort(key=_id_of, reverse=True)
    # Below the last ID that a source has read, its events are not known yet.
    complete_to = max(page.last_read for page in pages)
    events = [
        AuditEvent.from_raw_data(item) for item in items[: limit + 1] if _id_of(item) >= complete_to
    ]
    if len(events) > limit:
        return events[:limit], str(events[limit - 1].id)
    return events, complete_to or None


def _sources(chosen: EventFilter) -> list[Callable[[str | None, int], _Page]]:
    """Return what to read: the events of a user, an index of actors, or both."""
    of_type = [AuditEvent.type == chosen.type] if chosen.type else []
    if chosen.user_id:
        by_actor = _is_by(chosen.actor) if chosen.actor else []
        return [_of_user(chosen.user_id, [*of_type, *by_actor])]
    actor = chosen.actor or ""
    if not is_user_id(actor):
        return [partial(_read, AuditEvent.by_api_key.query, actor, [*of_type, *_is_by_a_key()])]
    return [
        _of_user(actor, [*of_type, *_is_by(actor)]),
        partial(_read, AuditEvent.by_actor.query, actor, of_type),
    ]


def _of_user(user_id: str, conditions: Sequence[Condition]) -> Callable[[str | None, int], _Page]:
    return partial(_read, partial(AuditEvent.query, consistent_read=True), user_id, conditions)


def _read(
    query: Any, key: str, conditions: Sequence[Condition], after: str | None, limit: int
) -> _Page:
    # One event more than the page shows whether another page follows, without another call.
    page = next(
        query(
            key,
            AuditEvent.id < after if after else None,
            reduce(and_, conditions) if conditions else None,
            scan_index_forward=False,
            page_size=max(limit + 1, _FILTERED_PAGE_SIZE) if conditions else limit + 1,
        ).page_iter
    )
    last = page.get("LastEvaluatedKey")
    return _Page(page["Items"], _id_of(last) if last else "")


def _is_by(actor: str) -> list[Condition]:
    if is_user_id(actor):
        return [AuditEvent.actor_id == actor]
    return [AuditEvent.key_id == actor, *_is_by_a_key()]


def _is_by_a_key() -> list[Condition]:
    return [AuditEvent.type != type for type in _ABOUT_KEYS]


def _id_of(item: dict[str, Any]) -> str:
    return str(item["id"]["S"])
