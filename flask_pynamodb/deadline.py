"""A deadline for all calls of a block, beside that of the settings."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

# By the monotonic clock; None outside of all blocks.
_ends_at: ContextVar[float | None] = ContextVar("flask_pynamodb_deadline", default=None)


@contextmanager
def limited_to(seconds: float) -> Iterator[None]:
    """See `PynamoDB.deadline`."""
    token = _ends_at.set(earliest(time.monotonic() + seconds))
    try:
        yield
    finally:
        _ends_at.reset(token)


def earliest(own: float | None) -> float | None:
    """Return the earlier of a deadline and that of the current block; None without both.

    Args:
        own: A deadline by the monotonic clock.
    """
    current = _ends_at.get()
    if own is None or current is None:
        return current if own is None else own
    return min(own, current)
