"""Finds, starts, watches and stops the local DynamoDB engine.

The engine is dynoxide: one static binary that speaks the DynamoDB protocol and keeps its tables
in memory or in one SQLite file. It checks no signatures and allows every CORS origin, so it is
bound to 127.0.0.1 only, and only their owner can read its files.
"""

import contextlib
import ctypes
import http.client
import os
import platform
import shutil
import signal
import socket
import subprocess  # nosec B404
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, Self

# Windows has none: there this module can be imported, and start() refuses.
with contextlib.suppress(ImportError):
    import fcntl

__all__ = ["Engine", "EngineError", "find_binary"]

INSTALLED = Path("tools/local-dynamodb/node_modules/@dynoxide/linux-x64/dynoxide")
LOOPBACK = "127.0.0.1"

LOCK_TIMEOUT = 3.0  # seconds; an engine whose parent was killed needs a few milliseconds to go
START_TIMEOUT = 10.0  # seconds; usual are 3-10 ms, more with a long write-ahead log
STOP_TIMEOUT = 5.0  # seconds from SIGTERM to SIGKILL
POLL_INTERVAL = 0.005  # seconds
PORT_ATTEMPTS = 5
LOG_TAIL = 4096  # bytes of the log that are searched for its last line

PR_SET_PDEATHSIG = 1  # linux/prctl.h
# Looked up at import: between fork and exec nothing may take the loader's or the importer's lock.
_prctl = ctypes.CDLL(None).prctl if sys.platform == "linux" else None


class EngineError(RuntimeError):
    """The local engine cannot be found or started; one line that says what to do."""


class _PortTaken(Exception):
    """Another process listens on the port chosen for the engine."""


def find_binary() -> Path:
    """Find the engine's binary.

    The environment variable `DYNAMODB_ENGINE` wins, then the npm package below the project's or the
    current folder's `engine/`, then `dynoxide` on the PATH.

    Returns:
        The path of an executable file.

    Raises:
        EngineError: There is none, or `DYNAMODB_ENGINE` does not name one.
    """
    if named := os.environ.get("DYNAMODB_ENGINE"):
        if not _is_executable(Path(named)):
            raise EngineError(
                f"DYNAMODB_ENGINE={named} is not an executable file: name a dynoxide binary."
            )
        return Path(named).absolute()
    for folder in (Path(__file__).absolute().parent.parent, Path.cwd()):
        if _is_executable(folder / INSTALLED):
            return folder / INSTALLED
    if on_path := shutil.which("dynoxide"):
        return Path(on_path).absolute()
    raise EngineError(f"The local engine is not installed: {_advice()}.")


class Engine:
    """One engine process, bound to 127.0.0.1 and one port.

    A context manager, or `start()` and `stop()`:

        with Engine(Path(".data")) as engine:
            client = session.create_client("dynamodb", endpoint_url=engine.host, ...)

    Args:
        data: Folder that keeps the tables, made with mode 0700 when missing. It holds
            `dynamodb.sqlite`, `engine.log` and `engine.lock`. None keeps everything in memory.
        port: Port to listen on. None takes a free one at every start.
        on_exit: Called with one line of text, once and from a daemon thread, when the engine ends
            without `stop()` having been called.
    """

    def __init__(
        self,
        data: Path | None = None,
        *,
        port: int | None = None,
        on_exit: Callable[[str], None] | None = None,
    ) -> None:
        self.data = data.absolute() if data else None
        self._asked_port = port
        self._on_exit = on_exit
        self._child: _Child | None = None

    def __repr__(self) -> str:
        place = self.data or "memory"
        state = f"pid {self.pid}, {self.host}" if self.is_alive else "not running"
        return f"<Engine in {place}, {state}>"

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def host(self) -> str:
        """Where the engine listens, for example `http://127.0.0.1:49152`.

        Raises:
            EngineError: No port was asked for and the engine was never started.
        """
        port = self._child.port if self._child else self._asked_port
        if port is None:
            raise EngineError("The local engine has no address yet: call start() first.")
        return _url(port)

    @property
    def is_alive(self) -> bool:
        """Whether the engine runs."""
        return self.pid is not None

    @property
    def pid(self) -> int | None:
        """The engine's process id while it runs."""
        child = self._child
        return None if child is None or child.has_ended.is_set() else child.process.pid

    def start(self) -> Self:
        """Start the engine and wait until it answers; does nothing when it runs already.

        Call it from a thread that lives as long as the engine is needed: on Linux the engine is
        killed as soon as the thread that started it ends, so that it never outlives a parent that
        was killed. Elsewhere only `stop()` ends it. The engine has a session of its own, so Ctrl-C
        in a terminal does not reach it before the parent has finished its work.

        Raises:
            EngineError: There is no binary, the folder is in use or not writable, the port is
                taken, or the engine ends or stays silent.
        """
        if self.is_alive:
            return self
        if os.name != "posix":  # pragma: no cover
            raise EngineError(f"The local engine does not run on {os.name}: {_advice()}.")
        binary = find_binary()
        with _claim(self.data) as claim:
            child = self._launch(binary, claim)
        self._child = child
        name = f"dynamodb-engine-{child.process.pid}"
        threading.Thread(target=self._watch, args=(child,), name=name, daemon=True).start()
        return self

    def stop(self) -> None:
        """End the engine: SIGTERM, after 5 seconds SIGKILL. Does nothing when it has ended."""
        child = self._child
        if child is None or child.has_ended.is_set():
            return
        child.is_expected_to_end = True
        child.process.terminate()
        if not child.has_ended.wait(STOP_TIMEOUT):
            child.process.kill()
            child.has_ended.wait()

    def kill(self) -> None:
        """End the engine with SIGKILL, for tests of what survives it. It counts as a death.

        `on_exit` is called.
        """
        child = self._child
        if child is not None:
            child.process.kill()
            child.has_ended.wait()

    def _launch(self, binary: Path, claim: tuple[int, ...]) -> "_Child":
        for port in self._candidate_ports():
            with contextlib.suppress(_PortTaken):
                return _Child(binary, port, self.data, claim)
        raise EngineError(f"Port {port} of {LOOPBACK} is taken: choose another one.")

    def _candidate_ports(self) -> Iterable[int]:
        """A free port may be lost again before the engine listens on it: then try the next."""
        if self._asked_port is not None:
            return [self._asked_port]
        return (_free_port() for _ in range(PORT_ATTEMPTS))

    def _watch(self, child: "_Child") -> None:
        # CPython runs handlers in the main thread, which may not hear of what this one takes.
        signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM, signal.SIGHUP))
        ending = child.wait()
        kept = f"is kept in {self.data}" if self.data else "was in memory and is lost"
        is_a_death = not child.is_expected_to_end
        child.has_ended.set()
        if is_a_death and self._on_exit:
            self._on_exit(
                f"The local engine (pid {child.process.pid}) ended unexpectedly, {ending}. "
                f"Its data {kept}: start it again."
            )


class _Child:
    """An engine process that has been seen to answer, and what it says."""

    def __init__(self, binary: Path, port: int, data: Path | None, claim: tuple[int, ...]) -> None:
        command = [str(binary), "--host", LOOPBACK, "--port", str(port)]
        if data:
            command += ["--db-path", str(data / "dynamodb.sqlite")]
        self.port = port
        self.has_ended = threading.Event()
        self.is_expected_to_end = False
        self.log = _open_log(data)
        self.log_start = os.fstat(self.log.fileno()).st_size
        try:
            self.process = _spawn(command, self.log, claim)
        except OSError as error:
            self.log.close()
            raise EngineError(
                f"The local engine {binary} cannot be run ({error.strerror}): {_advice()}."
            ) from error
        try:
            self._wait_for_answer()
        except BaseException:
            self.process.kill()
            self.wait()
            raise

    def wait(self) -> str:
        """Wait for the process to end, close its log and say how it ended."""
        status = self.process.wait()
        how = f"status {status}" if status >= 0 else signal.Signals(-status).name
        said = self._last_line()
        self.log.close()
        return f"{how}, last saying: {said}"

    def _wait_for_answer(self) -> None:
        deadline = time.monotonic() + START_TIMEOUT
        while not self._answers():
            if self.process.poll() is not None:
                if "already in use" in self._last_line():
                    raise _PortTaken
                raise EngineError(
                    f"The local engine did not start, status {self.process.returncode}: "
                    f"{self._last_line()}"
                )
            if time.monotonic() > deadline:
                raise EngineError(
                    f"The local engine did not answer within {START_TIMEOUT:g} s, "
                    f"last saying: {self._last_line()}"
                )
            time.sleep(POLL_INTERVAL)

    def _answers(self) -> bool:
        # A stranger that was faster to take the port may answer too, so the engine must have said
        # that it listens; it says so only after listen(2) has succeeded.
        return f"{_url(self.port)}\n" in self._said() and _is_answering(self.port)

    def _said(self) -> str:
        """The end of what the engine wrote since it was launched."""
        # pread, because the engine writes at the offset of the same open file.
        descriptor = self.log.fileno()
        start = max(self.log_start, os.fstat(descriptor).st_size - LOG_TAIL)
        return os.pread(descriptor, LOG_TAIL, start).decode(errors="replace")

    def _last_line(self) -> str:
        return (self._said().strip().splitlines() or ["nothing"])[-1]


def _spawn(
    command: list[str], output: IO[bytes], claim: tuple[int, ...]
) -> "subprocess.Popen[bytes]":
    # No shell, and the command is made of a path, a number and constants.
    return subprocess.Popen(  # nosec B603
        command,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        pass_fds=claim,
        umask=0o077,
        start_new_session=True,
        preexec_fn=_dying_with(os.getpid()),
    )


def _dying_with(parent: int) -> Callable[[], None] | None:
    """A function for the child, between fork and exec: be killed when the parent is gone."""
    prctl = _prctl
    if prctl is None:  # pragma: no cover - not Linux
        return None

    def tie() -> None:  # pragma: no cover - the forked child writes no coverage data
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # It went before it could be tied to.
            os._exit(1)

    return tie


@contextlib.contextmanager
def _claim(data: Path | None) -> Iterator[tuple[int, ...]]:
    """Hold the data folder while the engine is launched; yields what the engine has to inherit.

    The lock belongs to the open file, and the engine inherits it. This process lets go of it after
    the launch, so "locked" means "an engine has the database open", whoever was killed meanwhile,
    and processes forked from this one later do not hold on to it.
    """
    if data is None:
        yield ()
        return
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
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


def _lock(lock: int, data: Path) -> None:
    deadline = time.monotonic() + LOCK_TIMEOUT
    while not _try_lock(lock):
        if time.monotonic() > deadline:
            holder = os.pread(lock, 32, 0).decode(errors="replace").strip()
            raise EngineError(
                f"The data folder {data} is in use by another process (pid {holder}): "
                "stop that one or choose another folder."
            )
        time.sleep(POLL_INTERVAL)
    os.ftruncate(lock, 0)
    os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)


def _try_lock(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _open_log(data: Path | None) -> IO[bytes]:
    if data is None:
        return tempfile.TemporaryFile()
    return open(
        data / "engine.log", "ab+", buffering=0, opener=lambda p, flags: os.open(p, flags, 0o600)
    )


def _is_answering(port: int) -> bool:
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=1)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


def _url(port: int) -> str:
    return f"http://{LOOPBACK}:{port}"


def _is_executable(path: Path) -> bool:
    return path.is_file() and os.access(path, os.X_OK)


def _advice() -> str:
    if (sys.platform, platform.machine()) == ("linux", "x86_64"):
        return "run `npm ci --prefix tools/local-dynamodb` (`make run` does it)"
    return (
        "its package is for linux-x64 only, so set DYNAMODB_HOST to a DynamoDB Local "
        "or DYNAMODB_ENGINE to a dynoxide binary"
    )
