"""The data folder of a local engine, locked for one engine at a time."""

import contextlib
import importlib
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from flask_pynamodb.local.process import POLL_INTERVAL, EngineError

# Windows has none: this module can be imported there, and Engine.start() raises an error.
fcntl: Any = None
with contextlib.suppress(ImportError):
    fcntl = importlib.import_module("fcntl")

LOCK_TIMEOUT = 3.0  # seconds; an engine whose parent was killed ends within milliseconds


@contextlib.contextmanager
def locked(data: Path | None) -> Iterator[tuple[int, ...]]:
    """Lock the data folder while an engine starts; yields the descriptors for it to inherit.

    The lock belongs to the open file, which the engine inherits. This process closes it after the
    start, so the folder is locked exactly as long as an engine has the database open, and processes
    that are forked later do not hold the lock.

    Raises:
        EngineError: The folder is in use, not writable, or not the user's own.
    """
    if data is None:
        yield ()
        return
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        _require_own(data)
        lock = os.open(data / "engine.lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise EngineError(
            f"The data folder {data} cannot be used ({error.strerror}): choose another one."
        ) from error
    try:
        _lock(lock, data)
        yield (lock,)
    finally:
        os.close(lock)


def _require_own(data: Path) -> None:
    """Reject a folder in which another user could replace the tables or the secret key."""
    status = data.stat()
    if status.st_uid != os.geteuid():
        raise EngineError(f"The data folder {data} belongs to another user: choose another one.")
    if status.st_mode & 0o022:
        raise EngineError(
            f"Others may write to the data folder {data}: run `chmod go-w`, or choose another one."
        )


def _lock(lock: int, data: Path) -> None:
    deadline = time.monotonic() + LOCK_TIMEOUT
    while not _try_lock(lock):
        if time.monotonic() > deadline:
            holder, _ = _read(lock)
            raise EngineError(
                f"The data folder {data} is in use by another process (pid {holder}): "
                "stop that process or choose another folder."
            )
        time.sleep(POLL_INTERVAL)
    os.ftruncate(lock, 0)
    os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)


def write_url(lock: int, url: str) -> None:
    """Note the URL of the engine that has started, for `running_engine`."""
    os.pwrite(lock, f"{os.getpid()}\n{url}\n".encode(), 0)


def running_engine(data: Path) -> str | None:
    """Return the URL of the engine that has a data folder open, None if there is none.

    Raises:
        EngineError: The folder is not the user's own, or an engine does not start in time.
    """
    try:
        lock = os.open(data / "engine.lock", os.O_RDWR)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise EngineError(
            f"The data folder {data} cannot be used ({error.strerror}): choose another one."
        ) from error
    try:
        _require_own(data)
        deadline = time.monotonic() + LOCK_TIMEOUT
        while not _try_lock(lock):
            holder, url = _read(lock)
            if url:
                return url
            if time.monotonic() > deadline:
                raise EngineError(
                    f"The engine of the data folder {data} (pid {holder}) does not start: stop it."
                )
            time.sleep(POLL_INTERVAL)
        return None
    finally:
        os.close(lock)


def _read(lock: int) -> tuple[str, str]:
    """Return the process ID and the URL in a lock file, each empty if it is not there yet."""
    pid, _, url = os.pread(lock, 200, 0).decode(errors="replace").partition("\n")
    return pid.strip(), url.strip()


def _try_lock(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
