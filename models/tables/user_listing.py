"""Pages of users, newest first, merged from the partitions of an index."""

from dataclasses import dataclass
from typing import Any

from pynamodb.expressions.condition import Condition

from models.tables.user import SHARDS, Role, Status, User

# Items that one page may read from one partition when a filter passes few of them.
_MAX_EVALUATED = 500
_FILTERED_PAGE_SIZE = 100


@dataclass(frozen=True)
class UserFilter:
    """Which users a list shows; None passes all."""

    status: Status | None = None
    role: Role | None = None

    def passes(self, user: User) -> bool:
        """Return whether the list shows a user."""
        return self.status in (None, user.status) and (self.role is None or self.role in user.roles)


def newest_first(
    chosen: UserFilter, *, after: str | None, limit: int
) -> tuple[list[User], str | None]:
    """Return a page of users, newest first, eventually consistent.

    Reads one index partition where the filter allows it, else one page of each shard, and at most
    a bounded number of items: where a filter passes few of them, a page may be short or even empty
    although more follow.

    Args:
        chosen: The filter.
        after: The ID at which the previous page ended, or None for the first page.
        limit: The maximum number of users.

    Returns:
        The users, and the ID to continue after, None at the end of the list.
    """
    items: list[dict[str, Any]] = []
    oldest_complete = ""
    for index, partition in _partitions(chosen):
        page, last_read = _read(index, partition, chosen, after, limit)
        items += page
        # A partition that was not read to its end is complete only down to the last ID read.
        oldest_complete = max(oldest_complete, last_read or "")
    # The partitions together hold several times a page; only the page itself is deserialized.
    items.sort(key=_id_of, reverse=True)
    users = [User.from_raw_data(item) for item in items[:limit] if _id_of(item) >= oldest_complete]
    if len(users) == limit:
        return users, str(users[-1].id) if oldest_complete or len(items) > limit else None
    return users, oldest_complete or None


def _partitions(chosen: UserFilter) -> list[tuple[Any, Any]]:
    """Return the fewest index partitions that hold every user the filter passes."""
    if chosen.role == Role.ADMIN:
        return [(User.by_admin, Role.ADMIN)]
    if chosen.status not in (None, Status.ACTIVE):
        return [(User.by_inactive, chosen.status)]
    return [(User.by_creation, shard) for shard in range(SHARDS)]


def _read(
    index: Any, partition: Any, chosen: UserFilter, after: str | None, limit: int
) -> tuple[list[dict[str, Any]], str | None]:
    condition = _condition(chosen)
    # Filtered items are read as well: fewer, larger pages cost fewer round trips.
    page_size = limit + 1 if condition is None else max(limit + 1, _FILTERED_PAGE_SIZE)
    pages = index.query(
        partition,
        User.id < after if after else None,
        condition,
        scan_index_forward=False,
        page_size=page_size,
    ).page_iter
    items: list[dict[str, Any]] = []
    evaluated = 0
    for page in pages:
        items += page["Items"]
        evaluated += page["ScannedCount"]
        if len(items) > limit or evaluated >= _MAX_EVALUATED:
            break
    last = pages.last_evaluated_key
    return items, _id_of(last) if last else None


def _id_of(item: dict[str, Any]) -> str:
    return str(item["id"]["S"])


def _condition(chosen: UserFilter) -> Condition | None:
    condition: Condition | None = None
    if chosen.status:
        condition &= User.status == chosen.status
    if chosen.role:
        condition &= User.roles.contains(chosen.role)
    return condition
