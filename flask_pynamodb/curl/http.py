"""HTTP over libcurl: a pool of connections to one endpoint."""

import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import TypeVar

from flask_pynamodb.curl.connection import Connection
from flask_pynamodb.curl.endpoint import Endpoint
from flask_pynamodb.curl.errors import Response

Result = TypeVar("Result")

# Seconds after its last response in which a connection is taken to be open without a system call,
# which would cost a fiftieth of a call.
_FRESH = 0.02


class Pool:
    """A pool of idle connections, which reuses the last used connection first.

    Safe for threads: a connection belongs to the thread that has taken it, and the operations of a
    deque are atomic. When the pool is full, the connection that was idle longest is closed.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._idle: deque[Connection] = deque(maxlen=endpoint.pool_size)

    def post(
        self,
        headers: Sequence[str | bytes],
        body: bytes,
        seconds_left: float | None,
        read: Callable[[Response], Result],
    ) -> Result:
        """Send a request and return the parsed response.

        Args:
            headers: Complete header lines.
            body: The JSON body.
            seconds_left: Seconds until the deadline; None if only the timeouts apply.
            read: Parses the response. If it raises, the connection is closed, because the rest of
                the stream may be invalid too.

        Raises:
            BotoCoreError: See `errors`.
        """
        connection = self._take()
        result = read(connection.post(headers, body, seconds_left))
        connection.idle_since = time.monotonic()
        self._idle.append(connection)
        return result

    def _take(self) -> Connection:
        while True:
            try:
                connection = self._idle.pop()
            except IndexError:
                return Connection(self._endpoint)
            is_fresh = time.monotonic() - connection.idle_since < _FRESH
            if is_fresh or not connection.is_dropped:
                return connection

    def close(self) -> None:
        """Close the idle connections; the pool can still be used."""
        self._idle.clear()

    def abandon(self) -> None:
        """Start with an empty pool in a forked child; the connections stay with the parent."""
        inherited, self._idle = self._idle, deque(maxlen=self._idle.maxlen)
        for connection in inherited:
            connection.abandon()
