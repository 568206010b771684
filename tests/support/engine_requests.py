"""Requests to the local engine that are sent together, and answered in one round trip.

The tables are read after each test and by many tests. A client for each request takes ten times as
long, and reading was most of the requests of the suite.
"""

import json
import socket
from collections.abc import Iterator, Sequence
from io import BufferedReader
from typing import Any
from urllib.parse import urlsplit

PATIENCE = 20.0
Json = dict[str, Any]
# The engine wants a signature, and does not verify it.
_HEAD = (
    "POST / HTTP/1.1\r\n"
    "Host: {host}\r\n"
    "X-Amz-Target: DynamoDB_20120810.{operation}\r\n"
    "X-Amz-Date: 20260101T000000Z\r\n"
    "Authorization: AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/dynamodb/aws4_request,"
    " SignedHeaders=host;x-amz-date, Signature=0\r\n"
    "Content-Type: application/x-amz-json-1.0\r\n"
    "Content-Length: {length}\r\n"
    "\r\n"
)


class RejectedError(Exception):
    """The engine rejected a request."""


def send_all(host: str, operation: str, requests: Sequence[Json]) -> list[Json]:
    """Return the responses of one operation to several requests.

    Args:
        host: The URL of the engine.
        operation: The name of the operation.
        requests: Its arguments in DynamoDB's format.

    Raises:
        RejectedError: The engine rejected one of them; the others have taken effect.
    """
    url = urlsplit(host)
    with socket.create_connection((url.hostname, url.port), PATIENCE) as connection:
        connection.sendall(b"".join(_encoded(url.netloc, operation, body) for body in requests))
        with connection.makefile("rb") as answers:
            received = [_read(answers) for _ in requests]
    for status, body in received:
        if status != 200:
            raise RejectedError(body["__type"])
    return [body for _, body in received]


def _encoded(host: str, operation: str, request: Json) -> bytes:
    body = json.dumps(request).encode()
    return _HEAD.format(host=host, operation=operation, length=len(body)).encode() + body


def _read(answers: BufferedReader) -> tuple[int, Json]:
    status = int(answers.readline().split()[1])
    fields = dict(_fields(answers))
    return status, json.loads(answers.read(int(fields["content-length"])))


def _fields(answers: BufferedReader) -> Iterator[tuple[str, str]]:
    while line := answers.readline().strip():
        name, _, value = line.decode().partition(":")
        yield name.lower(), value
