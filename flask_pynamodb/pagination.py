"""Pages of a list with signed, opaque cursors that are valid for that list only."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from flask import current_app
from itsdangerous import BadData, URLSafeSerializer

from flask_pynamodb.errors import InvalidCursor

T = TypeVar("T")

# A longer cursor is invalid: DynamoDB's keys have at most 2048 and 1024 bytes.
_MAX_CURSOR_LENGTH = 8192


@dataclass(frozen=True)
class Page(Generic[T]):
    """Some items of a list, and the cursor of the next page; iterable and sized like the items.

    Attributes:
        items: The items.
        next_cursor: The cursor of the next page; None on the last one.
    """

    items: list[T]
    next_cursor: str | None = None

    def __iter__(self) -> Iterator[T]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)


def make_cursor(position: Any, *, scope: str) -> str:
    """Sign a position in a list.

    Args:
        position: Any JSON value. The client can read it, but not change it.
        scope: The list: its name, key and filters. The cursor is invalid for any other.
    """
    return str(_serializer(scope).dumps(position))


def read_cursor(cursor: str, *, scope: str) -> Any:
    """Return the position that `make_cursor` signed for the same scope.

    Raises:
        InvalidCursor: The signature is invalid, or the cursor is for another list.
    """
    if len(cursor) > _MAX_CURSOR_LENGTH:
        raise InvalidCursor("The cursor is too long.")
    try:
        return _serializer(scope).loads(cursor)
    except (BadData, UnicodeError):
        raise InvalidCursor("The cursor was not made for this list.") from None


def paginate(
    query: Callable[[Any], Any],
    *,
    scope: str,
    cursor: str | None,
    limit: int,
    key_names: Iterable[str],
    from_raw: Callable[[dict[str, Any]], T],
) -> Page[T]:
    """Return one page of a query.

    Args:
        query: Starts the query after a `LastEvaluatedKey`, or at the beginning for None, with
            pages of one item more than `limit`. DynamoDB names a last key whenever it stops
            because of the limit, also after the last item of the list.
        scope: The list, see `make_cursor`.
        cursor: The cursor of the page, or None for the first one.
        limit: The maximum number of items.
        key_names: The attributes of the keys of the table and the index.
        from_raw: Converts an item from DynamoDB's format.

    Raises:
        ValueError: The limit is not a positive integer.
    """
    if not isinstance(limit, int) or isinstance(limit, bool) or limit < 1:
        raise ValueError(f"The limit of a page must be a positive integer, not {limit!r}.")
    start = read_cursor(cursor, scope=scope) if cursor else None
    page = next(query(start).page_iter)
    items, last = page["Items"], page.get("LastEvaluatedKey")
    if len(items) > limit:
        items = items[:limit]
        last = {name: items[-1][name] for name in key_names}
    return Page(
        [from_raw(item) for item in items],
        make_cursor(last, scope=scope) if last else None,
    )


def _serializer(scope: str) -> URLSafeSerializer:
    if not current_app.secret_key:
        raise RuntimeError("Cursors are signed: set SECRET_KEY in the app's configuration.")
    # Like Flask's sessions: the last key signs, all of them verify.
    fallbacks = current_app.config.get("SECRET_KEY_FALLBACKS") or ()
    return URLSafeSerializer(
        [*fallbacks, current_app.secret_key],
        salt=f"flask-pynamodb-cursor|{scope}",
        signer_kwargs={"key_derivation": "hmac", "digest_method": hashlib.sha256},
    )
