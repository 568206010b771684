"""Starts child processes and ends each of them by its id."""

import os
import signal
import socket
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import IO, Any, NoReturn

from bench.support import cpu

LOOPBACK = "127.0.0.1"
# The service finishes requests in flight; the longest is a handful of argon2 hashes.
_STOP_TIMEOUT = 15.0
# Settings in the caller's environment must not change the measurement, except for these two.
_EXCLUDED_PREFIXES = ("ROSTER_", "DYNAMODB_", "AWS_", "NODE_", "UVICORN_")
INHERITED = ("DYNAMODB_ENGINE", "DYNAMODB_TRANSPORT")


class BenchError(Exception):
    """The benchmark cannot continue, or its results would be wrong; the text is one line."""


def stop_on_signals() -> None:
    """Turn signals into exceptions, so that `finally` blocks end the child processes."""
    # A shell starts its background jobs with SIGINT ignored, and Python keeps it ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _exit)


@contextmanager
def running(
    command: Sequence[str],
    log: IO[bytes] | int,
    settings: Mapping[str, str] | None = None,
    **options: Any,
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command until the `with` block ends.

    Args:
        command: The program and its arguments.
        log: The file for its output.
        settings: Additional environment variables.
        options: More arguments of `subprocess.Popen`.
    """
    # In a separate session, Ctrl-C in a terminal reaches only the benchmark, which ends the rest.
    process = subprocess.Popen(
        command,
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        env={**environment(), **(settings or {})},
        **options,
    )
    try:
        yield process
    finally:
        _end(process)


def environment() -> dict[str, str]:
    """Return the environment of measured processes: no inherited settings, no rate limits."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(_EXCLUDED_PREFIXES) or name in INHERITED
    }
    return {**inherited, "ROSTER_RATE_LIMITS": "off"}


def free_port() -> int:
    """Return a free port of the loopback address."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


def _end(process: subprocess.Popen[bytes]) -> None:
    pids = cpu.process_tree(process.pid)
    process.terminate()
    try:
        process.wait(_STOP_TIMEOUT)
    except BaseException as error:
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.wait()
        if not isinstance(error, subprocess.TimeoutExpired):
            raise


def _exit(number: int, frame: object) -> NoReturn:
    raise SystemExit(128 + number)
