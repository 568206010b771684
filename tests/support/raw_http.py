"""Requests byte by byte, for input that an HTTP client does not send."""

import socket
import time
from collections.abc import Iterable

from tests.support.process_harness import HERE, PATIENCE

JSON = "Content-Type: application/json"


def connect(port: int) -> socket.socket:
    """Open a connection to the service."""
    return socket.create_connection((HERE, port), timeout=PATIENCE)


def head(method: str, path: str, *headers: str, host: str | None = "a") -> bytes:
    """Return a request line and header fields with the empty line after them."""
    lines = [f"{method} {path} HTTP/1.1", *([f"Host: {host}"] if host else []), *headers, "", ""]
    return "\r\n".join(lines).encode()


def chunked(*chunks: bytes) -> bytes:
    """Return a body in chunks, without the last one."""
    return b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks)


def read_to_end(connection: socket.socket) -> bytes:
    """Return all data until the server closes the connection."""
    parts = []
    try:
        while part := connection.recv(65536):
            parts.append(part)
    except ConnectionResetError:
        pass
    return b"".join(parts)


def exchange(port: int, request: bytes, *, half_close: bool = False) -> bytes:
    """Send a request on a new connection, and return all data until the server closes it."""
    with connect(port) as connection:
        connection.sendall(request)
        if half_close:
            connection.shutdown(socket.SHUT_WR)
        return read_to_end(connection)


def status_of(response: bytes) -> int:
    """Return the status of a response; 0 without one."""
    return int(response[9:12]) if response.startswith(b"HTTP/1.") else 0


def send_slowly(connection: socket.socket, parts: Iterable[bytes], seconds: float) -> None:
    """Send parts with a pause after each."""
    for part in parts:
        connection.sendall(part)
        time.sleep(seconds)
