"""HTTP by libcurl: a pool of connections to one endpoint."""

import ctypes
import math
import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from io import BytesIO
from typing import Any, TypeVar

import pycurl  # type: ignore[import-untyped]
from botocore.exceptions import BotoCoreError

from flask_pynamodb.curl.endpoint import Target
from flask_pynamodb.curl.errors import Reply, network_error

_BUFFER = 128 * 1024  # bytes read at once; an answer may have 16 MB

Result = TypeVar("Result")


class Pool:
    """Connections that are kept alive, the one that was used last on top.

    Safe for threads: a connection belongs to the thread that has taken it, and a deque gives and
    takes in one step. One that is too many pushes out the one that has been idle for longest.
    """

    def __init__(self, target: Target) -> None:
        self._target = target
        self._idle: deque[_Connection] = deque(maxlen=target.kept_alive)

    def post(
        self,
        headers: Sequence[str | bytes],
        body: bytes,
        seconds_left: float | None,
        read: Callable[[Reply], Result],
    ) -> Result:
        """Send a request, and let somebody read the reply.

        Args:
            headers: Whole lines.
            body: JSON.
            seconds_left: Until nobody needs the reply any more; None: the timeouts decide alone.
            read: Makes something of the reply. If it cannot, the connection is given up, since
                nobody knows what else is on it.

        Raises:
            BotoCoreError: See `errors`.
        """
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = _Connection(self._target)
        result = read(connection.post(headers, body, seconds_left))
        self._idle.append(connection)
        return result

    def close(self) -> None:
        """Close what is idle; the pool can still be used."""
        self._idle.clear()

    def abandon(self) -> None:
        """In the child of a fork: leave the connections to the parent, and begin anew."""
        inherited, self._idle = self._idle, deque(maxlen=self._idle.maxlen)
        for connection in inherited:
            connection.abandon()


class _Connection:
    """A curl handle, which keeps one connection open between requests."""

    __slots__ = ("_chunks", "_curl", "_is_used", "_lines", "_seconds", "_target")

    def __init__(self, target: Target) -> None:
        self._target = target
        self._chunks: list[bytes] = []
        self._lines: list[bytes] = []
        self._seconds: float | None = None
        self._is_used = False
        self._curl = pycurl.Curl()
        for option, value in _options(target):
            self._curl.setopt(option, value)
        # Bound methods of built-in types: curl calls them without running any Python.
        self._curl.setopt(pycurl.WRITEFUNCTION, self._chunks.append)
        self._curl.setopt(pycurl.HEADERFUNCTION, self._lines.append)
        # If a kept connection breaks before the reply, libcurl sends the request once more by
        # itself, which may write twice and which nobody counts. It has to rewind the body first.
        self._curl.setopt(pycurl.SEEKFUNCTION, _refuse_to_rewind)

    def post(
        self, headers: Sequence[str | bytes], body: bytes, seconds_left: float | None
    ) -> Reply:
        """Send a request and wait for the whole reply.

        Raises:
            BotoCoreError: There was none.
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
            # Not raised above, since curl's own error would come along and keep this connection
            # open by its traceback.
            raise problem
        self._is_used = True
        reply = Reply(
            curl.getinfo(pycurl.RESPONSE_CODE), _parse(self._lines), b"".join(self._chunks)
        )
        self._lines.clear()
        self._chunks.clear()
        return reply

    def abandon(self) -> None:
        """Let go of the parent's connection without a word on it."""
        # To close the handle would send TLS's farewell on the parent's connection, and hang while
        # a thread of libcurl's resolver is waited for that only the parent has. So it is never
        # closed, and its socket is swapped for a dead end.
        socket = self._curl.getinfo(pycurl.ACTIVESOCKET)
        if socket >= 0:
            nowhere = os.open(os.devnull, os.O_RDWR)
            os.dup2(nowhere, socket, inheritable=False)
            os.close(nowhere)
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(self._curl))

    def _problem(self, error: pycurl.error) -> BotoCoreError:
        is_sent = self._curl.getinfo(pycurl.REQUEST_SIZE) > 0
        return network_error(*error.args, is_sent=is_sent, target=self._target)

    def _set_timeout(self, seconds_left: float | None) -> None:
        seconds = self._target.read_timeout
        if seconds is not None and not self._is_used:
            seconds += self._target.connect_timeout or 0
        if seconds is None or (seconds_left is not None and seconds_left < seconds):
            seconds = seconds_left
        if seconds != self._seconds:
            self._curl.setopt(pycurl.TIMEOUT_MS, 0 if seconds is None else _milliseconds(seconds))
            self._seconds = seconds


def _options(target: Target) -> Iterator[tuple[int, Any]]:
    yield pycurl.URL, target.url
    yield pycurl.PATH_AS_IS, 1
    yield pycurl.POST, 1
    yield pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_1_1
    yield pycurl.NOSIGNAL, 1
    yield pycurl.FOLLOWLOCATION, 0
    yield pycurl.MAXCONNECTS, 1
    yield pycurl.BUFFERSIZE, _BUFFER
    yield pycurl.TCP_KEEPALIVE, int(target.probes_idle)
    if target.connect_timeout is not None:
        yield pycurl.CONNECTTIMEOUT_MS, _milliseconds(target.connect_timeout)
    if target.read_timeout is not None:
        # curl's one clock starts before it connects, so a first try has both timeouts together.
        # This ends it earlier, to the next second or two, if not a byte moves.
        yield pycurl.LOW_SPEED_LIMIT, 1
        yield pycurl.LOW_SPEED_TIME, math.ceil(target.read_timeout)
    yield from _tls_options(target)
    yield from _proxy_options(target)


def _tls_options(target: Target) -> Iterator[tuple[int, Any]]:
    yield pycurl.SSLVERSION, pycurl.SSLVERSION_TLSv1_2
    if target.ca_bundle is None:
        yield pycurl.SSL_VERIFYPEER, 0
        yield pycurl.SSL_VERIFYHOST, 0
    else:
        yield pycurl.CAINFO, target.ca_bundle
    if target.client_cert is not None:
        certificate, key = target.client_cert
        yield pycurl.SSLCERT, certificate
        yield pycurl.SSLKEY, key or certificate


def _proxy_options(target: Target) -> Iterator[tuple[int, Any]]:
    # Always set, since curl would read the environment otherwise, by other rules than botocore.
    yield pycurl.PROXY, target.proxy.url if target.proxy else ""
    yield pycurl.NOPROXY, ""
    if target.proxy is None:
        return
    if target.proxy.ca_bundle is not None:
        yield pycurl.PROXY_CAINFO, target.proxy.ca_bundle
    if target.proxy.client_cert is not None:
        certificate, key = target.proxy.client_cert
        yield pycurl.PROXY_SSLCERT, certificate
        yield pycurl.PROXY_SSLKEY, key or certificate


def _refuse_to_rewind(offset: int, origin: int) -> int:
    return int(pycurl.SEEKFUNC_FAIL)


def _milliseconds(seconds: float) -> int:
    # To curl, 0 means for ever.
    return max(1, round(seconds * 1000))


def _parse(lines: list[bytes]) -> dict[str, str]:
    start = 0
    if lines.count(b"\r\n") > 1:
        # Before the reply there was a 100 or a proxy's consent, or after its body came trailers.
        start = max(n for n, line in enumerate(lines) if line.startswith(b"HTTP/"))
    headers: dict[str, str] = {}
    for line in b"".join(lines[start + 1 :]).decode("latin-1").split("\n"):
        name, colon, value = line.partition(":")
        if colon:
            headers[name.lower()] = value.strip()
    return headers
