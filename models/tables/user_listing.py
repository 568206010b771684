"""Pages of users, newest first, merged from the partitions of an index."""

from dataclasses import dataclass
from functools import partial
from math import ceil, sqrt
from typing import Any

from pynamodb.expressions.condition import Condition

from models.db import db
from models.roles import PRIVILEGED_ROLES, Role
from models.tables.user import SHARDS, Status, User

# Items that one page may read from one partition when a filter passes few of them.
_MAX_EVALUATED = 500
# Standard deviations above the average that the page of one partition covers: the first time, and
# when it is read again. A list without a filter rarely needs a second round of queries; one whose
# filter passes half of the users nearly always does, and more rows cost more than a third one.
_SPREAD = 2.0
_REREAD_SPREAD = 0.5


@dataclass(frozen=True)
class UserFilter:
    """Which users a list shows; None passes all."""

    status: Status | None = None
    role: str | None = None

    def passes(self, user: User) -> bool:
        """Return whether the list shows a user."""
        return self.status in (None, user.status) and (self.role is None or self.role in user.roles)


@dataclass
class _Partition:
    """One index partition, read from the newest user on.

    Attributes:
        index: The index.
        key: The key of the partition.
        items: The items read so far, newest first.
        last_read: The ID of the last item that was evaluated; None at the end of the partition.
        evaluated: The number of items that were evaluated, with those that the filter rejected.
    """

    index: Any
    key: Any
    items: list[dict[str, Any]]
    last_read: str | None
    evaluated: int = 0

    @property
    def has_more(self) -> bool:
        """Whether the partition can be read further, within the bound."""
        return self.last_read is not None and self.evaluated < _MAX_EVALUATED


def newest_first(
    chosen: UserFilter, *, after: str | None, limit: int
) -> tuple[list[User], str | None]:
    """Return a page of users, newest first, eventually consistent.

    Reads one index partition where the filter allows it, else all shards at the same time, and at
    most a bounded number of items: where a filter passes few of them, a page may be short or even
    empty although more follow.

    Args:
        chosen: The filter.
        after: The ID at which the previous page ended, or None for the first page.
        limit: The maximum number of users.

    Returns:
        The users, and the ID to continue after, None at the end of the list.
    """
    partitions = [_Partition(index, key, [], after) for index, key in _partitions(chosen)]
    page_size = _page_size(limit + 1, len(partitions))
    to_read = partitions
    while to_read:
        db.gather(*(partial(_read, each, chosen, page_size) for each in to_read))
        items, oldest_complete = _merge(partitions)
        # Complete down to the item after the page, or to the ends of all partitions.
        bound = _id_of(items[limit]) if len(items) > limit else ""
        to_read = [each for each in partitions if each.has_more and (each.last_read or "") > bound]
        page_size = _next_page_size(limit + 1, partitions, items, oldest_complete)
    # The partitions together hold several times a page; only the page itself is deserialized.
    users = [User.from_raw_data(item) for item in items[:limit] if _id_of(item) >= oldest_complete]
    if len(users) == limit:
        return users, str(users[-1].id) if oldest_complete or len(items) > limit else None
    return users, oldest_complete or None


def _merge(partitions: list[_Partition]) -> tuple[list[dict[str, Any]], str]:
    """Return all items, newest first, and the ID down to which they are complete."""
    items = [item for each in partitions for item in each.items]
    items.sort(key=_id_of, reverse=True)
    # A partition that was not read to its end is complete only down to the last ID read.
    return items, max(each.last_read or "" for each in partitions)


def _partitions(chosen: UserFilter) -> list[tuple[Any, Any]]:
    """Return the fewest index partitions that hold every user the filter passes."""
    if chosen.role in PRIVILEGED_ROLES:
        # Each user is in the partition of its strongest role.
        last = PRIVILEGED_ROLES.index(Role(chosen.role))
        return [(User.by_role, role) for role in PRIVILEGED_ROLES[: last + 1]]
    if chosen.status not in (None, Status.ACTIVE):
        return [(User.by_inactive, chosen.status)]
    return [(User.by_creation, shard) for shard in range(SHARDS)]


def _page_size(needed: int, partitions: int, spread: float | None = None) -> int:
    """Return how many items of each partition to read, so that together they hold those needed.

    The items of a list are distributed over the partitions at random: a few more than the average
    are enough for nearly all pages, and a partition with too few is read again.
    """
    if partitions == 1:
        return needed
    share = needed / partitions
    spread = _SPREAD if spread is None else spread
    return min(needed, ceil(share + spread * sqrt(share)))


def _next_page_size(
    needed: int, partitions: list[_Partition], items: list[dict[str, Any]], oldest_complete: str
) -> int:
    """Return how many more items of each partition to read, by what the filter passed so far."""
    evaluated = sum(each.evaluated for each in partitions)
    complete = sum(_id_of(item) >= oldest_complete for item in items)
    missing = _page_size(max(needed - complete, 1), len(partitions), _REREAD_SPREAD)
    # One more than was found, so that the estimate is never zero.
    return ceil(missing * (evaluated + 1) / (len(items) + 1))


def _read(partition: _Partition, chosen: UserFilter, page_size: int) -> None:
    """Read the next page of a partition."""
    pages = partition.index.query(
        partition.key,
        User.id < partition.last_read if partition.last_read else None,
        _condition(chosen),
        scan_index_forward=False,
        page_size=min(page_size, _MAX_EVALUATED - partition.evaluated),
    ).page_iter
    page = next(pages)
    partition.items += page["Items"]
    partition.evaluated += page["ScannedCount"]
    last = pages.last_evaluated_key
    partition.last_read = _id_of(last) if last else None


def _id_of(item: dict[str, Any]) -> str:
    return str(item["id"]["S"])


def _condition(chosen: UserFilter) -> Condition | None:
    condition: Condition | None = None
    if chosen.status:
        condition &= User.status == chosen.status
    if chosen.role:
        condition &= User.roles.contains(chosen.role)
    return condition
