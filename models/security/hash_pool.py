"""Threads that compute hashes and do nothing else, and a bound on those who want one."""

import os
import signal
import threading
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from models.errors import Busy

_Result = TypeVar("_Result")
# A function with its arguments, and who waits for it; None sends a thread home.
_Task = tuple["Future[Any]", Callable[..., Any], tuple[Any, ...]] | None

# Each hash goes through 19 MiB and leaves nothing else in the caches. Two answers in a row find
# in them what the first one needed, which saves a twentieth of a sign-in (docs/performance.md);
# three in a row save little more, and the first would wait for two others.
_TOGETHER = 2


class HashPool:
    """Computes on threads of its own, which end with it.

    Whoever asks, a thread finds the memory of its last hash, which is still in the caches in part.

    Args:
        at_once: How many threads there are. More of them than cores take longer in all, since each
            goes through all its memory and pushes the others' out of the caches.
        waiting: How many more may wait for one of them; who comes then is sent away.
    """

    _have_begun: bool

    def __init__(self, at_once: int, waiting: int) -> None:
        self._number = at_once
        self._places = at_once + waiting
        self._mine = threading.local()
        self._forget()
        _in_use.add(self)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Hold a place among those who compute or wait; who holds one already takes no other.

        Raises:
            Busy: All places are taken.
        """
        if getattr(self._mine, "has_place", False):
            yield
            return
        if not self._free.acquire(blocking=False):
            raise Busy
        self._mine.has_place = True
        try:
            yield
        finally:
            self._mine.has_place = False
            self._free.release()

    def run(self, function: Callable[..., _Result], *arguments: Any) -> _Result:
        """Call a function on one of the threads, and wait for what it returns or raises.

        While others wait too, a result is handed over together with the next one.

        Raises:
            Busy: Too many wait.
        """
        with self.turn():
            if not self._have_begun:
                self._begin()
            future: Future[_Result] = Future()
            self._waiting.put((future, function, arguments))
            return future.result()

    def _begin(self) -> None:
        with self._lock:
            if self._have_begun:
                return
            for number in range(self._number):
                name = f"hash-{number}"
                threading.Thread(
                    target=_work, args=(self._waiting,), name=name, daemon=True
                ).start()
            end = weakref.finalize(self, _send_home, self._waiting, self._number)
            # At the end of a process the threads go with it; whoever hashes until then needs them.
            end.atexit = False
            self._have_begun = True

    def _forget(self) -> None:
        """Have no threads: they begin when they are needed, in the process that needs them."""
        self._free = threading.BoundedSemaphore(self._places)
        self._waiting: SimpleQueue[_Task] = SimpleQueue()
        self._lock = threading.Lock()
        self._have_begun = False


def _work(waiting: "SimpleQueue[_Task]") -> None:
    # CPython runs handlers in the main thread, which may not hear of what another one takes.
    signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM, signal.SIGHUP))
    while _serve(waiting):
        pass


def _serve(waiting: "SimpleQueue[_Task]") -> bool:
    """Compute one, or two if there are two, and hand over; whether there is more to come.

    A function of its own: when it returns the thread remembers no password.
    """
    finished: list[Callable[[], None]] = []
    goes_on = True
    for task in _next_ones(waiting):
        if task is None:
            goes_on = False
            break
        finished.append(_compute(*task))
    for hand_over in finished:
        hand_over()
    return goes_on


def _next_ones(waiting: "SimpleQueue[_Task]") -> Iterator[_Task]:
    yield waiting.get()
    for _ in range(_TOGETHER - 1):
        try:
            yield waiting.get_nowait()
        except Empty:
            return


def _compute(
    future: "Future[Any]", function: Callable[..., Any], arguments: tuple[Any, ...]
) -> Callable[[], None]:
    try:
        return partial(future.set_result, function(*arguments))
    except BaseException as error:
        return partial(future.set_exception, error)


def _send_home(waiting: "SimpleQueue[_Task]", number: int) -> None:
    for _ in range(number):
        waiting.put(None)


# Threads do not come along into the child of a fork, and nobody would compute its hashes.
_in_use: "weakref.WeakSet[HashPool]" = weakref.WeakSet()


def _forget_after_fork() -> None:
    for threads in _in_use:
        threads._forget()


os.register_at_fork(after_in_child=_forget_after_fork)
