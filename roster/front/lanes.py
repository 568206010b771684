"""Lanes: a bounded queue of requests and the threads that serve it."""

import signal
import threading
import time
from asyncio import AbstractEventLoop, Future, TimerHandle
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Any

from granian._granian import RSGIHTTPProtocol as HTTPProtocol

from roster.front.responses import Response

# How often queued requests are checked for expiry, in seconds.
_SWEEP_SECONDS = 0.1


@dataclass(slots=True)
class Job:
    """One request in a lane.

    Attributes:
        environ: The WSGI environment with the complete body.
        protocol: Sends the response.
        done: Completed in the event loop after the response was sent.
        expires_at: The end of the time in the queue, by the clock of the event loop.
        received_at: When the request was complete, by the clock of the event loop.
        delayed: A response that is sent later, and when.
        claim: Returns True once: to the thread that serves the job, or to the event loop if the job
            is dropped before.
    """

    environ: dict[str, Any]
    protocol: HTTPProtocol
    done: "Future[None]"
    expires_at: float
    received_at: float = 0.0
    delayed: tuple[Response, float] | None = None
    claim: Callable[..., bool] = field(default_factory=lambda: threading.Lock().acquire)


class Lane:
    """Threads that serve the requests of one kind in the order of their arrival.

    Args:
        name: The name of the threads.
        threads: The number of threads.
        max_queued: Requests that may wait for a thread.
        max_wait: Seconds that a request may wait.
        serve: Serves one job, in a thread of the lane.
        expire: Responds to a job that waited too long, in the event loop.
    """

    def __init__(
        self,
        name: str,
        *,
        threads: int,
        max_queued: int,
        max_wait: float,
        serve: Callable[[Job], None],
        expire: Callable[[Job], None],
    ) -> None:
        self.name = name
        self.max_wait = max_wait
        self._max_pending = threads + max_queued
        self._threads = threads
        self._serve = serve
        self._expire = expire
        self._queue: SimpleQueue[Job] = SimpleQueue()
        self._waiting: deque[Job] = deque()
        self._finished: deque[Job] = deque()
        self._is_waking = False
        self._sweeper: TimerHandle | None = None
        # Written by the event loop only.
        self._pending = 0
        # When a job was last finished, by the monotonic clock; read by the watchdog.
        self.last_progress = time.monotonic()

    def start(self, loop: AbstractEventLoop) -> None:
        """Start the threads."""
        self._loop = loop
        for number in range(self._threads):
            name = f"{self.name}-{number}"
            threading.Thread(target=self._work, name=name, daemon=True).start()

    @property
    def pending(self) -> int:
        """The number of requests that wait or are being served."""
        return self._pending

    @property
    def is_busy(self) -> bool:
        """Whether all threads are serving, so that a new request has to wait."""
        return self._pending >= self._threads

    @property
    def is_full(self) -> bool:
        """Whether the queue takes no further request."""
        return self._pending >= self._max_pending

    def stalled_for(self, now: float) -> float:
        """Return the seconds since the last progress; 0 without requests."""
        return now - self.last_progress if self._pending else 0.0

    def submit(self, job: Job) -> None:
        """Queue a request; `job.done` completes after its response. For the event loop."""
        if not self._pending:
            self.last_progress = time.monotonic()
        self._pending += 1
        if self.is_busy:
            self._waiting.append(job)
            if self._sweeper is None:
                self._sweeper = self._loop.call_later(_SWEEP_SECONDS, self._sweep)
        self._queue.put(job)

    def drop(self, job: Job) -> bool:
        """Remove a request from the queue; False if a thread serves it already."""
        if not job.claim(False):
            return False
        self._complete(job)
        return True

    def _sweep(self) -> None:
        """Respond to requests that have waited too long; they are in the order of their expiry."""
        now = self._loop.time()
        while self._waiting and (self._waiting[0].done.done() or self._waiting[0].expires_at < now):
            job = self._waiting.popleft()
            if job.claim(False):
                self._expire(job)
                self._complete(job)
        self._sweeper = (
            self._loop.call_later(_SWEEP_SECONDS, self._sweep) if self._waiting else None
        )

    def _work(self) -> None:
        # CPython runs signal handlers in the main thread: a signal delivered here could be delayed.
        signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM, signal.SIGHUP))
        while True:
            self._work_on(self._queue.get())

    def _work_on(self, job: Job) -> None:
        if not job.claim(False):
            return
        self._serve(job)
        self.last_progress = time.monotonic()
        self._finished.append(job)
        # One wake-up of the event loop serves all jobs that finish until then.
        if not self._is_waking:
            self._is_waking = True
            self._loop.call_soon_threadsafe(self._complete_finished)

    def _complete_finished(self) -> None:
        self._is_waking = False
        while self._finished:
            self._complete(self._finished.popleft())

    def _complete(self, job: Job) -> None:
        self._pending -= 1
        if not job.done.done():
            job.done.set_result(None)
