"""Work that no request waits for: merged by its key, and done by one thread of the process."""

import logging
import multiprocessing.util
import os
import signal
import threading
import weakref
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

from flask_pynamodb import is_unavailable
from models.db import db

log = logging.getLogger(__name__)

# How long submissions of one key are merged. So an attacker causes at most one write in this time
# and process for each key, however many requests are sent.
MERGED_SECONDS = 5.0
# Keys that wait at the same time, a few hundred bytes each. An attacker can fill the queue with
# records of rejected requests, so a part of it is reserved for work that must not be dropped.
MAX_WAITING = 1000
RESERVED = 250
# How long a process that ends waits for its work.
_SECONDS_AT_EXIT = 5.0

Job = Callable[[int], None]


@dataclass
class _Waiting:
    job: Job
    database: Any
    times: int = 1


class Background:
    """Does work a few seconds after it was submitted, once for all submissions of its key.

    The work is lost if the process is killed, and dropped if the database fails.

    Args:
        seconds: How long submissions of one key are merged.
        max_waiting: Keys that may wait; others are dropped.
    """

    def __init__(self, *, seconds: float = MERGED_SECONDS, max_waiting: int = MAX_WAITING) -> None:
        self._seconds = seconds
        self._max_waiting = max_waiting
        self._reset()
        _all.add(self)

    def submit(self, key: Hashable, job: Job, *, is_essential: bool = False) -> None:
        """Do a job soon, with the number of its submissions. Never blocks and never fails.

        Args:
            key: The jobs of one key are the same: one of them is done.
            job: Called with the number of submissions, with the current database.
            is_essential: Whether it may take the reserved part of the queue.
        """
        limit = self._max_waiting + RESERVED * is_essential
        with self._changed:
            if key in self._waiting:
                self._waiting[key].times += 1
            elif len(self._waiting) >= limit:
                self._dropped += 1
            else:
                self._waiting[key] = _Waiting(job, db.current_database())
                self._changed.notify_all()
                self._ensure_thread()

    def drain(self, seconds: float = _SECONDS_AT_EXIT) -> bool:
        """Do all waiting work now, and wait for it at most this long.

        Returns:
            Whether all of it is done.
        """
        with self._changed:
            self._is_draining = True
            self._changed.notify_all()
            is_done = self._changed.wait_for(self._is_idle, seconds)
            self._is_draining = False
            return is_done

    def _reset(self) -> None:
        """Start over with nothing to do and no thread, as in a new process."""
        self._changed = threading.Condition()
        self._waiting: dict[Hashable, _Waiting] = {}
        self._dropped = 0
        self._is_working = False
        self._is_draining = False
        self._thread: threading.Thread | None = None

    def _is_idle(self) -> bool:
        return not self._waiting and not self._is_working

    def _ensure_thread(self) -> None:
        if self._thread is not None:
            return
        thread = threading.Thread(target=self._work, name="background", daemon=True)
        try:
            thread.start()
        except RuntimeError as error:
            # The next submission of another key starts a thread.
            log.error("no thread for background work: %s", error)
            return
        self._thread = thread
        # Runs at the end of this process only: like atexit, but also in processes created by
        # multiprocessing, such as workers, which end without running atexit handlers.
        multiprocessing.util.Finalize(None, self.drain, exitpriority=10)

    def _work(self) -> None:
        # CPython runs signal handlers in the main thread: a signal delivered here could be delayed.
        signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM, signal.SIGHUP))
        while True:
            for each in self._next():
                _run(each)
            with self._changed:
                self._is_working = False
                self._changed.notify_all()

    def _next(self) -> list[_Waiting]:
        """Wait for work, then let more of it arrive, and return all of it."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting)
            self._changed.wait_for(lambda: self._is_draining, self._seconds)
            waiting, self._waiting = list(self._waiting.values()), {}
            if self._dropped:
                log.error("%d times background work was dropped: too much waits", self._dropped)
            self._dropped = 0
            self._is_working = True
            return waiting


def _run(waiting: _Waiting) -> None:
    try:
        with waiting.database.context():
            waiting.job(waiting.times)
    except Exception as error:
        if is_unavailable(error):
            log.warning("background work was dropped, the database is unavailable: %s", error)
        else:
            log.exception("background work failed")


# Threads do not survive a fork; the parent process does its own work.
_all: "weakref.WeakSet[Background]" = weakref.WeakSet()


def _reset_after_fork() -> None:
    for each in _all:
        each._reset()


os.register_at_fork(after_in_child=_reset_after_fork)
