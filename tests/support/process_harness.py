"""Processes of a test, started like those of a user, and all of them ended with the test."""

import contextlib
import http.client
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any
from uuid import uuid4

from flask_pynamodb import DEFAULT_TRANSPORT
from tests.support import forked_cli
from tests.support.log_leaks import leaks_in_output
from tests.support.person import PASSWORD

HERE = "127.0.0.1"
PROJECT = Path(__file__).parents[2]
ROSTER = Path(sys.executable).with_name("roster")
# Of the demo users. Elsewhere than in local mode it is rejected, since it is published.
DEMO_PASSWORD = "correct horse battery staple"
_DEMO_USERS = ("john", "jane")
# Seconds until a test fails: more than a loaded machine needs, and less than the 30 after which the
# service kills workers that do not stop.
PATIENCE = 20.0

_OURS = ("ROSTER_", "AWS_", "DYNAMODB_", "MAKE", "MFLAGS")
_MARK = "TEST_HARNESS"


def _reset_signals() -> None:
    # A suite that runs in the background of a script ignores these signals, and a process would
    # inherit that.
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


def wait_for(condition: Callable[[], Any], what: str) -> Any:
    """Call a condition until its result is true, and return the result."""
    deadline = time.monotonic() + PATIENCE
    while not (answer := condition()):
        assert time.monotonic() < deadline, f"timeout while waiting until {what}"
        time.sleep(0.01)
    return answer


def free_port() -> int:
    """Return a port without a listener.

    It is not an ephemeral port of the system, and no other worker of this suite chooses it while
    its services start.
    """
    index = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:])
    count = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    while True:
        address = (HERE, secrets.choice(range(20_000 + index, 32_000, count)))
        with contextlib.suppress(OSError), socket.create_server(address) as probe:
            return probe.getsockname()[1]


def only_line(said: str) -> str:
    """Return the output, if it is one line."""
    assert len(said.splitlines()) == 1, said
    return said.strip()


def last_line(said: str) -> str:
    """Return the last line of the output, if it has no stack trace."""
    assert "Traceback" not in said
    return said.splitlines()[-1]


@dataclass(frozen=True)
class Answer:
    """A response that has arrived completely."""

    status: int
    body: Any


def call(port: int, method: str, path: str, body: Any = None, token: str | None = None) -> Answer:
    """Make one request on a new connection.

    Raises:
        ConnectionRefusedError: There is no listener.
        ConnectionError: The connection was closed without a response.
        IncompleteRead: The response is incomplete.
    """
    headers = {"Content-Type": "application/json"} if body is not None else {}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    with contextlib.closing(http.client.HTTPConnection(HERE, port, timeout=PATIENCE)) as line:
        line.request(method, path, body and json.dumps(body), headers)
        response = line.getresponse()
        try:
            text = response.read()
        except OSError as error:
            raise http.client.IncompleteRead(b"") from error
    return Answer(response.status, json.loads(text) if text else None)


class Running:
    """A process that was started by a harness."""

    def __init__(self, process: "subprocess.Popen[bytes]", output: Path, port: int) -> None:
        self.process = process
        self.output = output
        self.port = port

    @property
    def said(self) -> str:
        """Return the output so far."""
        return self.output.read_text()

    @property
    def engine(self) -> int | None:
        """The process ID of the local engine, None without one."""
        return next(filter(_is_engine, _children_of(self.process.pid)), None)

    @property
    def workers(self) -> list[int]:
        """The process IDs of the workers."""
        return [pid for pid in _children_of(self.process.pid) if not _is_engine(pid)]

    def is_ready(self) -> bool:
        """Return whether the service is ready; fail if it has ended."""
        assert self.process.poll() is None, f"ended while starting: {self.said}"
        try:
            return self.call("GET", "/health/ready").status == 200
        except (OSError, http.client.HTTPException):
            return False

    def until_ready(self) -> "Running":
        wait_for(self.is_ready, "the service is ready")
        return self

    def call(self, method: str, path: str, body: Any = None, token: str | None = None) -> Answer:
        """Make a request; see `call`."""
        return call(self.port, method, path, body, token)

    def sign_up(self, username: str, token: str | None = None, **members: Any) -> Answer:
        email = f"{username}@example.com"
        body = {"username": username, "email": email, "password": PASSWORD, **members}
        return self.call("POST", "/v1/users", body, token)

    def sign_in(self, login: str) -> Answer:
        is_demo = login.partition("@")[0] in _DEMO_USERS
        password = DEMO_PASSWORD if is_demo else PASSWORD
        return self.call("POST", "/v1/sessions", {"login": login, "password": password})

    def token_of(self, login: str) -> str:
        return str(self.sign_in(login).body["token"])

    def send(self, number: signal.Signals) -> "Running":
        """Send a signal to this process only."""
        self.process.send_signal(number)
        return self

    def ended(self) -> int:
        """Wait for the end, and return the exit status, negative for a signal."""
        return self.process.wait(PATIENCE)

    def stop(self) -> int:
        """Stop it like a service manager."""
        return self.send(signal.SIGTERM).ended()


class ProcessHarness:
    """A folder, an environment, and every process that was started in them.

    Args:
        folder: An empty one.
        transport: How services reach DynamoDB.
        is_covered: Whether coverage is measured in the processes, which doubles the processor time
            of a start.
    """

    def __init__(
        self, folder: Path, transport: str = DEFAULT_TRANSPORT, *, is_covered: bool = True
    ) -> None:
        self.folder = folder
        self._foreign = _OURS if is_covered else (*_OURS, "COVERAGE_")
        # The default is not set explicitly.
        is_default = transport == DEFAULT_TRANSPORT
        self._settings = {} if is_default else {"DYNAMODB_TRANSPORT": transport}
        self.data = folder / "data"
        # Inherited by child processes, so that orphans are found too.
        self._mark = uuid4().hex
        self._started: list[Running] = []
        self._numbers = count()

    def start(
        self, *command: str | Path, port: int = 0, cwd: Path | None = None, **settings: str
    ) -> Running:
        """Start a process in a new session, as from another terminal."""
        output = self._output()
        with output.open("wb") as file:
            process = subprocess.Popen(
                command,
                cwd=cwd or self.folder,
                env=self._environment(settings),
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_reset_signals,
            )
        self._started.append(Running(process, output, port))
        return self._started[-1]

    def run(self, *arguments: str | Path, **settings: str) -> tuple[int, str]:
        """Run the console script to its end; return its exit status and its output."""
        running = self.start(ROSTER, *arguments, **settings)
        return running.ended(), running.said

    def run_forked(self, *arguments: str, **settings: str) -> tuple[int, str]:
        """Run the command in a fork, which is much faster than the console script.

        For preparations, and for tests of the effects and the output of a command, not of the start
        and end of the console script.
        """
        output = self._output()
        status = forked_cli.run(
            arguments,
            folder=self.folder,
            environment=self._environment(settings),
            output=output,
            patience=PATIENCE,
        )
        return status, output.read_text()

    def begin(
        self,
        *arguments: str | Path,
        port: int | None = None,
        by: Sequence[str] = (),
        **settings: str,
    ) -> Running:
        """Start `roster serve --local` on the data of the harness; it is not ready yet."""
        port = port or free_port()
        where = ("--data", self.data, "--port", str(port), "--workers", "2")
        command = (*by, ROSTER, "serve", "--local", *where, *arguments)
        return self.start(*command, port=port, **settings)

    def serve(self, **settings: str) -> Running:
        """Start `roster serve --local` on the data of the harness, and wait until it is ready."""
        return self.begin(**settings).until_ready()

    def serve_on(self, host: str, **settings: str) -> Running:
        """Start `roster serve --local` on another address, and wait until it is ready."""
        return self.begin("--host", host, **settings).until_ready()

    def make(
        self, *arguments: str, port: int = 0, by: Sequence[str] = (), **settings: str
    ) -> Running:
        """Start make in the project, as if everything was installed."""
        installed = (
            f"{sys.prefix}/run.stamp",
            "tools/local-dynamodb/node_modules/.package-lock.json",
        )
        old = [word for path in installed for word in ("-o", path)]
        make = shutil.which("make") or "make"
        command = (*by, make, f"VENV={sys.prefix}", *old, *arguments)
        return self.start(*command, port=port, cwd=PROJECT, **settings)

    def left(self) -> list[str]:
        """Return the commands of all running processes."""
        return [_command_of(pid) for pid in self._pids()]

    def is_empty(self) -> bool:
        """Wait until all processes have ended; fail if some remain."""
        return wait_for(lambda: not self._pids(), f"these end: {self.left()}")

    def kill_everything(self) -> None:
        """Send SIGKILL to each process, as in a power failure."""
        for pid in self._pids():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def close(self) -> None:
        """End all processes, and fail if their log lines have secrets or addresses."""
        for running in self._started:
            # The whole session: nginx overwrites the environment of its workers with a title.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(running.process.pid, signal.SIGKILL)
            running.ended()
        while self._pids():
            self.kill_everything()
        leaks = [leaks_in_output(running.said) for running in self._started]
        assert not any(leaks), leaks

    def _output(self) -> Path:
        """Return the path of the output of the next process."""
        return self.folder / f"output-{next(self._numbers)}"

    def _environment(self, settings: Mapping[str, str]) -> dict[str, str]:
        foreign = self._foreign
        clean = {name: text for name, text in os.environ.items() if not name.startswith(foreign)}
        own = {"HOME": str(self.folder), _MARK: self._mark, **self._settings}
        return {**clean, **own, **settings}

    def _pids(self) -> list[int]:
        mark = f"{_MARK}={self._mark}".encode()
        return [pid for pid in _all_pids() if mark in _read(pid, "environ").split(b"\0")]


def _all_pids() -> Iterator[int]:
    return (int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit())


def _children_of(parent: int) -> list[int]:
    return [pid for pid in _all_pids() if _parent_of(pid) == parent]


def _parent_of(pid: int) -> int | None:
    # pid (command) state parent ...; the command may contain anything; zombies are excluded.
    state, parent = (_read(pid, "stat").rpartition(b")")[2].split() or [b"X", b"0"])[:2]
    return None if state in b"XZ" else int(parent)


def _is_engine(pid: int) -> bool:
    return "--db-path" in _command_of(pid)


def _command_of(pid: int) -> str:
    return _read(pid, "cmdline").replace(b"\0", b" ").decode().strip()


def _read(pid: int, name: str) -> bytes:
    """Return a file of a process; empty if the process has ended or belongs to another user."""
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except (FileNotFoundError, PermissionError, ProcessLookupError):
        return b""
