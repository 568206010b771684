"""Starts what is measured, waits until it answers, and stops it."""

import http.client
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.process import LOOPBACK, BenchError, free_port, running

WORKERS = 2
REGION = "us-east-1"
_START_TIMEOUT = 30.0
_POLL_INTERVAL = 0.005
_REQUEST_TIMEOUT = 30.0


@dataclass(frozen=True)
class Service:
    """A server that answers.

    Attributes:
        pid: Its first process, the parent of all others.
        port: Where it listens on the loopback address.
        start_seconds: From exec to the first 200.
    """

    pid: int
    port: int
    start_seconds: float

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://{LOOPBACK}:{self.port}"

    def ask(
        self, method: str, path: str, expected: int, *, token: str = "", body: Any = None
    ) -> Any:
        """Make one request and return the JSON of the answer.

        Raises:
            BenchError: The answer has another status than the expected one.
        """
        headers = {"Content-Type": "application/json"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        connection = http.client.HTTPConnection(LOOPBACK, self.port, timeout=_REQUEST_TIMEOUT)
        try:
            sent = None if body is None else json.dumps(body)
            connection.request(method, path, sent, headers)
            answer = connection.getresponse()
            text = answer.read().decode()
        finally:
            connection.close()
        if answer.status != expected:
            raise BenchError(f"{method} {path} answered {answer.status}, not {expected}: {text}")
        return json.loads(text)


@contextmanager
def roster(data: Path, workers: int = WORKERS) -> Iterator[Service]:
    """`roster serve --local` on a data folder."""
    data.mkdir(parents=True, exist_ok=True)
    command = [*_roster_serve(workers), "--local", "--data", str(data)]
    with serving(command, "/health/ready", data.with_suffix(".log")) as service:
        yield service


@contextmanager
def roster_on(endpoint: str, log: Path, *, transport: str) -> Iterator[Service]:
    """`roster serve` on tables that are there already.

    Args:
        endpoint: The URL of a DynamoDB that checks no signatures.
        log: Where its output goes.
        transport: `lean` or `botocore`.
    """
    settings = {
        "ROSTER_SECRET_KEY": "only the benchmark's",
        "DYNAMODB_HOST": endpoint,
        "DYNAMODB_REGION": REGION,
        "DYNAMODB_AWS_ACCESS_KEY_ID": "local",
        "DYNAMODB_AWS_SECRET_ACCESS_KEY": "local",
        "DYNAMODB_TRANSPORT": transport,
    }
    with serving(_roster_serve(WORKERS), "/health/ready", log, settings) as service:
        yield service


@contextmanager
def bare(body: Any, log: Path) -> Iterator[Service]:
    """The bare route that answers with a body."""
    command = [sys.executable, "-m", "bench.bare", json.dumps(body)]
    with serving(command, "/", log) as service:
        yield service


@contextmanager
def serving(
    command: Sequence[str], path: str, log: Path, settings: Mapping[str, str] | None = None
) -> Iterator[Service]:
    """A server, from its first answer on for as long as the `with` block lasts.

    Args:
        command: The program and its arguments, to which `--port` is added.
        path: What it answers with 200 when it is ready.
        log: Where its output goes.
        settings: Variables of its environment.
    """
    port = free_port()
    with log.open("ab") as output:
        began = time.monotonic()
        with running([*command, "--port", str(port)], output, settings) as process:
            _wait(process, port, path, log)
            yield Service(process.pid, port, time.monotonic() - began)


def _roster_serve(workers: int) -> list[str]:
    program = Path(sys.executable).with_name("roster")
    if not program.exists():
        raise BenchError(f"{program} is missing: run the benchmark with `make bench`.")
    return [str(program), "serve", "--workers", str(workers)]


def _wait(process: subprocess.Popen[bytes], port: int, path: str, log: Path) -> None:
    deadline = time.monotonic() + _START_TIMEOUT
    while not _is_ready(port, path):
        if process.poll() is not None or time.monotonic() > deadline:
            said = (log.read_text().strip().splitlines() or ["nothing"])[-1]
            raise BenchError(f"{process.args!r} did not start, last saying: {said}")
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
