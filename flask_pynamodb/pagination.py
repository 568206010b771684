"""Pages of a list with signed, opaque cursors that are valid for that list only."""

import hashlib
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, Self, TypeVar

from flask import current_app
from itsdangerous import BadData, URLSafeSerializer

from flask_pynamodb.errors import InvalidCursor

T = TypeVar("T")

# A longer cursor is invalid: DynamoDB's keys have at most 2048 and 1024 bytes.
_MAX_CURSOR_LENGTH = 8192


@dataclass(frozen=True)
class Page(Generic[T]):
    """Some items of a list, and the cursors beside them; iterable and sized like the items.

    Attributes:
        items: The items.
        next_cursor: The cursor of the next page; None on the last one.
        previous_cursor: The cursor of the previous page; None on the first one.
    """

    items: list[T]
    next_cursor: str | None = None
    previous_cursor: str | None = None

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
    query: Callable[[Any, bool, int], Any],
    *,
    scope: str,
    cursor: str | None,
    limit: int,
    max_per_page: int,
    key_names: Iterable[str],
    from_raw: Callable[[dict[str, Any]], T],
) -> Page[T]:
    """Return one page of a query.

    Args:
        query: Starts the query after a `LastEvaluatedKey`, or at the beginning for None, against
            the order of the list if the second argument is true, with pages of as many items as
            the third. DynamoDB names a last key whenever it stops because of the limit, also
            after the last item of the list; so one item more than needed is read.
        scope: The list, see `make_cursor`.
        cursor: The cursor of the page, or None for the first one.
        limit: The maximum number of items.
        max_per_page: The upper bound of the limit.
        key_names: The attributes of the keys of the table and the index.
        from_raw: Converts an item from DynamoDB's format.

    Raises:
        ValueError: The limit or its bound is not a positive integer.
    """
    for number in (limit, max_per_page):
        if not isinstance(number, int) or isinstance(number, bool) or number < 1:
            raise ValueError(f"The limit of a page must be a positive integer, not {number!r}.")
    limit = min(limit, max_per_page)
    position = _Position.read(cursor, scope) if cursor else _Position(None)
    page = next(query(position.key, position.is_backward, limit + 1).page_iter)
    items, last = page["Items"], page.get("LastEvaluatedKey")
    if len(items) > limit:
        items = items[:limit]
        last = {name: items[-1][name] for name in key_names}
    # Where a page without items is left, items between its start and its last key do not match.
    first = {name: items[0][name] for name in key_names} if items else last
    ahead = _Position(last, position.is_backward).sign(scope) if last else None
    behind = _Position(first, not position.is_backward).sign(scope)
    if position.is_backward:
        return Page([from_raw(item) for item in reversed(items)], behind, ahead)
    return Page([from_raw(item) for item in items], ahead, behind if position.key else None)


@dataclass(frozen=True)
class _Position:
    """Where a page begins.

    Attributes:
        key: The key after which it begins, in DynamoDB's format; None is the end of the list from
            which it is read.
        is_backward: Whether it is read against the order of the list.
    """

    key: dict[str, dict[str, Any]] | None
    is_backward: bool = False

    @classmethod
    def read(cls, cursor: str, scope: str) -> Self:
        position = read_cursor(cursor, scope=scope)
        is_backward = isinstance(position, list)
        key = position[0] if is_backward else position
        return cls(key and _with_binary(key, b64decode), is_backward)

    def sign(self, scope: str) -> str:
        key = self.key and _with_binary(self.key, lambda value: b64encode(value).decode())
        return make_cursor([key] if self.is_backward else key, scope=scope)


def _with_binary(
    key: dict[str, dict[str, Any]], convert: Callable[[Any], Any]
) -> dict[str, dict[str, Any]]:
    return {
        name: {"B": convert(value["B"])} if "B" in value else value for name, value in key.items()
    }


def _serializer(scope: str) -> URLSafeSerializer:
    if not current_app.secret_key:
        raise RuntimeError("Cursors are signed: set SECRET_KEY in the app's configuration.")
    # Like Flask's sessions: the last key signs, all of them verify.
    keys: list[Any] = [*(current_app.config.get("SECRET_KEY_FALLBACKS") or ())]
    keys.append(current_app.secret_key)
    return URLSafeSerializer(
        keys,
        salt=f"flask-pynamodb-cursor|{scope}",
        signer_kwargs={"key_derivation": "hmac", "digest_method": hashlib.sha256},
    )
