"""A proxy to DynamoDB that injects faults: lost responses, errors, throttling.

It is between an app and the local engine, and forwards requests without a fault.
"""

import contextlib
import http.client
import json
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import urlsplit

_JSON = "application/x-amz-json-1.0"
_NOT_FORWARDED = {"connection", "content-length", "date", "host", "server", "transfer-encoding"}


@dataclass(frozen=True)
class Request:
    """A request of the app."""

    operation: str
    body: bytes
    headers: dict[str, str]


@dataclass(frozen=True)
class Reply:
    """The response to the app."""

    status: int
    body: bytes
    headers: dict[str, str]


Forward = Callable[[Request], Reply]
# The response to one request; None closes the connection without one.
Fault = Callable[[Request, Forward], Reply | None]


def lost_reply(request: Request, forward: Forward) -> None:
    """DynamoDB executes the request, and the response is lost."""
    forward(request)


def lost_request(request: Request, forward: Forward) -> None:
    """The connection closes before DynamoDB receives the request."""


def failed(request: Request, forward: Forward) -> Reply:
    """DynamoDB fails and does nothing."""
    return _error(500, "InternalServerError")


def failed_afterwards(request: Request, forward: Forward) -> Reply:
    """DynamoDB executes the request, and responds with an error."""
    forward(request)
    return _error(500, "InternalServerError")


def throttled(request: Request, forward: Forward) -> Reply:
    """A table on demand has grown too fast, or the account is at its limit."""
    return _error(400, "ThrottlingException")


def over_capacity(request: Request, forward: Forward) -> Reply:
    """A provisioned table has used up its capacity units."""
    return _error(400, "ProvisionedThroughputExceededException")


def conflicted(request: Request, forward: Forward) -> Reply:
    """A transaction conflicts with another one on its first item."""
    others = len(json.loads(request.body)["TransactItems"]) - 1
    reasons = [{"Code": "TransactionConflict"}, *[{"Code": "None"}] * others]
    return _error(400, "TransactionCanceledException", CancellationReasons=reasons)


def in_a_transaction(request: Request, forward: Forward) -> Reply:
    """A transaction is changing the item of a single write."""
    return _error(400, "TransactionConflictException")


def in_progress(request: Request, forward: Forward) -> Reply:
    """The first attempt of a repeated transaction is still in progress."""
    return _error(400, "TransactionInProgressException")


def unprocessed(request: Request, forward: Forward) -> Reply:
    """DynamoDB had no capacity for any key of a batch."""
    wanted = json.loads(request.body)["RequestItems"]
    return _reply(200, {"Responses": {}, "UnprocessedKeys": wanted})


def half_processed(request: Request, forward: Forward) -> Reply:
    """DynamoDB had capacity for all tables of a batch but the first."""
    wanted = json.loads(request.body)
    (name, keys), *rest = wanted["RequestItems"].items()
    body = json.dumps({**wanted, "RequestItems": dict(rest)}).encode()
    answer = json.loads(forward(Request(request.operation, body, request.headers)).body)
    return _reply(200, {**answer, "UnprocessedKeys": {name: keys}})


def overtaken(request: Request, forward: Forward) -> Reply:
    """Another host has sent the same request just before."""
    forward(request)
    again = forward(request)
    # The engine enables a stream and a time to live repeatedly; DynamoDB's API reference has a
    # ValidationException for the second request.
    return again if again.status >= 400 else _error(400, "ValidationException")


class FaultyProxy:
    """A context manager that listens on `url`.

    Example:
        >>> proxy.next("TransactWriteItems", lost_reply)
        >>> proxy.always("BatchGetItem", unprocessed)
    """

    def __init__(self, engine: str) -> None:
        self._engine = urlsplit(engine).netloc
        self._lock = threading.Lock()
        self._coming: dict[str, list[Fault]] = defaultdict(list)
        self._constant: dict[str, Fault] = {}
        self.seen: list[str] = []

    def __enter__(self) -> Self:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, self._answer))
        # Closing the server waits for its threads, and those wait for a client that keeps its
        # connection alive.
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def url(self) -> str:
        """The URL of the proxy."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def next(self, operation: str, *faults: Fault) -> None:
        """Inject faults into the next requests of an operation, one each."""
        with self._lock:
            self._coming[operation] += faults

    def always(self, operation: str, fault: Fault) -> None:
        """Inject a fault into every request of an operation."""
        with self._lock:
            self._constant[operation] = fault

    def behave(self) -> None:
        """Remove all faults."""
        with self._lock:
            self._coming.clear()
            self._constant.clear()

    def count(self, operation: str) -> int:
        """Return the number of requests of an operation, including those with faults."""
        with self._lock:
            return self.seen.count(operation)

    def _answer(self, request: Request) -> Reply | None:
        with self._lock:
            self.seen.append(request.operation)
            coming = self._coming[request.operation]
            fault = coming.pop(0) if coming else self._constant.get(request.operation)
        return fault(request, self._forward) if fault else self._forward(request)

    def _forward(self, request: Request) -> Reply:
        with contextlib.closing(http.client.HTTPConnection(self._engine, timeout=30)) as line:
            line.request("POST", "/", request.body, request.headers)
            response = line.getresponse()
            return Reply(response.status, response.read(), dict(response.getheaders()))


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Headers and body leave in one write: two would wait 40 ms for the client's delayed ACK.
    wbufsize = -1

    def __init__(self, answer: Callable[[Request], Reply | None], *connection: Any) -> None:
        # The base class answers within its constructor.
        self._answer = answer
        super().__init__(*connection)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        operation = self.headers["X-Amz-Target"].rpartition(".")[2]
        reply = self._answer(Request(operation, body, dict(_handed_on(self.headers.items()))))
        if reply is None:
            self.close_connection = True
            return
        self.send_response(reply.status)
        for name, value in _handed_on(reply.headers.items()):
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body)

    def log_message(self, *_: Any) -> None:
        """Say nothing: what is lost is lost on purpose."""


def _handed_on(headers: Any) -> Iterator[tuple[str, str]]:
    return ((name, value) for name, value in headers if name.lower() not in _NOT_FORWARDED)


def _error(status: int, code: str, **more: Any) -> Reply:
    kind = f"com.amazonaws.dynamodb.v20120810#{code}"
    return _reply(status, {"__type": kind, "message": "by the faulty proxy", **more})


def _reply(status: int, body: dict[str, Any]) -> Reply:
    # DynamoDB's own answers carry a checksum; botocore looks at it only where there is one.
    return Reply(status, json.dumps(body).encode(), {"Content-Type": _JSON})
