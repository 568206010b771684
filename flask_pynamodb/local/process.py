"""One process of the local engine: start it, wait for its first response, read its log."""

import ctypes
import http.client
import os
import secrets
import signal
import socket
import subprocess  # nosec B404
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path
from typing import IO

LOOPBACK = "127.0.0.1"
# Seconds; dynoxide takes 3-10 ms, more with a long write-ahead log, an engine in Python seconds.
START_TIMEOUT = 30.0
POLL_INTERVAL = 0.005  # seconds
# What the engine gets of the environment.
_ENVIRONMENT = ("HOME", "LANG", "LC_ALL", "PATH", "RUST_LOG", "TMPDIR", "TZ")
LOG_TAIL = 4096  # bytes of the log that are searched for its last line

PR_SET_PDEATHSIG = 1  # linux/prctl.h
# Looked up at import: between fork and exec nothing may take the loader's or the importer's lock.
_prctl = ctypes.CDLL(None).prctl if sys.platform == "linux" else None


class EngineError(RuntimeError):
    """The local engine cannot be found or started; the text is one line with advice."""


class PortTaken(Exception):
    """Another process listens on the port chosen for the engine."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where an engine listens."""

    ip: str
    port: int

    @property
    def url(self) -> str:
        return f"http://{self.ip}:{self.port}"


class EngineProcess:
    """An engine process that has answered a request, and its log.

    Raises:
        EngineError: The binary cannot be run, or does not answer in time.
        PortTaken: Another process listens on the port.
    """

    def __init__(
        self, binary: Path, address: Address, data: Path | None, inherited: tuple[int, ...]
    ) -> None:
        command = [str(binary), "--host", address.ip, "--port", str(address.port)]
        if data:
            command += ["--db-path", str(data / "dynamodb.sqlite")]
        self.address = address
        self.has_ended = threading.Event()
        self.is_expected_to_end = False
        self.log = _open_log(data)
        self.log_start = os.fstat(self.log.fileno()).st_size
        try:
            self.process = _spawn(command, self.log, inherited)
        except OSError as error:
            self.log.close()
            raise EngineError(
                f"The local engine {binary} cannot be run ({error.strerror}): name another binary."
            ) from error
        try:
            self._wait_for_answer()
        except BaseException:
            self.process.kill()
            self.wait()
            raise

    def wait(self) -> str:
        """Wait for the process to end, close its log and return how it ended."""
        status = self.process.wait()
        how = f"status {status}" if status >= 0 else signal.Signals(-status).name
        said = self._last_line()
        self.log.close()
        return f"{how}, last log line: {said}"

    def _wait_for_answer(self) -> None:
        deadline = time.monotonic() + START_TIMEOUT
        while not self._answers():
            if self.process.poll() is not None:
                if "already in use" in self._last_line():
                    raise PortTaken
                raise EngineError(
                    f"The local engine did not start, status {self.process.returncode}: "
                    f"{self._last_line()}"
                )
            if time.monotonic() > deadline:
                raise EngineError(
                    f"The local engine did not answer within {START_TIMEOUT:g} s, "
                    f"last log line: {self._last_line()}"
                )
            time.sleep(POLL_INTERVAL)

    def _answers(self) -> bool:
        # Another process may have taken the port and answer, so the log must contain the line that
        # the engine writes after listen(2) has succeeded.
        return f"{self.address.url}\n" in self._log_tail() and _is_answering(self.address)

    def _log_tail(self) -> str:
        """Return the end of the log since the start of this process."""
        # pread, because the engine writes at the offset of the same open file.
        descriptor = self.log.fileno()
        start = max(self.log_start, os.fstat(descriptor).st_size - LOG_TAIL)
        return os.pread(descriptor, LOG_TAIL, start).decode(errors="replace")

    def _last_line(self) -> str:
        return (self._log_tail().strip().splitlines() or ["nothing"])[-1]


def _spawn(
    command: list[str], output: IO[bytes], inherited: tuple[int, ...]
) -> "subprocess.Popen[bytes]":
    # No shell; the command consists of a path, a number and constants.
    return subprocess.Popen(  # nosec B603
        command,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        pass_fds=inherited,
        umask=0o077,
        # The engine needs no credentials and no secrets of its parent.
        env={name: os.environ[name] for name in _ENVIRONMENT if name in os.environ},
        start_new_session=True,
        preexec_fn=_killed_with(os.getpid()),
    )


def _killed_with(parent: int) -> Callable[[], None] | None:
    """Return a function for the child, between fork and exec: it is killed with its parent."""
    prctl = _prctl
    if prctl is None:  # pragma: no cover - not Linux
        return None

    def request_kill() -> None:  # pragma: no cover - the forked child writes no coverage data
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # The parent has ended before the call.
            os._exit(1)

    return request_kill


def _open_log(data: Path | None) -> IO[bytes]:
    if data is None:
        return tempfile.TemporaryFile()
    return open(
        data / "engine.log", "ab+", buffering=0, opener=lambda p, flags: os.open(p, flags, 0o600)
    )


def _is_answering(address: Address) -> bool:
    connection = http.client.HTTPConnection(address.ip, address.port, timeout=1)
    try:
        connection.request("GET", "/")
        # dynoxide answers 200; another engine may have no answer to this request.
        return connection.getresponse().status < 500
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def random_address() -> Address:
    """Return a loopback address and a free port of it, which cannot be found by trying."""
    ip = _random_loopback() if sys.platform == "linux" else LOOPBACK
    return Address(ip, free_port(ip))


def free_port(ip: str = LOOPBACK) -> int:
    with socket.socket() as probe:
        probe.bind((ip, 0))
        port: int = probe.getsockname()[1]
        return port


def _random_loopback() -> str:
    # Linux has all of 127.0.0.0/8; other systems have 127.0.0.1 only. Without the network's own
    # address and the broadcast address.
    return str(IPv4Address("127.0.0.1") + secrets.randbelow(2**24 - 2))
