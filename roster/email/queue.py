"""Where mails wait: a thread takes them away, so that no request waits for a mail server."""

import heapq
import itertools
import logging
import os
import signal
import threading
import time
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from email.message import EmailMessage
from multiprocessing.util import Finalize

from models import Email
from roster.email.delivery import DeliveryFailed

log = logging.getLogger("roster.mail")

# Seconds before each further try: an outage of minutes is bridged, and a token still works then.
DELAYS = (1.0, 10.0, 60.0, 240.0)
# Mails that may wait in one process: about half a megabyte.
ROOM = 1000
# How long the end of a process waits for the mails that are left.
_SECONDS_AT_EXIT = 5.0


@dataclass(order=True)
class _Waiting:
    """A mail and when it is its turn; those due at the same time go in the order they came."""

    due: float
    number: int
    mail: Email = field(compare=False)
    message: EmailMessage | None = field(default=None, compare=False)
    failures: int = field(default=0, compare=False)
    # Whether the try it is in began when the process was ending already.
    is_at_last_try: bool = field(default=False, compare=False)


class EmailQueue:
    """Sends mails, each as soon as it can, by one thread of the process that uses it.

    A mail is composed by the thread too: whether there is one to write does not show in how long
    a request takes (ASVS 6.3.8). What waits in memory is lost if the process is killed: mails can
    be asked for again.

    Args:
        compose: Makes a message out of a mail.
        deliver: Takes a message away; raises DeliveryFailed.
        delays: Seconds before each further try of what may pass.
        room: Mails that may wait; further ones are dropped.
    """

    is_configured = True

    def __init__(
        self,
        compose: Callable[[Email], EmailMessage],
        deliver: Callable[[EmailMessage], None],
        *,
        delays: Sequence[float] = DELAYS,
        room: int = ROOM,
    ) -> None:
        self._compose = compose
        self._deliver = deliver
        self._delays = delays
        self._room = room
        self._numbers = itertools.count()
        self._begin()
        _in_use.add(self)

    def send(self, mail: Email) -> None:
        """Take a mail over. Never blocks and never fails."""
        with self._changed:
            if len(self._waiting) >= self._room:
                log.error("mail %s is dropped: %d wait already", mail.kind, self._room)
                return
            self._put(_Waiting(time.monotonic(), next(self._numbers), mail))
            self._see_to_thread()

    def drain(self, seconds: float) -> bool:
        """Wait until each mail has had one last try, but not for longer than this.

        A try that has begun before is none: a mail that it fails gets another one.

        Returns:
            Whether nothing waits any more.
        """
        with self._changed:
            self._is_closing = True
            self._changed.notify_all()
            is_idle = self._changed.wait_for(self._is_idle, seconds)
            self._is_closing = False
            return is_idle

    def _begin(self) -> None:
        """What holds in a new process: nothing waits and nobody works."""
        self._changed = threading.Condition()
        self._waiting: list[_Waiting] = []
        self._in_hand: _Waiting | None = None
        self._is_closing = False
        self._thread: threading.Thread | None = None

    def _see_to_thread(self) -> None:
        if self._thread is not None:
            return
        thread = threading.Thread(target=self._work, name="mail", daemon=True)
        try:
            thread.start()
        except RuntimeError as error:
            # The mail waits for the thread that the next one starts.
            log.error("no thread for mails: %s", error)
            return
        self._thread = thread
        # Runs at the end of this process and of no other: like atexit, but also in processes that
        # multiprocessing has made, as workers are, which end without calling what atexit holds.
        Finalize(None, self._drain_at_exit, exitpriority=0)

    def _drain_at_exit(self) -> None:
        if not self.drain(_SECONDS_AT_EXIT):
            left = len(self._waiting) + (self._in_hand is not None)
            log.error("mails are not sent: %d are left and the process ends", left)

    def _is_idle(self) -> bool:
        return not self._waiting and self._in_hand is None

    def _put(self, waiting: _Waiting) -> None:
        heapq.heappush(self._waiting, waiting)
        self._changed.notify_all()

    def _work(self) -> None:
        # CPython runs handlers in the main thread, which may not hear of what another one takes.
        signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM, signal.SIGHUP))
        while True:
            self._handle(self._next())

    def _next(self) -> _Waiting:
        with self._changed:
            while (seconds := self._seconds_to_next()) != 0:
                self._changed.wait(seconds)
            self._in_hand = heapq.heappop(self._waiting)
            self._in_hand.is_at_last_try = self._is_closing
            return self._in_hand

    def _seconds_to_next(self) -> float | None:
        """How long until somebody's turn; None while nobody waits."""
        if not self._waiting:
            return None
        return 0 if self._is_closing else max(0, self._waiting[0].due - time.monotonic())

    def _handle(self, waiting: _Waiting) -> None:
        has_passed = self._try(waiting)
        with self._changed:
            self._in_hand = None
            if not has_passed:
                self._put_off(waiting)
            self._changed.notify_all()

    def _try(self, waiting: _Waiting) -> bool:
        """Whether this mail is done with: sent, or given up."""
        try:
            # Once for all tries: by its Message-ID servers and readers know it again.
            waiting.message = waiting.message or self._compose(waiting.mail)
            self._deliver(waiting.message)
        except DeliveryFailed as error:
            is_over = not error.may_pass or waiting.failures >= len(self._delays)
            outcome = "is not sent" if is_over else "has to wait"
            log.warning("mail %s %s: %s", waiting.mail.kind, outcome, error)
            return is_over
        except Exception as error:
            # The text of what nobody has foreseen may hold the address or the token.
            log.error("mail %s is not sent: %s", waiting.mail.kind, type(error).__name__)
        return True

    def _put_off(self, waiting: _Waiting) -> None:
        if self._is_closing and waiting.is_at_last_try:
            log.error("mail %s is not sent: the process ends", waiting.mail.kind)
            return
        waiting.due = time.monotonic() + self._delays[waiting.failures]
        waiting.failures += 1
        self._put(waiting)


# Threads do not come along into the child of a fork; what waits is the parent's to send.
_in_use: "weakref.WeakSet[EmailQueue]" = weakref.WeakSet()


def _begin_after_fork() -> None:
    for outbox in _in_use:
        outbox._begin()


os.register_at_fork(after_in_child=_begin_after_fork)
