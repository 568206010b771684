"""One connection over libcurl, whose waits end at their timeouts and at signals.

`Curl.perform` would wait inside libcurl: Python runs no signal handlers meanwhile, and the timeouts
of libcurl count the whole response, or the average speed of several seconds. So the waits are here,
around the steps of a `CurlMulti`.
"""

import math
import os
import select
import threading
import time
from collections.abc import Callable, Sequence
from io import BytesIO
from typing import Any

import pycurl  # type: ignore[import-untyped]

from flask_pynamodb.curl.endpoint import Endpoint
from flask_pynamodb.curl.errors import Response, network_error
from flask_pynamodb.curl.options import options_of

# A signal that arrives just before a wait does not end it, so each wait is short, in seconds.
_LONGEST_WAIT = 0.25
# The buffer of a socket takes a request of this size at once, in bytes; see tcp(7), tcp_wmem.
_SMALL_BODY = 8 * 1024
_SELECT_PAUSE = 0.001  # seconds


class Connection:
    """A curl handle, which keeps one connection open between requests.

    Args:
        endpoint: Where it leads.

    Attributes:
        idle_since: When the last response came, on the monotonic clock.
    """

    __slots__ = (
        "_body",
        "_chunks",
        "_curl",
        "_endpoint",
        "_first_wait",
        "_inode",
        "_lines",
        "_multi",
        "_opened",
        "_poll",
        "_read_timeout",
        "_size",
        "_socket",
        "idle_since",
    )

    def __init__(self, endpoint: Endpoint) -> None:
        self.idle_since = 0.0
        self._endpoint = endpoint
        self._body = BytesIO()
        self._chunks: list[bytes] = []
        self._lines: list[bytes] = []
        # The sockets that were opened for the current request: it is sent on a kept connection if
        # there are none.
        self._opened: list[int] = []
        self._socket = -1
        self._inode = 0
        timeout = endpoint.read_timeout
        self._read_timeout = math.inf if timeout is None else timeout
        self._first_wait = _milliseconds(min(self._read_timeout, _LONGEST_WAIT))
        self._poll = select.poll()
        self._multi = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_MAXCONNECTS, 1)
        self._curl = pycurl.Curl()
        for option, value in options_of(endpoint):
            self._curl.setopt(option, value)
        # curl calls bound methods of built-in types without running Python code.
        self._curl.setopt(pycurl.WRITEFUNCTION, self._chunks.append)
        self._curl.setopt(pycurl.HEADERFUNCTION, self._lines.append)
        self._curl.setopt(pycurl.READFUNCTION, self._body.read)
        self._size = -1
        self._curl.setopt(pycurl.SOCKOPTFUNCTION, _add_to(self._opened))
        # If a reused connection closes before the response, libcurl would send the request again,
        # which could write twice and bypass the retry quota. It must rewind the body to do so.
        self._curl.setopt(pycurl.SEEKFUNCTION, _reject_rewind)

    @property
    def is_dropped(self) -> bool:
        """Whether the server has closed the idle connection; libcurl checks it after a second."""
        return bool(self._poll.poll(0))

    def post(
        self, headers: Sequence[str | bytes], body: bytes, seconds_left: float | None
    ) -> Response:
        """Send a request and return the complete response.

        Args:
            headers: Complete header lines.
            body: The JSON body.
            seconds_left: Seconds until the deadline; None if only the timeouts apply.

        Raises:
            BotoCoreError: There was no complete response. The connection is closed, as it is when
                the handler of a signal raises.
        """
        self._set_body(body)
        self._curl.setopt(pycurl.HTTPHEADER, headers)
        try:
            failure = self._transfer(len(body) <= _SMALL_BODY, seconds_left)
            if failure is not None:
                is_sent = self._curl.getinfo(pycurl.REQUEST_SIZE) > 0
                raise network_error(*failure, is_sent=is_sent, endpoint=self._endpoint)
        except BaseException:
            self.close()
            raise
        response = Response(*_parse(self._lines), b"".join(self._chunks))
        self._lines.clear()
        self._chunks.clear()
        if len(body) > _SMALL_BODY:
            self._clear_body()
        return response

    def close(self) -> None:
        """Close the connection, also amid a request."""
        may_resolve = not self._opened and self._curl.getinfo(pycurl.REQUEST_SIZE) == 0
        self._curl.close()
        if may_resolve:
            _close_in_background(self._multi)
        else:
            self._multi.close()

    def abandon(self) -> None:
        """Detach from the parent's connection without sending anything on it."""
        # Closing the handle would send a TLS close_notify on the parent's connection, and wait
        # forever for a resolver thread that only the parent has. So the handles are leaked, and
        # the socket is replaced by /dev/null.
        if self._has_socket():
            devnull = os.open(os.devnull, os.O_RDWR)
            os.dup2(devnull, self._socket, inheritable=False)
            os.close(devnull)
        for handle in (self._curl, self._multi):
            _count_reference(handle, 1)

    def _has_socket(self) -> bool:
        # libcurl may have closed it, and another file may have its number.
        try:
            return self._socket >= 0 and os.fstat(self._socket).st_ino == self._inode
        except OSError:
            return False

    def _set_body(self, body: bytes) -> None:
        # Each option that is set again takes a microsecond.
        self._clear_body()
        self._body.write(body)
        self._body.seek(0)
        if len(body) != self._size:
            self._curl.setopt(pycurl.POSTFIELDSIZE, len(body))
            self._size = len(body)

    def _clear_body(self) -> None:
        self._body.seek(0)
        self._body.truncate()

    def _transfer(self, is_small: bool, seconds_left: float | None) -> tuple[int, str] | None:
        """Send the request and receive the response; return the code and text of a failure.

        Args:
            is_small: Whether a kept connection takes the request at once.
            seconds_left: Seconds until the deadline; None if only the timeouts apply.
        """
        multi, started = self._multi, time.monotonic()
        ends_at = math.inf if seconds_left is None else started + seconds_left
        multi.add_handle(self._curl)
        is_running = multi.perform()[1]
        has_event: object = False
        # Nearly all responses come in one wait, without timers, which would cost a fiftieth of a
        # call. A kept connection that turns out to be closed does not read the body yet.
        is_usual = is_small and not self._opened and ends_at - started > _LONGEST_WAIT
        if is_running and is_usual and self._body.tell():
            has_event = self._poll.poll(self._first_wait)
            is_running = multi.perform()[1]
        heard_at = time.monotonic() if is_running and has_event else started
        if is_running and not self._finish(is_small, heard_at, ends_at):
            return pycurl.E_OPERATION_TIMEDOUT, "The operation timed out"
        failed = multi.info_read()[2]
        if failed:
            code, text = failed[0][1:]
            return code, text
        if self._opened:
            self._keep_socket()
        multi.remove_handle(self._curl)
        return None

    def _finish(self, is_small: bool, heard_at: float, ends_at: float) -> bool:
        """Wait for the rest of a response, with all timeouts; return False after one.

        Args:
            is_small: See `_transfer`.
            heard_at: When a part of the response came, or the request began, on the monotonic
                clock.
            ends_at: The deadline, on the same clock.
        """
        is_kept = not self._opened and self._body.tell() > 0
        progress = self._progress()
        while True:
            now, before, progress = time.monotonic(), progress, self._progress()
            is_connected = is_kept or self._curl.getinfo(pycurl.REQUEST_SIZE) > 0
            if progress != before or not is_connected:
                heard_at = now
            seconds = min(heard_at + self._read_timeout, ends_at) - now
            if seconds <= 0:
                return False
            self._wait(is_kept and is_small, min(seconds, self._seconds_to_timer()))
            if not self._multi.perform()[1]:
                return True

    def _wait(self, can_poll: bool, seconds: float) -> None:
        """Wait for an event of the connection."""
        if can_poll and not self._opened:
            self._poll.poll(_milliseconds(seconds))
        elif self._multi.select(seconds) == 0:
            # It does not wait for file descriptors above 1023, which select(2) cannot have.
            time.sleep(_SELECT_PAUSE)

    def _seconds_to_timer(self) -> float:
        """Return the seconds until libcurl continues by itself, but not more than one wait."""
        timer: int = self._multi.timeout()
        return _LONGEST_WAIT if timer < 0 else min(timer / 1000, _LONGEST_WAIT)

    def _keep_socket(self) -> None:
        """Remember the new socket; there is none if the server has asked to close it."""
        self._opened.clear()
        self._poll = select.poll()
        self._socket = self._curl.getinfo(pycurl.ACTIVESOCKET)
        if self._socket >= 0:
            self._inode = os.fstat(self._socket).st_ino
            self._poll.register(self._socket, select.POLLIN)

    def _progress(self) -> tuple[int, int, int]:
        return len(self._lines), len(self._chunks), self._body.tell()


def _close_in_background(multi: Any) -> None:
    """Close a handle that may wait for a name server, up to half a minute by resolv.conf(5)."""
    # The reference keeps it open in a forked child, which does not have the thread of the resolver
    # and would wait for it forever.
    _count_reference(multi, 1)
    threading.Thread(target=_close_and_release, args=(multi,), daemon=True).start()


def _close_and_release(multi: Any) -> None:
    multi.close()
    _count_reference(multi, -1)


def _count_reference(handle: Any, change: int) -> None:
    """Add a reference that no object has, or remove it."""
    # Rarely needed, and slow to import.
    import ctypes  # noqa: PLC0415

    count = ctypes.pythonapi.Py_IncRef if change > 0 else ctypes.pythonapi.Py_DecRef
    count(ctypes.py_object(handle))


def _add_to(sockets: list[int]) -> Callable[[int, int], int]:
    # Not a method: the reference to the connection would keep it open.
    def add(socket: int, purpose: int) -> int:
        sockets.append(socket)
        return int(pycurl.SOCKOPT_OK)

    return add


def _milliseconds(seconds: float) -> int:
    return math.ceil(max(seconds, 0) * 1000)


def _reject_rewind(offset: int, origin: int) -> int:
    return int(pycurl.SEEKFUNC_FAIL)


def _parse(lines: list[bytes]) -> tuple[int, dict[str, str]]:
    """Return the status code and the headers of a response."""
    start = 0
    if lines.count(b"\r\n") > 1:
        # There were a 100 or a proxy's response before, or trailers after the body.
        start = max(n for n, line in enumerate(lines) if line.startswith(b"HTTP/"))
    headers: dict[str, str] = {}
    for line in b"".join(lines[start + 1 :]).decode("latin-1").split("\n"):
        name, colon, value = line.partition(":")
        if colon:
            headers[name.lower()] = value.strip()
    return int(lines[start].split(None, 2)[1]), headers
