"""The life cycle of a local engine."""

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

from flask_pynamodb.local.binary import find_binary
from flask_pynamodb.local.data_folder import locked, write_url
from flask_pynamodb.local.process import (
    LOOPBACK,
    Address,
    EngineError,
    EngineProcess,
    PortTaken,
    random_address,
)

STOP_TIMEOUT = 5.0  # seconds from SIGTERM to SIGKILL
PORT_ATTEMPTS = 5


class Engine:
    """One engine process, bound to one port of one loopback address.

    A context manager, or `start()` and `stop()`:

        with Engine(Path(".data")) as engine:
            client = session.create_client("dynamodb", endpoint_url=engine.host, ...)

    Args:
        data: The folder of the tables, created with mode 0700 if missing. It contains
            `dynamodb.sqlite`, `engine.log` and `engine.lock`. None for tables in memory.
        binary: The dynoxide binary; None for `dynoxide` on the PATH.
        port: The port of 127.0.0.1 to listen on; None for a random loopback address with a free
            port at every start, which web pages cannot find.
        on_exit: Called with one line of text, once and in a daemon thread, if the engine ends
            without `stop()`.
    """

    def __init__(
        self,
        data: Path | None = None,
        *,
        binary: Path | None = None,
        port: int | None = None,
        on_exit: Callable[[str], None] | None = None,
    ) -> None:
        self.data = data.absolute() if data else None
        self._binary = binary
        self._port = port
        self._on_exit = on_exit
        self._child: EngineProcess | None = None

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
        """The URL of the engine, for example `http://127.81.3.202:49152`.

        Raises:
            EngineError: The engine has no fixed port and was never started.
        """
        if self._child is not None:
            return self._child.address.url
        if self._port is None:
            raise EngineError("The local engine has no address yet: call start() first.")
        return Address(LOOPBACK, self._port).url

    @property
    def is_alive(self) -> bool:
        """Whether the engine is running."""
        return self.pid is not None

    @property
    def pid(self) -> int | None:
        """The process ID of the running engine, else None."""
        child = self._child
        return None if child is None or child.has_ended.is_set() else child.process.pid

    def start(self) -> Self:
        """Start the engine and wait until it answers; does nothing if it is running.

        Call it in a thread that lives as long as the engine is needed: on Linux the kernel kills
        the engine when that thread ends, so that it never outlives a killed parent. On other
        systems only `stop()` ends it. The engine has its own session, so Ctrl-C in a terminal does
        not end it before the parent has shut down.

        Raises:
            EngineError: There is no binary, the folder is in use or not writable, the port is
                taken, or the engine ends or does not answer.
        """
        if self.is_alive:
            return self
        if os.name != "posix":  # pragma: no cover
            raise EngineError(
                f"The local engine does not run on {os.name}: use DynamoDB Local instead."
            )
        binary = find_binary(self._binary)
        with locked(self.data) as inherited:
            child = self._launch(binary, inherited)
            for lock in inherited:
                write_url(lock, child.address.url)
        self._child = child
        name = f"dynamodb-engine-{child.process.pid}"
        threading.Thread(target=self._watch, args=(child,), name=name, daemon=True).start()
        return self

    def stop(self) -> None:
        """Stop the engine with SIGTERM, and after 5 seconds with SIGKILL."""
        child = self._child
        if child is None or child.has_ended.is_set():
            return
        child.is_expected_to_end = True
        child.process.terminate()
        if not child.has_ended.wait(STOP_TIMEOUT):
            child.process.kill()
            child.has_ended.wait()

    def kill(self) -> None:
        """Kill the engine with SIGKILL, for tests; `on_exit` is called."""
        child = self._child
        if child is not None:
            child.process.kill()
            child.has_ended.wait()

    def _launch(self, binary: Path, inherited: tuple[int, ...]) -> EngineProcess:
        taken = ""
        for address in self._candidates():
            with contextlib.suppress(PortTaken):
                return EngineProcess(binary, address, self.data, inherited)
            taken = f"Port {address.port} of {address.ip}"
        raise EngineError(f"{taken} is taken: choose another one.")

    def _candidates(self) -> Iterable[Address]:
        """Return addresses to try: another process may take a port before the engine listens."""
        if self._port is not None:
            return [Address(LOOPBACK, self._port)]
        return (random_address() for _ in range(PORT_ATTEMPTS))

    def _watch(self, child: EngineProcess) -> None:
        # Signals must reach the main thread, in which CPython runs the handlers.
        signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM, signal.SIGHUP))
        ending = child.wait()
        state = f"is kept in {self.data}" if self.data else "was in memory and is lost"
        is_unexpected = not child.is_expected_to_end
        child.has_ended.set()
        if is_unexpected and self._on_exit:
            self._on_exit(
                f"The local engine (pid {child.process.pid}) ended unexpectedly, {ending}. "
                f"Its data {state}: start it again."
            )
