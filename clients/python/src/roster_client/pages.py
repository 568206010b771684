"""Lists that come in pages."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any, Protocol, TypeVar

from .models import Problem
from .results import expect

T = TypeVar("T")


class Page(Protocol[T]):
    """A page of a list.

    Attributes:
        items: The rows of the page.
        next_cursor: What asks for the next page; None on the last one.
    """

    items: list[T]
    next_cursor: str | None


def each(
    operation: Callable[..., Page[T] | Problem | None], *ids: str, **options: Any
) -> Iterator[T]:
    """Read a list to its end, a page at a time.

    Args:
        operation: The `sync` function of an operation with `limit` and `cursor`.
        ids: The IDs in its path.
        options: Its other arguments: `client`, filters, and `limit`, the rows of a page.

    Raises:
        ProblemError: The service rejected a request.
    """
    while True:
        page = expect(operation(*ids, **options))
        yield from page.items
        if page.next_cursor is None:
            return
        options["cursor"] = page.next_cursor


async def each_async(
    operation: Callable[..., Awaitable[Page[T] | Problem | None]], *ids: str, **options: Any
) -> AsyncIterator[T]:
    """Read a list to its end, a page at a time, as `each` does.

    Args:
        operation: The `asyncio` function of an operation with `limit` and `cursor`.
        ids: The IDs in its path.
        options: Its other arguments: `client`, filters, and `limit`, the rows of a page.

    Raises:
        ProblemError: The service rejected a request.
    """
    while True:
        page = expect(await operation(*ids, **options))
        for item in page.items:
            yield item
        if page.next_cursor is None:
            return
        options["cursor"] = page.next_cursor
