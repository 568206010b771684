"""A proxy between the service and the engine, which injects one kind of fault at a time."""

import contextlib
import http.client
import json
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

_JSON = "application/x-amz-json-1.0"
_KEPT = ("content-type", "x-amz-target", "authorization", "x-amz-date", "x-amz-crc32")
_TIMEOUT = 30.0
# Faults that hit a part of the requests leave the others as they are.
_SHARE = 0.5

# Status, header fields and body; None closes the connection.
Reply = tuple[int, dict[str, str], bytes] | None
Forward = Callable[[], Reply]
Fault = Callable[[Forward], Reply]


def none(forward: Forward) -> Reply:
    """Forward the request."""
    return forward()


def throttle(forward: Forward) -> Reply:
    """Reject half of the requests for lack of capacity."""
    return _error(400, "ThrottlingException") if _is_hit() else forward()


def throttle_all(forward: Forward) -> Reply:
    """Reject all requests for lack of capacity."""
    return _error(400, "ThrottlingException")


def fail(forward: Forward) -> Reply:
    """Answer half of the requests with an error, before or after they are executed."""
    if not _is_hit():
        return forward()
    if _is_hit():
        forward()
    return _error(500, "InternalServerError")


def reset(forward: Forward) -> Reply:
    """Close half of the connections, before or after the request is executed."""
    if not _is_hit():
        return forward()
    if _is_hit():
        forward()
    return None


def stall(forward: Forward) -> Reply:
    """Answer each request after two seconds."""
    time.sleep(2)
    return forward()


def _is_hit() -> bool:
    # Nothing depends on the quality of this randomness.
    return random.random() < _SHARE  # nosec B311


class ChaosProxy:
    """Forwards requests to an engine, through the current fault.

    Attributes:
        url: The URL of the proxy.
        fault: The current fault.
    """

    def __init__(self, engine: str) -> None:
        self._engine = urlsplit(engine).netloc
        self.fault: Fault = none
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, self))
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    @contextmanager
    def serving(self) -> Iterator[None]:
        """Serve while the block runs."""
        thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._server.shutdown()
            self._server.server_close()

    def answer(self, body: bytes, headers: dict[str, str]) -> Reply:
        """Return the response to a request."""
        return self.fault(partial(self._forward, body, headers))

    def _forward(self, body: bytes, headers: dict[str, str]) -> Reply:
        try:
            connection = http.client.HTTPConnection(self._engine, timeout=_TIMEOUT)
            with contextlib.closing(connection):
                connection.request("POST", "/", body, headers)
                response = connection.getresponse()
                return response.status, _kept(response.getheaders()), response.read()
        except OSError:
            # The engine is down: so is the proxy.
            return None


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Headers and body leave in one write: two would wait 40 ms for the client's delayed ACK.
    wbufsize = -1

    def __init__(self, proxy: ChaosProxy, *connection: Any) -> None:
        self._proxy = proxy
        super().__init__(*connection)

    def do_POST(self) -> None:
        """Answer a request of the service."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        reply = self._proxy.answer(body, _kept(self.headers.items()))
        if reply is None:
            self.close_connection = True
            return
        status, headers, content = reply
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        # The service may have given up.
        with contextlib.suppress(OSError):
            self.wfile.write(content)
            self.wfile.flush()

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing."""


def _kept(headers: Any) -> dict[str, str]:
    return {name: value for name, value in headers if name.lower() in _KEPT}


def _error(status: int, code: str) -> Reply:
    body = {"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": "injected"}
    return status, {"Content-Type": _JSON}, json.dumps(body).encode()
