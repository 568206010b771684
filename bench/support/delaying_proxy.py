"""`python -m bench.support.delaying_proxy PORT TARGET MILLISECONDS`: a far database.

A TCP proxy between a service and the engine. Each chunk to the engine is forwarded after the delay,
each chunk from the engine immediately. The delays of consecutive chunks overlap. The event loop
rounds its timeouts up to whole milliseconds, so a delay is up to one millisecond longer.
"""

import asyncio
import socket
import sys
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.support.process import LOOPBACK, BenchError, free_port, running

_BACKLOG = 256
_START_TIMEOUT = 10.0
_POLL_INTERVAL = 0.02


@dataclass(frozen=True)
class Proxy:
    """A running proxy.

    Attributes:
        pid: Its process.
        url: The URL at which it forwards to the engine.
    """

    pid: int
    url: str


@contextmanager
def delaying_proxy(target: str, milliseconds: float, log: Path) -> Iterator[Proxy]:
    """Run a proxy until the `with` block ends.

    Args:
        target: The URL of the engine.
        milliseconds: The delay of each chunk to the engine.
        log: The file for its output.
    """
    port = free_port()
    command = [sys.executable, "-m", "bench.support.delaying_proxy"]
    command += [str(port), target, str(milliseconds)]
    with log.open("ab") as output, running(command, output) as process:
        _wait_until_ready(port)
        yield Proxy(process.pid, f"http://{LOOPBACK}:{port}")


class _EngineSide(asyncio.Protocol):
    """The connection to the engine; its chunks are forwarded immediately."""

    def __init__(self, client: asyncio.Transport) -> None:
        self._client = client

    def data_received(self, data: bytes) -> None:
        self._client.write(data)

    def connection_lost(self, error: Exception | None) -> None:
        self._client.close()


class _ClientSide(asyncio.Protocol):
    """The connection from the service; its chunks are delayed and stay in order.

    Args:
        target: The URL of the engine.
        seconds: The delay.
    """

    def __init__(self, target: str, seconds: float) -> None:
        self._host, self._port = target.removeprefix("http://").split(":")
        self._seconds = seconds
        self._loop = asyncio.get_running_loop()
        self._chunks: deque[bytes] = deque()
        self._engine: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.pause_reading()
        self._connecting = self._loop.create_task(self._connect(transport))

    def data_received(self, data: bytes) -> None:
        self._chunks.append(data)
        if self._seconds:
            self._loop.call_later(self._seconds, self._forward)
        else:
            self._forward()

    def connection_lost(self, error: Exception | None) -> None:
        if self._engine is not None:
            self._engine.close()

    async def _connect(self, client: asyncio.Transport) -> None:
        try:
            self._engine, _ = await self._loop.create_connection(
                lambda: _EngineSide(client), self._host, int(self._port)
            )
        except OSError:
            client.close()
            return
        # The client may have closed the connection before.
        if client.is_closing():
            self._engine.close()
        else:
            client.resume_reading()

    def _forward(self) -> None:
        # Timers of the same moment may fire in any order, so each takes the oldest chunk.
        chunk = self._chunks.popleft()
        if self._engine is not None:
            self._engine.write(chunk)


def main() -> int:
    """Forward connections until the process is ended."""
    port, target, milliseconds = sys.argv[1:]
    asyncio.run(_serve(int(port), target, float(milliseconds) / 1000))
    return 0


async def _serve(port: int, target: str, seconds: float) -> None:
    server = await asyncio.get_running_loop().create_server(
        lambda: _ClientSide(target, seconds), LOOPBACK, port, backlog=_BACKLOG
    )
    await server.serve_forever()


def _wait_until_ready(port: int) -> None:
    deadline = time.monotonic() + _START_TIMEOUT
    while time.monotonic() < deadline:
        try:
            socket.create_connection((LOOPBACK, port), timeout=1).close()
        except OSError:
            time.sleep(_POLL_INTERVAL)
        else:
            return
    raise BenchError("The proxy did not start.")


if __name__ == "__main__":
    sys.exit(main())
