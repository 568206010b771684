"""Run several calls to DynamoDB at the same time."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

Result = TypeVar("Result")

# Threads of a process; further calls wait for one.
_MAX_THREADS = 32
_executor: ThreadPoolExecutor | None = None


def gather(calls: list[Callable[[], Result]]) -> list[Result]:
    """See `PynamoDB.gather`."""
    if not calls:
        return []
    first, *others = calls
    # Each call has the context of the caller: its app, or its standalone database.
    futures = [_threads().submit(copy_context().run, call) for call in others]
    try:
        results = [first()]
    except BaseException:
        for future in futures:
            future.cancel()
        raise
    return [*results, *(future.result() for future in futures)]


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
