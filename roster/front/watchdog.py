"""End a worker that makes no progress, so that the server replaces it."""

import logging
import math
import os
import threading
import time
from asyncio import AbstractEventLoop
from collections.abc import Callable, Sequence

from roster.front.lanes import Lane

log = logging.getLogger("roster.front")

# Longer than any request may last: several database calls with their deadlines.
STALL_SECONDS = 60.0
_CHECK_SECONDS = 1.0
# A longer time between two checks means that the whole process was stopped, for example by
# `docker pause`: nothing could progress.
_MAX_GAP_SECONDS = 10.0
# The exit status of a worker that is ended.
EXIT_STATUS = 70


class Watchdog:
    """Watches the lanes and the event loop from a thread of its own.

    Args:
        lanes: The lanes.
        stall_seconds: Seconds without progress after which the worker ends.
        end: Ends the process; replaced by tests.
        clock: Returns seconds; replaced by tests.
    """

    def __init__(
        self,
        lanes: Sequence[Lane],
        *,
        stall_seconds: float = STALL_SECONDS,
        end: Callable[[int], object] = os._exit,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._lanes = lanes
        self._stall_seconds = stall_seconds
        self._end = end
        self._clock = clock
        self._last_beat = self._last_check = clock()
        # The end of the last time in which the process was stopped.
        self._resumed_at = -math.inf

    def start(self, loop: AbstractEventLoop) -> None:
        """Start the thread, and the heartbeat of the event loop."""
        self._loop = loop
        self._beat()
        threading.Thread(target=self._watch, name="watchdog", daemon=True).start()

    def check(self) -> None:
        """End the process if the event loop or a lane has stalled."""
        now = self._clock()
        if now - self._last_check > _MAX_GAP_SECONDS:
            self._resumed_at = now
        self._last_check = now
        stalls = [(lane.name, lane.stalled_for(now)) for lane in self._lanes]
        for name, seconds in [("event loop", now - self._last_beat), *stalls]:
            seconds = min(seconds, now - self._resumed_at)
            if seconds > self._stall_seconds:
                log.critical("no progress in %s for %.0f s: the worker ends", name, seconds)
                self._end(EXIT_STATUS)
                return

    def _beat(self) -> None:
        self._last_beat = self._clock()
        self._loop.call_later(_CHECK_SECONDS, self._beat)

    def _watch(self) -> None:
        while True:
            time.sleep(_CHECK_SECONDS)
            self.check()
