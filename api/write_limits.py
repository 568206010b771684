"""A limit for changes by a user or a client: a bound for mistakes and for stolen credentials.

It is counted in the memory of each worker, since a count in the database would cost a write for
each change. So a service with several workers grants more, but bounded.
"""

import threading
import time

from flask import Flask, current_app

from models import RateLimit
from models.errors import TooManyRequests

# Twice as many in a burst across two windows. Admins and their API keys are exempt.
WRITES = RateLimit("writes", quota=120)


class WriteLimiter:
    """Counts the changes of each caller in the current window.

    Args:
        limit: How many changes a caller may make.
    """

    def __init__(self, limit: RateLimit = WRITES) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._window = 0
        self._counts: dict[str, int] = {}

    def take(self, caller_id: str) -> None:
        """Count a change before it is carried out.

        Raises:
            TooManyRequests: The quota of the caller is exhausted.
        """
        time_now = time.time()
        window = int(time_now // self._limit.window)
        with self._lock:
            if window != self._window:
                self._window, self._counts = window, {}
            count = self._counts[caller_id] = self._counts.get(caller_id, 0) + 1
        if count > self._limit.quota:
            wait = max(1, round((window + 1) * self._limit.window - time_now))
            raise TooManyRequests(wait, quota=self._limit.name, counted_as=caller_id)


def init_app(app: Flask, *, enabled: bool, limit: RateLimit = WRITES) -> None:
    """Enable or disable the limit."""
    app.extensions["roster-writes"] = WriteLimiter(limit) if enabled else None


def take_write(caller_id: str) -> None:
    """Count a change by a signed-in user or a client.

    Raises:
        TooManyRequests: The quota of the caller is exhausted.
    """
    limiter: WriteLimiter | None = current_app.extensions["roster-writes"]
    if limiter is not None:
        limiter.take(caller_id)
