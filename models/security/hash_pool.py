"""A bounded pool of threads that compute password hashes and nothing else."""

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
# A future, the function that computes its result, and the arguments; None stops a thread.
_Task = tuple["Future[Any]", Callable[..., Any], tuple[Any, ...]] | None

# Each hash sweeps 19 MiB through the caches. Two responses that are finished back to back share
# what the first one has loaded again, which saves a twentieth of a sign-in (docs/performance.md);
# batches of three save little more, and the first response would wait for two others.
_BATCH_SIZE = 2


class HashPool:
    """Runs functions on dedicated threads, at most a fixed number at a time.

    A thread reuses the memory of its last hash, part of which is still cached.

    Args:
        threads: Threads that compute at the same time. More threads than cores take longer in
            total, since each sweeps its memory through the shared caches.
        queue_size: Tasks that may wait for a thread; further ones are rejected.
    """

    _is_started: bool

    def __init__(self, threads: int, queue_size: int) -> None:
        self._threads = threads
        self._slot_count = threads + queue_size
        self._held = threading.local()
        self._reset()
        _pools.add(self)

    @contextmanager
    def slot(self) -> Iterator[None]:
        """Hold a slot of the pool; nested calls in one thread share one slot.

        Raises:
            Busy: All slots are taken.
        """
        if getattr(self._held, "slot", False):
            yield
            return
        if not self._slots.acquire(blocking=False):
            raise Busy
        self._held.slot = True
        try:
            yield
        finally:
            self._held.slot = False
            self._slots.release()

    def run(self, function: Callable[..., _Result], *arguments: Any) -> _Result:
        """Call a function on a thread of the pool; return or raise its outcome.

        While other tasks wait, the results of two tasks are delivered together.

        Raises:
            Busy: All slots are taken.
        """
        with self.slot():
            if not self._is_started:
                self._start()
            future: Future[_Result] = Future()
            self._count(1)
            try:
                self._tasks.put((future, function, arguments))
                return future.result()
            finally:
                self._count(-1)

    @property
    def running(self) -> int:
        """The number of tasks that threads are computing."""
        return min(self._unfinished, self._threads)

    @property
    def waiting(self) -> int:
        """The number of tasks that wait for a thread."""
        return max(self._unfinished - self._threads, 0)

    def _count(self, change: int) -> None:
        with self._lock:
            self._unfinished += change

    def _start(self) -> None:
        with self._lock:
            if self._is_started:
                return
            for number in range(self._threads):
                name = f"hash-{number}"
                threading.Thread(target=_work, args=(self._tasks,), name=name, daemon=True).start()
            finalizer = weakref.finalize(self, _shutdown, self._tasks, self._threads)
            # At exit the daemon threads end with the process; hashes are computed until then.
            finalizer.atexit = False
            self._is_started = True

    def _reset(self) -> None:
        """Drop threads and tasks; threads start on first use, in the process that uses them."""
        self._slots = threading.BoundedSemaphore(self._slot_count)
        self._tasks: SimpleQueue[_Task] = SimpleQueue()
        self._lock = threading.Lock()
        self._unfinished = 0
        self._is_started = False


def _work(tasks: "SimpleQueue[_Task]") -> None:
    # CPython runs signal handlers in the main thread: a signal delivered here could be delayed.
    signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM, signal.SIGHUP))
    while _serve(tasks):
        pass


def _serve(tasks: "SimpleQueue[_Task]") -> bool:
    """Run one task, or two if two are queued, and deliver the results.

    A function of its own, so that no local variable keeps a password until the next task.

    Returns:
        False when the thread should stop.
    """
    deliveries: list[Callable[[], None]] = []
    should_continue = True
    for task in _next_batch(tasks):
        if task is None:
            should_continue = False
            break
        deliveries.append(_compute(*task))
    for deliver in deliveries:
        deliver()
    return should_continue


def _next_batch(tasks: "SimpleQueue[_Task]") -> Iterator[_Task]:
    yield tasks.get()
    for _ in range(_BATCH_SIZE - 1):
        try:
            yield tasks.get_nowait()
        except Empty:
            return


def _compute(
    future: "Future[Any]", function: Callable[..., Any], arguments: tuple[Any, ...]
) -> Callable[[], None]:
    try:
        return partial(future.set_result, function(*arguments))
    except BaseException as error:
        return partial(future.set_exception, error)


def _shutdown(tasks: "SimpleQueue[_Task]", threads: int) -> None:
    for _ in range(threads):
        tasks.put(None)


def hash_load() -> tuple[int, int]:
    """Return how many tasks of all pools of this process are running, and how many wait."""
    pools = list(_pools)
    return sum(pool.running for pool in pools), sum(pool.waiting for pool in pools)


# Threads do not survive a fork, so a pool in the child process starts over.
_pools: "weakref.WeakSet[HashPool]" = weakref.WeakSet()


def _reset_after_fork() -> None:
    for pool in _pools:
        pool._reset()


os.register_at_fork(after_in_child=_reset_after_fork)
