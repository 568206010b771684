"""Pages of a list: the `{items, next_cursor}` body, its cursor, and the `Link` header."""

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
    "description": "The maximum number of items.",
}
CURSOR = {
    "type": "string",
    "maxLength": 2048,
    "description": "The `next_cursor` of the previous page, with the same filters.",
}


def decode_cursor(cursor: str | None, filters: Mapping[str, Any]) -> Any:
    """Return the position at which a page starts, None for the first page.

    Raises:
        InvalidCursor: It was modified, or created for another list or other filters.
    """
    return None if cursor is None else read_cursor(cursor, scope=_scope(filters))


def page_response(
    items: list[Any], after: str | None, filters: Mapping[str, Any], limit: int
) -> tuple[dict[str, Any], int, dict[str, str]]:
    """Return a page as a view returns it: body, status, headers.

    Args:
        items: The items of the page.
        after: The position of the next page, None on the last page.
        filters: The filters of the request, by the names of the query parameters.
        limit: The requested number of items.
    """
    if after is None:
        return {"items": items, "next_cursor": None}, 200, {}
    cursor = make_cursor(after, scope=_scope(filters))
    following = {**filters, "limit": limit, "cursor": cursor}
    link = f'<{request.script_root}{request.path}?{urlencode(following)}>; rel="next"'
    return {"items": items, "next_cursor": cursor}, 200, {"Link": link}


def _scope(filters: Mapping[str, Any]) -> str:
    return f"{request.path}?{urlencode(sorted(filters.items()))}"
