"""Run several calls to DynamoDB at the same time."""

import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from typing import TypeVar

Result = TypeVar("Result")

# Threads of a process; further calls run on the thread of the caller.
_MAX_THREADS = 32
_executor: ThreadPoolExecutor | None = None


def gather(calls: list[Callable[[], Result]]) -> tuple[Result, ...]:
    """See `PynamoDB.gather`."""
    if not calls:
        return ()
    first, *others = calls
    # Each call has the context of the caller: its app, or its standalone database.
    runs = [partial(copy_context().run, call) for call in others]
    futures = [_threads().submit(run) for run in runs]
    try:
        return (first(), *map(_finish, futures, runs))
    except BaseException:
        for future in futures:
            future.cancel()
        raise


def _finish(future: Future[Result], run: Callable[[], Result]) -> Result:
    # A call that is still queued runs here. Waiting for a thread would deadlock where all of
    # them run calls that gather themselves.
    return run() if future.cancel() else future.result()


def _threads() -> ThreadPoolExecutor:
    global _executor
    if _executor is None:
        _executor = ThreadPoolExecutor(_MAX_THREADS, thread_name_prefix="dynamodb")
    return _executor


def _reset_after_fork() -> None:
    # Threads do not survive a fork.
    global _executor
    _executor = None


# Windows has no fork.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_reset_after_fork)
