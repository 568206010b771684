"""Pages of a list: the `{items, next_cursor}` body, its cursor, and the `Link` header."""

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlencode

from flask import request

from flask_pynamodb import make_cursor, read_cursor

LIMIT = {
    "type": "integer",
    "format": "int32",
    "minimum": 1,
    "maximum": 100,
    "default": 25,
    "description": "The maximum number of items.",
}
# For lists that are bounded and read as a whole: the first page has all, unless it is limited.
LIMIT_OF_ALL = {**LIMIT, "default": 100}
CURSOR = {
    "type": "string",
    "maxLength": 2048,
    "description": "The `next_cursor` of the previous page, with the same filters.",
}


def decode_cursor(cursor: str | None, filters: Mapping[str, Any], *, owner: str = "") -> Any:
    """Return the position at which a page starts, None for the first page.

    Args:
        cursor: The cursor of the request.
        filters: The filters of the request.
        owner: The ID of the user whose list it is, since the path may say `me`.

    Raises:
        InvalidCursor: It was modified, or created for another list or other filters.
    """
    return None if cursor is None else read_cursor(cursor, scope=_scope(filters, owner))


def page_response(
    items: list[Any],
    after: str | None,
    filters: Mapping[str, Any],
    limit: int,
    *,
    owner: str = "",
) -> tuple[dict[str, Any], int, dict[str, str]]:
    """Return a page as a view returns it: body, status, headers.

    Args:
        items: The items of the page.
        after: The position of the next page, None on the last page.
        filters: The filters of the request, by the names of the query parameters.
        limit: The requested number of items.
        owner: The ID of the user whose list it is.
    """
    if after is None:
        return {"items": items, "next_cursor": None}, 200, {}
    cursor = make_cursor(after, scope=_scope(filters, owner))
    following = {**filters, "limit": limit, "cursor": cursor}
    link = f'<{request.script_root}{request.path}?{urlencode(following)}>; rel="next"'
    return {"items": items, "next_cursor": cursor}, 200, {"Link": link}


def page_of(rows: Iterable[Any], after: str | None, limit: int) -> tuple[list[Any], str | None]:
    """Return a page of rows that were all read, newest first, and the position after it.

    The position is the time and the ID of a row: it stays valid if the row is deleted.

    Args:
        rows: Rows with `created_at` and `id`.
        after: The position at which the page starts, None for the first page.
        limit: The maximum number of rows.
    """
    placed = sorted(((f"{row.created_at.isoformat()} {row.id}", row) for row in rows), reverse=True)
    following = [each for each in placed if after is None or each[0] < after]
    page = following[:limit]
    return [row for _, row in page], page[-1][0] if len(following) > limit else None


def _scope(filters: Mapping[str, Any], owner: str) -> str:
    return f"{owner} {request.path}?{urlencode(sorted(filters.items()))}"
