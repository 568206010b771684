"""Pages of users found by a text, in the order of the terms that begin with it."""

from collections.abc import Iterator
from math import ceil
from typing import Any

from models.db import db
from models.folding import LAST
from models.tables.search_term import (
    SearchTerm,
    first_row_key,
    key_of,
    partition_of,
    user_id_in,
)
from models.tables.user import User
from models.tables.user_listing import UserFilter

# Users that one round reads: the limit of BatchGetItem.
_MAX_USERS = 100
# Rows that a further query reads, where the first one had few that show a user.
_MORE_ROWS = 500


class _Rows:
    """Rows of the index by which a text finds users, in their order.

    Args:
        text: The folded text.
        after: The sort key of the row before the first one, None for the beginning.
    """

    def __init__(self, text: str, after: str | None) -> None:
        self._partition, self._key = partition_of(text), key_of(text)
        self._last_read = after
        self._is_complete = False
        self._waiting: list[str] = []

    @property
    def are_left(self) -> bool:
        """Whether there may be further rows."""
        return bool(self._waiting) or not self._is_complete

    def take(self, number: int, page_size: int) -> list[str]:
        """Return the sort keys of the next rows; reads up to `page_size` rows if necessary."""
        if len(self._waiting) < number and not self._is_complete:
            self._read(page_size)
        taken = self._waiting[:number]
        del self._waiting[:number]
        return taken

    def position_after(self, taken: list[str]) -> str | None:
        """Return the sort key of the last row that is done, if these were the last ones taken."""
        return taken[-1] if self._waiting else self._last_read

    def _read(self, page_size: int) -> None:
        after: dict[str, dict[str, Any]] = {
            "prefix": {"S": self._partition},
            "term": {"S": self._last_read},
        }
        pages = SearchTerm.query(
            self._partition,
            # The same rows as `begins_with`, for which the local engine reads the whole partition.
            SearchTerm.term.between(self._key, f"{self._key}{LAST}"),
            SearchTerm.shared < len(self._key),
            page_size=page_size,
            last_evaluated_key=after if self._last_read else None,
        ).page_iter
        self._waiting += [item["term"]["S"] for item in next(pages)["Items"]]
        end = pages.last_evaluated_key
        self._is_complete = end is None
        self._last_read = str(end["term"]["S"]) if end else None


def find_page(
    text: str, chosen: UserFilter, *, after: str | None, limit: int
) -> tuple[list[User], str | None]:
    """Return a page of users with a term that begins with a text, eventually consistent.

    A user has several rows, and is shown by the first of those that match: each row tells from
    which length of a text on it is the first. The user's own item decides in the end, so that a row
    that is out of date shows none. A page sends at most three queries for rows, and reads a bounded
    number of users: where a filter passes few of them, it may be short or even empty although more
    follow.

    Args:
        text: The folded text.
        chosen: The filter.
        after: The sort key at which the previous page ended, or None for the first page.
        limit: The maximum number of users.

    Returns:
        The users, and the sort key to continue after, None at the end.
    """
    rows, evaluated = _Rows(text, after), 0
    shown: list[tuple[str, User]] = []
    for page_size in (limit * 2, _MORE_ROWS, _MORE_ROWS):
        # As many as are missing if the filter passes the same share of the others.
        share = (evaluated + 1) / (len(shown) + 1)
        taken = rows.take(min(ceil((limit - len(shown)) * share), _MAX_USERS), page_size)
        shown += _shown(taken, text, chosen)
        evaluated += len(taken)
        if len(shown) > limit:
            return [user for _, user in shown[:limit]], shown[limit - 1][0]
        if len(shown) == limit or not rows.are_left:
            break
    return [user for _, user in shown], rows.position_after(taken) if rows.are_left else None


def _shown(rows: list[str], text: str, chosen: UserFilter) -> Iterator[tuple[str, User]]:
    """Yield the rows that show their user, with the user."""
    keys = [(User, user_id_in(row)) for row in rows]
    for row, user in zip(rows, db.get_many(*keys, consistent_read=False), strict=True):
        if user and chosen.passes(user) and first_row_key(user, text) == row:
            yield row, user
