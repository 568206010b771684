"""Pages of a list: the `{items, next_cursor}` envelope, its cursor, and the `Link` header."""

from collections.abc import Mapping
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
    "description": "How many items at the most.",
}
CURSOR = {
    "type": "string",
    "maxLength": 2048,
    "description": "The `next_cursor` of the page before, with the same filters.",
}


def position(cursor: str | None, filters: Mapping[str, Any]) -> Any:
    """Where a page starts, None for the first one.

    Raises:
        InvalidCursor: It was changed, or made for another list or other filters.
    """
    return None if cursor is None else read_cursor(cursor, scope=_scope(filters))


def envelope(
    items: list[Any], after: str | None, filters: Mapping[str, Any], limit: int
) -> tuple[dict[str, Any], int, dict[str, str]]:
    """A page as a view returns it.

    Args:
        items: What is on it.
        after: Where the next page starts, None at the end.
        filters: What was asked for, by the names of the query parameters.
        limit: How many items were asked for.
    """
    if after is None:
        return {"items": items, "next_cursor": None}, 200, {}
    cursor = make_cursor(after, scope=_scope(filters))
    following = {**filters, "limit": limit, "cursor": cursor}
    link = f'<{request.path}?{urlencode(following)}>; rel="next"'
    return {"items": items, "next_cursor": cursor}, 200, {"Link": link}


def _scope(filters: Mapping[str, Any]) -> str:
    return f"{request.path}?{urlencode(sorted(filters.items()))}"
