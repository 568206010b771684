"""A server that answers as the test says, and keeps the requests."""

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

Answer = tuple[int, dict[str, str], Any]


class Server:
    """Answers requests in turn.

    Attributes:
        url: Where it listens.
        answers: The answers that are left: status, header fields and JSON body.
        requests: The requests so far: method, path, header fields and body.
    """

    def __init__(self, port: int, answers: list[Answer]) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.answers = answers
        self.requests: list[tuple[str, str, dict[str, str], bytes]] = []

    @property
    def keys(self) -> list[str | None]:
        """The `Idempotency-Key` of each request."""
        return [headers.get("idempotency-key") for _, _, headers, _ in self.requests]


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    """Start a server with answers."""
    with contextlib.ExitStack() as stack:

        def start(*answers: Answer) -> Server:
            http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
            http.daemon_threads = True
            http.server = Server(http.server_port, list(answers))
            thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02})
            thread.start()
            stack.callback(thread.join)
            stack.callback(http.server_close)
            stack.callback(http.shutdown)
            return http.server

        yield start


class Handler(BaseHTTPRequestHandler):
    """Answers one request."""

    protocol_version = "HTTP/1.1"

    def handle_one_request(self) -> None:
        self.raw_requestline = self.rfile.readline(65537)
        if not self.raw_requestline or not self.parse_request():
            self.close_connection = True
            return
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.server.requests.append((self.command, self.path, headers, body))
        status, fields, content = self.server.server.answers.pop(0)
        content = b"" if content is None else json.dumps(content).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **fields}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Print nothing."""
