"""Starts processes and sees to it that each of them ends, by its id."""

import os
import signal
import socket
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import IO, Any, NoReturn

from bench import cpu

LOOPBACK = "127.0.0.1"
# The service finishes requests in flight; the longest is a handful of argon2 hashes.
_STOP_TIMEOUT = 15.0
# Settings of whoever runs the benchmark must not change what is measured, but for these two.
_FOREIGN = ("ROSTER_", "DYNAMODB_", "AWS_", "NODE_", "UVICORN_")
CHOICES = ("DYNAMODB_ENGINE", "DYNAMODB_TRANSPORT")


class BenchError(Exception):
    """The benchmark cannot go on, or its figures would mean nothing; one line that says why."""


def stop_on_signals() -> None:
    """Turn signals into an exit that ends what was started."""
    # A shell starts its background jobs with Ctrl-C ignored, and Python leaves it at that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _stop)


@contextmanager
def running(
    command: Sequence[str],
    log: IO[bytes] | int,
    settings: Mapping[str, str] | None = None,
    **options: Any,
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command for as long as the `with` block lasts.

    Args:
        command: The program and its arguments.
        log: Where its output goes.
        settings: Variables of its environment.
        options: More arguments of `subprocess.Popen`.
    """
    # A session of its own: Ctrl-C in a terminal reaches the benchmark alone, which ends the rest.
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
    """The environment of what is measured: no foreign settings, and no rate limits."""
    own = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(_FOREIGN) or name in CHOICES
    }
    return {**own, "ROSTER_RATE_LIMITS": "off"}


def free_port() -> int:
    """A port of the loopback address that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


def _end(process: subprocess.Popen[bytes]) -> None:
    family = cpu.family_of(process.pid)
    process.terminate()
    try:
        process.wait(_STOP_TIMEOUT)
    except BaseException as error:
        for pid in family:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.wait()
        if not isinstance(error, subprocess.TimeoutExpired):
            raise


def _stop(number: int, frame: object) -> NoReturn:
    raise SystemExit(128 + number)
