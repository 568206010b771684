"""The capacity that a run consumes, and its delays."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from flask_pynamodb.signals import call_finished

# How often a delay is interrupted to renew the lease, and to see whether the run is to stop.
_SLICE_SECONDS = 1.0

_current: ContextVar["Meter | None"] = ContextVar("flask_pynamodb.migrations.meter", default=None)


class Meter:
    """Adds up the capacity units of the calls of one run, on any of its threads."""

    def __init__(self) -> None:
        self.units = 0.0
        self._lock = threading.Lock()

    @contextmanager
    def measure(self) -> Iterator[None]:
        """Count the calls inside the `with` block."""

        def count(connection: Any, *, consumed_capacity: float | None, **details: Any) -> None:
            # Other threads of the process call too.
            if _current.get() is self:
                # A failed condition costs a unit too, and its response does not say so.
                with self._lock:
                    self.units += 1 if consumed_capacity is None else consumed_capacity

        token = _current.set(self)
        try:
            with call_finished.connected_to(count):
                yield
        finally:
            _current.reset(token)


def pause(seconds: float, on_slice: Callable[[], bool]) -> None:
    """Wait.

    Args:
        seconds: The delay.
        on_slice: Called before each second of it; the delay ends when it returns True.
    """
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0 and not on_slice():
        time.sleep(min(left, _SLICE_SECONDS))


class Allowance:
    """How many items a run may still migrate.

    Args:
        limit: The number of items; None for no limit.
    """

    def __init__(self, limit: int | None) -> None:
        self._left = limit
        self._lock = threading.Lock()

    @property
    def is_used_up(self) -> bool:
        return self._left == 0

    def take(self) -> bool:
        """Take one item from the allowance; return False if none is left."""
        if self._left is None:
            return True
        with self._lock:
            is_left = self._left > 0
            self._left -= is_left
            return is_left
