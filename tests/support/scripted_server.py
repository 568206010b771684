"""A server that plays a script, and hands what is not scripted to the engine behind it."""

import http.client
import json
import socket
import ssl
import struct
import threading
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import IO, Any, Self
from urllib.parse import urlsplit
from zlib import crc32

JSON = "application/x-amz-json-1.0"


@dataclass(frozen=True)
class Request:
    """What a client has sent; `headers` by lower-case names."""

    line: str
    headers: dict[str, str]
    body: bytes

    @property
    def operation(self) -> str:
        return self.headers.get("x-amz-target", "").rpartition(".")[2]

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Reply:
    """A scripted response; a Content-Length is added unless it has one."""

    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": JSON})

    def render(self) -> bytes:
        headers = {"Content-Length": str(len(self.body)), **self.headers}
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        return f"HTTP/1.1 {self.status} Scripted\r\n{lines}\r\n".encode() + self.body


class Exchange:
    """One request and the means to answer it."""

    def __init__(self, server: "ScriptedServer", request: Request, connection: socket.socket):
        self.request = request
        self.connection = connection
        self.is_over = False
        self._server = server

    def apply(self) -> Reply:
        """Let the engine do what was asked for."""
        engine = http.client.HTTPConnection(self._server.behind, timeout=10)
        try:
            skipped = ("host", "content-length", "connection")
            headers = {n: v for n, v in self.request.headers.items() if n not in skipped}
            engine.request("POST", "/", self.request.body, headers)
            answer = engine.getresponse()
            kept = ("content-type", "x-amzn-requestid", "x-amz-crc32", "date")
            headers = {n: v for n, v in answer.getheaders() if n.lower() in kept}
            return Reply(answer.status, answer.read(), headers)
        finally:
            engine.close()

    def send(self, reply: Reply) -> None:
        self.connection.sendall(reply.render())

    def reset(self) -> None:
        """Break the connection with a TCP reset."""
        linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.is_over = True

    def wait_until_client_leaves(self) -> None:
        self.connection.recv(1)
        self.is_over = True


Step = Callable[[Exchange], None]


class ScriptedServer:
    """Listens on a free port of 127.0.0.1.

    Attributes:
        requests: All that came in, in order.
        connections: How many were accepted.
    """

    def __init__(self, behind: str = "", context: ssl.SSLContext | None = None) -> None:
        self.behind = urlsplit(behind).netloc
        self.requests: list[Request] = []
        self.connections = 0
        self._context = context
        self._steps: deque[Step] = deque()
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.netloc = f"127.0.0.1:{self.port}"
        self.host = f"{'https' if context else 'http'}://{self.netloc}"

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        # close() alone would leave the accepting thread waiting.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in list(self._open):
            with suppress(OSError):
                # Not TLS's own, which takes the connection from the thread that reads from it.
                socket.socket.shutdown(connection, socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()

    def play(self, *steps: Step) -> None:
        """Answer the next requests so, one step for each; all others go to the engine."""
        self._steps.extend(steps)

    @property
    def is_open(self) -> bool:
        """Whether a connection is left."""
        return bool(self._open)

    def wait_until_closed(self) -> None:
        """Wait until every connection that came has gone."""
        for thread in self._threads[1:]:
            thread.join(10)

    def _start(self, target: Callable[..., None], *args: Any) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self.connections += 1
                if self._context:
                    # The handshake is for the connection's own thread.
                    connection = self._context.wrap_socket(
                        connection, server_side=True, do_handshake_on_connect=False
                    )
                self._open.add(connection)
                self._start(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError), connection, connection.makefile("rb") as reader:
            while request := _read(reader):
                self.requests.append(request)
                exchange = Exchange(self, request, connection)
                step = self._steps.popleft() if self._steps else forward
                step(exchange)
                if exchange.is_over:
                    break
        self._open.discard(connection)


def _read(reader: IO[bytes]) -> Request | None:
    line = reader.readline().decode()
    if not line:
        return None
    headers = {}
    while (header := reader.readline().decode("latin-1").strip()) != "":
        name, _, value = header.partition(":")
        headers[name.lower()] = value.strip()
    return Request(line.strip(), headers, reader.read(int(headers.get("content-length", 0))))


def forward(exchange: Exchange) -> None:
    """Hand it to the engine, and its answer back."""
    exchange.send(exchange.apply())


def answer(status: int, body: bytes | dict[str, Any], **headers: str) -> Step:
    """Answer without the engine; underscores in names of headers stand for hyphens."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda exchange: exchange.send(Reply(status, raw, {"Content-Type": JSON, **lines}))


def error(status: int, code: str, **headers: str) -> Step:
    """Refuse as DynamoDB does."""
    kind = f"com.amazonaws.dynamodb.v20120810#{code}"
    return answer(status, {"__type": kind, "message": f"{code}, as scripted"}, **headers)


def changed(change: Callable[[Reply], Reply]) -> Step:
    """Let the engine apply it, and change its answer."""
    return lambda exchange: exchange.send(change(exchange.apply()))


def end_instead_of_reply(exchange: Exchange) -> None:
    """Close the connection without a word, with nothing applied."""
    exchange.is_over = True


def reset_before(exchange: Exchange) -> None:
    """Break the connection with nothing applied."""
    exchange.reset()


def reset_after(exchange: Exchange) -> None:
    """Apply it, and break the connection instead of answering."""
    exchange.apply()
    exchange.reset()


def stall(exchange: Exchange) -> None:
    """Never answer, with nothing applied."""
    exchange.wait_until_client_leaves()


def truncate(exchange: Exchange) -> None:
    """Apply it, promise the whole answer, send half of it and end the connection."""
    rendered = exchange.apply().render()
    exchange.connection.sendall(rendered[: len(rendered) - 10])
    exchange.is_over = True


def drip(pause: float) -> Step:
    """Apply it and send the answer's body byte by byte, with a pause before each."""

    def step(exchange: Exchange) -> None:
        head, _, body = exchange.apply().render().partition(b"\r\n\r\n")
        exchange.connection.sendall(head + b"\r\n\r\n")
        for byte in body:
            threading.Event().wait(pause)
            exchange.connection.sendall(bytes([byte]))

    return step


def chunked(exchange: Exchange) -> None:
    """Apply it, and answer in chunks with a trailer."""
    reply = exchange.apply()
    headers = {**reply.headers, "Transfer-Encoding": "chunked"}
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    chunks = b"".join(b"%x\r\n%c\r\n" % (1, byte) for byte in reply.body)
    exchange.connection.sendall(
        f"HTTP/1.1 200 OK\r\n{lines}\r\n".encode() + chunks + b"0\r\nx-trailer: late\r\n\r\n"
    )


def hint_first(exchange: Exchange) -> None:
    """Apply it, and send an interim reply before the answer."""
    reply = exchange.apply()
    exchange.connection.sendall(b"HTTP/1.1 103 Early Hints\r\nlink: <nowhere>\r\n\r\n")
    exchange.send(reply)


def damaged(reply: Reply) -> Reply:
    """A number has one digit more than what the checksum was made of."""
    return replace(reply, body=reply.body.replace(b'"N":"', b'"N":"9', 1))


def without(name: str) -> Callable[[Reply], Reply]:
    """A reply without one of its headers."""
    return lambda reply: replace(
        reply, headers={n: v for n, v in reply.headers.items() if n.lower() != name}
    )


def with_checksum(body: bytes) -> Step:
    """Answer 200 with any body and the checksum that belongs to it."""
    return answer(200, body, x_amz_crc32=str(crc32(body)))


def tunnel(exchange: Exchange) -> None:
    """Act as a proxy: connect to the requested host, and copy bytes in both directions."""
    host, _, port = exchange.request.line.split()[1].rpartition(":")
    with socket.create_connection((host, int(port))) as beyond:
        exchange.connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        back = threading.Thread(target=_carry, args=(beyond, exchange.connection))
        back.start()
        _carry(exchange.connection, beyond)
        back.join()
    exchange.is_over = True


def _carry(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


def repeated(step: Step, times: int) -> Iterable[Step]:
    """The same step several times."""
    return [step] * times
