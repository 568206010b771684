"""Starts the measured services, waits until they are ready, and stops them."""

import http.client
import json
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.support.process import LOOPBACK, BenchError, free_port, running

WORKERS = 2
REGION = "us-east-1"
_START_TIMEOUT = 30.0
_POLL_INTERVAL = 0.005
_REQUEST_TIMEOUT = 30.0


@dataclass(frozen=True)
class Service:
    """A running server.

    Attributes:
        pid: Its first process, the parent of all others.
        port: Its port on the loopback address.
        start_seconds: From exec to the first 200.
    """

    pid: int
    port: int
    start_seconds: float

    @property
    def url(self) -> str:
        """The base URL."""
        return f"http://{LOOPBACK}:{self.port}"

    def request(
        self, method: str, path: str, expected: int, *, token: str = "", body: Any = None
    ) -> Any:
        """Make one request and return the JSON of the response.

        Raises:
            BenchError: The response does not have the expected status.
        """
        headers = {"Content-Type": "application/json"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        connection = http.client.HTTPConnection(LOOPBACK, self.port, timeout=_REQUEST_TIMEOUT)
        try:
            content = None if body is None else json.dumps(body)
            connection.request(method, path, content, headers)
            response = connection.getresponse()
            text = response.read().decode()
        finally:
            connection.close()
        if response.status != expected:
            raise BenchError(f"{method} {path} returned {response.status}, not {expected}: {text}")
        return json.loads(text)


@contextmanager
def roster(
    data: Path, workers: int = WORKERS, settings: Mapping[str, str] | None = None
) -> Iterator[Service]:
    """Run `roster serve --local` on a data folder.

    Args:
        data: The folder, created if it is missing.
        workers: The number of workers.
        settings: Additional environment variables.
    """
    data.mkdir(parents=True, exist_ok=True)
    command = [*_roster_serve(workers), "--local", "--data", str(data)]
    with serving(command, "/health/ready", data.with_suffix(".log"), settings) as service:
        yield service


@contextmanager
def roster_on(
    endpoint: str, log: Path, *, transport: str, settings: Mapping[str, str] | None = None
) -> Iterator[Service]:
    """Run `roster serve` on existing tables.

    Args:
        endpoint: The URL of a DynamoDB that does not verify signatures.
        log: The file for its output.
        transport: One of `flask_pynamodb.TRANSPORTS`.
        settings: Additional environment variables.
    """
    all_settings = {
        "ROSTER_SECRET_KEY": secrets.token_urlsafe(32),
        "DYNAMODB_HOST": endpoint,
        "DYNAMODB_REGION": REGION,
        "DYNAMODB_AWS_ACCESS_KEY_ID": "local",
        "DYNAMODB_AWS_SECRET_ACCESS_KEY": "local",
        "DYNAMODB_TRANSPORT": transport,
        **(settings or {}),
    }
    with serving(_roster_serve(WORKERS), "/health/ready", log, all_settings) as service:
        yield service


@contextmanager
def bare(body: Any, log: Path) -> Iterator[Service]:
    """Run the bare route that returns a body."""
    command = [sys.executable, "-m", "bench.support.bare", json.dumps(body)]
    with serving(command, "/", log) as service:
        yield service


@contextmanager
def serving(
    command: Sequence[str], path: str, log: Path, settings: Mapping[str, str] | None = None
) -> Iterator[Service]:
    """Run a server until the `with` block ends; the block starts when the server is ready.

    Args:
        command: The program and its arguments, to which `--port` is added.
        path: The path that returns 200 when the server is ready.
        log: The file for its output.
        settings: Additional environment variables.
    """
    port = free_port()
    with log.open("ab") as output:
        start = time.monotonic()
        with running([*command, "--port", str(port)], output, settings) as process:
            _wait_until_ready(process, port, path, log)
            yield Service(process.pid, port, time.monotonic() - start)


def _roster_serve(workers: int) -> list[str]:
    program = Path(sys.executable).with_name("roster")
    if not program.exists():
        raise BenchError(f"{program} is missing: run the benchmark with `make bench`.")
    return [str(program), "serve", "--workers", str(workers)]


def _wait_until_ready(process: subprocess.Popen[bytes], port: int, path: str, log: Path) -> None:
    deadline = time.monotonic() + _START_TIMEOUT
    while not _is_ready(port, path):
        if process.poll() is not None or time.monotonic() > deadline:
            last_line = (log.read_text().strip().splitlines() or ["none"])[-1]
            raise BenchError(f"{process.args!r} did not start. Its last output: {last_line}")
        time.sleep(_POLL_INTERVAL)


def _is_ready(port: int, path: str) -> bool:
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=1)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
