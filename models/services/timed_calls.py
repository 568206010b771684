"""Calls with a time limit, each on a thread of its own, of functions that may never return."""

import os
import signal
import threading
import weakref
from collections.abc import Callable
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Any

# How long a thread without calls is kept.
_IDLE_SECONDS = 30.0
# Threads that are given up at the same time. Each takes memory, and maybe a connection.
MAX_ABANDONED = 16


class CallTimeout(Exception):
    """A call has exceeded the time limit."""


class TooManyAbandoned(Exception):
    """As many calls as may exceed the time limit have not returned yet: no more are made."""


@dataclass(slots=True)
class Call:
    """One call and its outcome.

    Attributes:
        function: The function.
        argument: Its argument.
        value: The returned value, None if it has raised.
        error: The raised error, None if it has returned.
    """

    function: Callable[[Any], Any]
    argument: Any
    value: Any = None
    error: BaseException | None = None
    is_abandoned: bool = False
    finished: threading.Event = field(default_factory=threading.Event)


class TimedCalls:
    """Calls functions on threads, and waits for each no longer than a time limit.

    Python cannot end a thread. One that exceeds the limit is abandoned, and there are at most
    `max_abandoned` of these at a time; until one returns, further calls fail at once. Other threads
    serve one call after the other, so there are no more than callers.

    Args:
        seconds: The time limit.
        max_abandoned: How many calls may exceed it at the same time.
    """

    def __init__(self, seconds: float, max_abandoned: int = MAX_ABANDONED) -> None:
        self.seconds = seconds
        self._max_abandoned = max_abandoned
        self._reset()
        _all.add(self)

    def run(self, function: Callable[[Any], Any], argument: Any) -> Call:
        """Call a function, and return the finished call with its outcome.

        Raises:
            CallTimeout: It exceeded the time limit, and still runs.
            TooManyAbandoned: Too many earlier calls still run.
            RuntimeError: The system has no thread for it.
        """
        call = Call(function, argument)
        with self._lock:
            if self._abandoned >= self._max_abandoned:
                raise TooManyAbandoned
            if self._idle:
                self._idle -= 1
            else:
                threading.Thread(target=self._work, name="hook", daemon=True).start()
            self._calls.put(call)
        if not call.finished.wait(self.seconds):
            self._abandon(call)
        return call

    def _abandon(self, call: Call) -> None:
        with self._lock:
            # It may have finished since.
            if not call.finished.is_set():
                call.is_abandoned = True
                self._abandoned += 1
                raise CallTimeout

    def _reset(self) -> None:
        """Start over without threads, as in a new process."""
        self._lock = threading.Lock()
        self._calls: SimpleQueue[Call] = SimpleQueue()
        # Threads that wait for a call which was not queued yet.
        self._idle = 0
        self._abandoned = 0

    def _work(self) -> None:
        # CPython runs signal handlers in the main thread: a signal delivered here could be delayed.
        signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM, signal.SIGHUP))
        while self._serve():
            pass

    def _serve(self) -> bool:
        """Serve one call; a function of its own, so that no variable keeps it until the next one.

        Returns:
            False when the thread has no calls for a while, and should stop.
        """
        try:
            call = self._calls.get(timeout=_IDLE_SECONDS)
        except Empty:
            with self._lock:
                # A call that was queued since is for this thread.
                if not self._calls.empty():
                    return True
                self._idle -= 1
                return False
        try:
            call.value = call.function(call.argument)
        # Also of SystemExit, which would end the thread without a word.
        except BaseException as error:
            call.error = error
        with self._lock:
            call.finished.set()
            self._abandoned -= call.is_abandoned
            self._idle += 1
        return True


# Threads do not survive a fork, so a child process starts over.
_all: "weakref.WeakSet[TimedCalls]" = weakref.WeakSet()


def _reset_after_fork() -> None:
    for each in _all:
        each._reset()


os.register_at_fork(after_in_child=_reset_after_fork)
