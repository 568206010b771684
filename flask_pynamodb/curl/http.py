"""HTTP over libcurl: a pool of connections to one endpoint."""

import ctypes
import math
import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from io import BytesIO
from typing import Any, TypeVar

import pycurl  # type: ignore[import-untyped]
from botocore.exceptions import BotoCoreError

from flask_pynamodb.curl.endpoint import Endpoint
from flask_pynamodb.curl.errors import Response, network_error

_BUFFER = 128 * 1024  # bytes read at once; a response may have 16 MB

Result = TypeVar("Result")


class Pool:
    """A pool of idle connections, which reuses the last used connection first.

    Safe for threads: a connection belongs to the thread that has taken it, and the operations of a
    deque are atomic. When the pool is full, the connection that was idle longest is closed.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._idle: deque[_Connection] = deque(maxlen=endpoint.pool_size)

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
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = _Connection(self._endpoint)
        result = read(connection.post(headers, body, seconds_left))
        self._idle.append(connection)
        return result

    def close(self) -> None:
        """Close the idle connections; the pool can still be used."""
        self._idle.clear()

    def abandon(self) -> None:
        """Start with an empty pool in a forked child; the connections stay with the parent."""
        inherited, self._idle = self._idle, deque(maxlen=self._idle.maxlen)
        for connection in inherited:
            connection.abandon()


class _Connection:
    """A curl handle, which keeps one connection open between requests."""

    __slots__ = ("_chunks", "_curl", "_endpoint", "_is_used", "_lines", "_seconds")

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._chunks: list[bytes] = []
        self._lines: list[bytes] = []
        self._seconds: float | None = None
        self._is_used = False
        self._curl = pycurl.Curl()
        for option, value in _options(endpoint):
            self._curl.setopt(option, value)
        # curl calls bound methods of built-in types without running Python code.
        self._curl.setopt(pycurl.WRITEFUNCTION, self._chunks.append)
        self._curl.setopt(pycurl.HEADERFUNCTION, self._lines.append)
        # If a reused connection closes before the response, libcurl would send the request again,
        # which could write twice and bypass the retry quota. It must rewind the body to do so.
        self._curl.setopt(pycurl.SEEKFUNCTION, _reject_rewind)

    def post(
        self, headers: Sequence[str | bytes], body: bytes, seconds_left: float | None
    ) -> Response:
        """Send a request and return the complete response.

        Raises:
            BotoCoreError: There was no complete response.
        """
        curl, problem = self._curl, None
        curl.setopt(pycurl.READFUNCTION, BytesIO(body).read)
        curl.setopt(pycurl.POSTFIELDSIZE, len(body))
        curl.setopt(pycurl.HTTPHEADER, headers)
        self._set_timeout(seconds_left)
        try:
            curl.perform()
        except pycurl.error as error:
            problem = self._problem(error)
        if problem is not None:
            # Not raised inside the handler: curl's error would become its context, and the
            # traceback would keep this connection open.
            raise problem
        self._is_used = True
        response = Response(
            curl.getinfo(pycurl.RESPONSE_CODE), _parse(self._lines), b"".join(self._chunks)
        )
        self._lines.clear()
        self._chunks.clear()
        return response

    def abandon(self) -> None:
        """Detach from the parent's connection without sending anything on it."""
        # Closing the handle would send a TLS close_notify on the parent's connection, and wait
        # forever for a resolver thread that only the parent has. So the handle is leaked, and its
        # socket is replaced by /dev/null.
        socket = self._curl.getinfo(pycurl.ACTIVESOCKET)
        if socket >= 0:
            devnull = os.open(os.devnull, os.O_RDWR)
            os.dup2(devnull, socket, inheritable=False)
            os.close(devnull)
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(self._curl))

    def _problem(self, error: pycurl.error) -> BotoCoreError:
        is_sent = self._curl.getinfo(pycurl.REQUEST_SIZE) > 0
        return network_error(*error.args, is_sent=is_sent, endpoint=self._endpoint)

    def _set_timeout(self, seconds_left: float | None) -> None:
        seconds = self._endpoint.read_timeout
        if seconds is not None and not self._is_used:
            seconds += self._endpoint.connect_timeout or 0
        if seconds is None or (seconds_left is not None and seconds_left < seconds):
            seconds = seconds_left
        if seconds != self._seconds:
            self._curl.setopt(pycurl.TIMEOUT_MS, 0 if seconds is None else _milliseconds(seconds))
            self._seconds = seconds


def _options(endpoint: Endpoint) -> Iterator[tuple[int, Any]]:
    yield pycurl.URL, endpoint.url
    yield pycurl.PATH_AS_IS, 1
    yield pycurl.POST, 1
    yield pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_1_1
    yield pycurl.NOSIGNAL, 1
    yield pycurl.FOLLOWLOCATION, 0
    yield pycurl.MAXCONNECTS, 1
    yield pycurl.BUFFERSIZE, _BUFFER
    yield pycurl.TCP_KEEPALIVE, int(endpoint.tcp_keepalive)
    if endpoint.connect_timeout is not None:
        yield pycurl.CONNECTTIMEOUT_MS, _milliseconds(endpoint.connect_timeout)
    if endpoint.read_timeout is not None:
        # curl's timeout includes connecting, so the first request of a connection has the sum of
        # both timeouts. This ends a stalled transfer earlier, with a resolution of 1 to 2 s.
        yield pycurl.LOW_SPEED_LIMIT, 1
        yield pycurl.LOW_SPEED_TIME, math.ceil(endpoint.read_timeout)
    yield from _tls_options(endpoint)
    yield from _proxy_options(endpoint)


def _tls_options(endpoint: Endpoint) -> Iterator[tuple[int, Any]]:
    yield pycurl.SSLVERSION, pycurl.SSLVERSION_TLSv1_2
    if endpoint.ca_bundle is None:
        yield pycurl.SSL_VERIFYPEER, 0
        yield pycurl.SSL_VERIFYHOST, 0
    else:
        yield pycurl.CAINFO, endpoint.ca_bundle
    if endpoint.client_cert is not None:
        certificate, key = endpoint.client_cert
        yield pycurl.SSLCERT, certificate
        yield pycurl.SSLKEY, key or certificate


def _proxy_options(endpoint: Endpoint) -> Iterator[tuple[int, Any]]:
    # Always set: otherwise curl would read the environment, by other rules than botocore.
    yield pycurl.PROXY, endpoint.proxy.url if endpoint.proxy else ""
    yield pycurl.NOPROXY, ""
    if endpoint.proxy is None:
        return
    if endpoint.proxy.ca_bundle is not None:
        yield pycurl.PROXY_CAINFO, endpoint.proxy.ca_bundle
    if endpoint.proxy.client_cert is not None:
        certificate, key = endpoint.proxy.client_cert
        yield pycurl.PROXY_SSLCERT, certificate
        yield pycurl.PROXY_SSLKEY, key or certificate


def _reject_rewind(offset: int, origin: int) -> int:
    return int(pycurl.SEEKFUNC_FAIL)


def _milliseconds(seconds: float) -> int:
    # To curl, 0 means no timeout.
    return max(1, round(seconds * 1000))


def _parse(lines: list[bytes]) -> dict[str, str]:
    start = 0
    if lines.count(b"\r\n") > 1:
        # There were a 100 or a proxy's response before, or trailers after the body.
        start = max(n for n, line in enumerate(lines) if line.startswith(b"HTTP/"))
    headers: dict[str, str] = {}
    for line in b"".join(lines[start + 1 :]).decode("latin-1").split("\n"):
        name, colon, value = line.partition(":")
        if colon:
            headers[name.lower()] = value.strip()
    return headers
