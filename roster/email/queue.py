"""The queue of outgoing emails: a thread delivers them, so that no request waits for SMTP."""

import heapq
import itertools
import logging
import os
import random
import signal
import threading
import time
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from email.message import EmailMessage
from multiprocessing.util import Finalize

from blinker import Signal

from models import REQUESTED, Email
from roster.email.delivery import DeliveryFailed

log = logging.getLogger("roster.mail")

EMAIL_OUTCOMES = ("sent", "postponed", "failed", "dropped")
# Sent with the kind of an email, and the outcome: what has happened to it.
email_handled = Signal()

# Seconds before each retry: they bridge an outage of minutes, within the lifetime of a token.
DELAYS = (1.0, 10.0, 60.0, 240.0)
# Emails that may be queued in one process: about half a megabyte. Callers can fill a part of it
# with requested emails; the rest is reserved for notices about the security of accounts.
MAX_QUEUED = 1000
REQUESTED_SHARE = 0.8
# Seconds before an email is composed, at most. Composing holds Python's lock, so it must not begin
# right after the response: the time of the next request would reveal it (ASVS 6.3.8).
SPREAD_SECONDS = 2.0
# How long a process that ends waits for its queue.
_SECONDS_AT_EXIT = 5.0


@dataclass(order=True)
class _Queued:
    """An email and the time of its next attempt; equal times keep the order of arrival."""

    due: float
    number: int
    email: Email = field(compare=False)
    message: EmailMessage | None = field(default=None, compare=False)
    failures: int = field(default=0, compare=False)
    # Whether the current attempt began while the process was already ending.
    is_last_attempt: bool = field(default=False, compare=False)


class EmailQueue:
    """Sends emails in the background, by one thread of the process that uses it.

    The thread also renders the emails, so that the time of a request does not reveal whether an
    email is sent (ASVS 6.3.8). Queued emails are lost if the process is killed: users can request
    them again.

    Args:
        compose: Renders a message from an email.
        deliver: Delivers a message; raises DeliveryFailed.
        delays: Seconds before each retry after a temporary failure.
        max_queued: Emails that may be queued; further ones are dropped.
        spread: Seconds before an email is composed, at most: a random time.
    """

    is_configured = True

    def __init__(
        self,
        compose: Callable[[Email], EmailMessage],
        deliver: Callable[[EmailMessage], None],
        *,
        delays: Sequence[float] = DELAYS,
        max_queued: int = MAX_QUEUED,
        spread: float = 0.0,
    ) -> None:
        self._compose = compose
        self._deliver = deliver
        self._delays = delays
        self._max_queued = max_queued
        self._spread = spread
        self._numbers = itertools.count()
        self._reset()
        _queues.add(self)

    def send(self, email: Email) -> None:
        """Queue an email. Never blocks and never fails."""
        share = REQUESTED_SHARE if email.kind in REQUESTED else 1
        # Nothing depends on the quality of this randomness.
        due = time.monotonic() + random.random() * self._spread  # nosec B311
        with self._changed:
            if len(self._waiting) >= self._max_queued * share:
                log.error("email %s dropped: %d are queued", email.kind, len(self._waiting))
                email_handled.send(email.kind, outcome="dropped")
                return
            self._put(_Queued(due, next(self._numbers), email))
            self._ensure_thread()

    def drain(self, seconds: float) -> bool:
        """Wait until each email has had one last attempt, at most for this long.

        An attempt that is already in progress does not count; if it fails, the email gets another.

        Returns:
            Whether the queue is empty.
        """
        with self._changed:
            self._is_closing = True
            self._changed.notify_all()
            is_idle = self._changed.wait_for(self._is_idle, seconds)
            self._is_closing = False
            return is_idle

    def _reset(self) -> None:
        """Start over with an empty queue and no thread, as in a new process."""
        self._changed = threading.Condition()
        self._waiting: list[_Queued] = []
        self._current: _Queued | None = None
        self._is_closing = False
        self._thread: threading.Thread | None = None

    def _ensure_thread(self) -> None:
        if self._thread is not None:
            return
        thread = threading.Thread(target=self._work, name="email", daemon=True)
        try:
            thread.start()
        except RuntimeError as error:
            # The email stays queued until the next one starts a thread.
            log.error("no thread for emails: %s", error)
            return
        self._thread = thread
        # Runs at the end of this process only: like atexit, but also in processes created by
        # multiprocessing, such as workers, which end without running atexit handlers.
        Finalize(None, self._drain_at_exit, exitpriority=0)

    def _drain_at_exit(self) -> None:
        if not self.drain(_SECONDS_AT_EXIT):
            left = len(self._waiting) + (self._current is not None)
            log.error("%d emails not sent: the process ends", left)

    def _is_idle(self) -> bool:
        return not self._waiting and self._current is None

    def _put(self, waiting: _Queued) -> None:
        heapq.heappush(self._waiting, waiting)
        self._changed.notify_all()

    def _work(self) -> None:
        # CPython runs signal handlers in the main thread: a signal delivered here could be delayed.
        signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM, signal.SIGHUP))
        while True:
            self._handle(self._next())

    def _next(self) -> _Queued:
        with self._changed:
            while (seconds := self._seconds_to_next()) != 0:
                self._changed.wait(seconds)
            self._current = heapq.heappop(self._waiting)
            self._current.is_last_attempt = self._is_closing
            return self._current

    def _seconds_to_next(self) -> float | None:
        """Return the seconds until the next attempt is due; None if the queue is empty."""
        if not self._waiting:
            return None
        return 0 if self._is_closing else max(0, self._waiting[0].due - time.monotonic())

    def _handle(self, waiting: _Queued) -> None:
        is_done = self._attempt(waiting)
        with self._changed:
            self._current = None
            if not is_done:
                self._postpone(waiting)
            self._changed.notify_all()

    def _attempt(self, waiting: _Queued) -> bool:
        """Attempt a delivery; return whether the email is done: sent, or given up."""
        try:
            # Rendered once: servers and readers detect duplicates by the Message-ID.
            waiting.message = waiting.message or self._compose(waiting.email)
            if not waiting.email.is_decoy:
                self._deliver(waiting.message)
        except DeliveryFailed as error:
            is_over = not error.is_temporary or waiting.failures >= len(self._delays)
            outcome = "not sent" if is_over else "postponed"
            log.warning("email %s %s: %s", waiting.email.kind, outcome, error)
            email_handled.send(waiting.email.kind, outcome="failed" if is_over else "postponed")
            return is_over
        except Exception as error:
            # The text of an unexpected error may contain the address or the token.
            log.error("email %s not sent: %s", waiting.email.kind, type(error).__name__)
            email_handled.send(waiting.email.kind, outcome="failed")
        else:
            if not waiting.email.is_decoy:
                email_handled.send(waiting.email.kind, outcome="sent")
        return True

    def _postpone(self, waiting: _Queued) -> None:
        if self._is_closing and waiting.is_last_attempt:
            log.error("email %s not sent: the process ends", waiting.email.kind)
            email_handled.send(waiting.email.kind, outcome="failed")
            return
        waiting.due = time.monotonic() + self._delays[waiting.failures]
        waiting.failures += 1
        self._put(waiting)


def queued_emails() -> int:
    """Return how many emails wait in all queues of this process."""
    return sum(len(queue._waiting) for queue in list(_queues))


# Threads do not survive a fork; the parent process sends its queue.
_queues: "weakref.WeakSet[EmailQueue]" = weakref.WeakSet()


def _reset_after_fork() -> None:
    for queue in _queues:
        queue._reset()


os.register_at_fork(after_in_child=_reset_after_fork)
