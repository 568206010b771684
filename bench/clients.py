"""`python -m bench.clients`: processor time by HTTP client, the reason for the curl transport.

One thread sends the same signed GetItem repeatedly to an engine in memory and reads the response,
without PynamoDB and without parsing. Only this process's processor time counts. The clients
alternate within each round; the figures are medians. pyreqwest, which Roster does not need, is
measured if it is installed (`pip install pyreqwest`).
"""

import importlib
import importlib.util
import json
import socket
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from http.client import HTTPConnection
from importlib.metadata import version
from io import BytesIO
from statistics import median
from typing import Any

import botocore.session
import pycurl  # type: ignore[import-untyped]
import urllib3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from bench.support import command, environment
from bench.support.document import Section
from bench.support.engine import local_engine
from bench.support.process import BenchError
from bench.support.tables import row, spread
from flask_pynamodb.local import Engine

SECTION = Section("bench.clients")
_CREDENTIALS = ("local", "local")
_KEY = {"id": {"S": "ada"}}
_ITEM = {**_KEY, "text": {"S": "x" * 300}}
_CALLS = 400

Send = Callable[[], bytes]
# Microseconds of processor time for a call, by client.
Round = dict[str, float]


def main() -> int:
    """Measure, print, write the results with --write, and return the exit status."""
    arguments = command.create_parser("bench.clients", __doc__, rounds=5, seconds=1).parse_args()

    def measure() -> str:
        with local_engine() as engine:
            clients = dict(_clients(engine))
            _check_responses(clients)
            rounds = [
                {name: _cost(send) for name, send in clients.items()}
                for _ in range(arguments.rounds + 1)
            ]
        # The first round opens connections and fills caches; it is discarded.
        return "\n".join(_render(rounds[1:]))

    return command.run(SECTION, arguments.write, measure)


def _clients(engine: Engine) -> Iterator[tuple[str, Send]]:
    sdk = botocore.session.get_session()
    sdk.set_credentials(*_CREDENTIALS)
    client = sdk.create_client("dynamodb", "us-east-1", endpoint_url=engine.host)
    client.create_table(
        TableName="people",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    client.put_item(TableName="people", Item=_ITEM)
    body = json.dumps({"TableName": "people", "Key": _KEY}).encode()
    headers = _signed(engine.host, body)
    yield "botocore", lambda: repr(client.get_item(TableName="people", Key=_KEY)).encode()
    yield "urllib3", _urllib3(engine.host, headers, body)
    yield "http.client", _http_client(engine.host, headers, body)
    yield "pycurl, signed by curl", _pycurl(engine.host, headers, body, signs=True)
    if importlib.util.find_spec("pyreqwest"):
        yield "pyreqwest", _pyreqwest(engine.host, headers, body)
    yield "pycurl", _pycurl(engine.host, headers, body)
    yield "a bare socket", _bare_socket(engine.host, headers, body)


def _signed(url: str, body: bytes) -> dict[str, str]:
    headers = {
        "Content-Type": "application/x-amz-json-1.0",
        "X-Amz-Target": "DynamoDB_20120810.GetItem",
    }
    request = AWSRequest("POST", f"{url}/", headers, data=body)
    SigV4Auth(Credentials(*_CREDENTIALS), "dynamodb", "us-east-1").add_auth(request)
    return dict(request.headers.items())


def _urllib3(url: str, headers: dict[str, str], body: bytes) -> Send:
    pool = urllib3.connection_from_url(url)
    return lambda: pool.urlopen("POST", "/", body, headers).data


def _http_client(url: str, headers: dict[str, str], body: bytes) -> Send:
    connection = HTTPConnection(url.removeprefix("http://"))

    def send() -> bytes:
        connection.request("POST", "/", body, headers)
        return connection.getresponse().read()

    return send


def _pycurl(url: str, headers: dict[str, str], body: bytes, *, signs: bool = False) -> Send:
    # As in the curl transport: callbacks that run no Python, a body that cannot be rewound.
    curl, parts, lines = pycurl.Curl(), list[bytes](), list[bytes]()
    if signs:
        headers = {name: headers[name] for name in ("Content-Type", "X-Amz-Target")}
        curl.setopt(pycurl.AWS_SIGV4, "aws:amz:us-east-1:dynamodb")
        curl.setopt(pycurl.USERPWD, ":".join(_CREDENTIALS))
    options: dict[int, Any] = {
        pycurl.URL: f"{url}/",
        pycurl.POST: 1,
        pycurl.WRITEFUNCTION: parts.append,
        pycurl.HEADERFUNCTION: lines.append,
        pycurl.SEEKFUNCTION: lambda *_: pycurl.SEEKFUNC_FAIL,
    }
    for option, value in options.items():
        curl.setopt(option, value)
    header_lines = [f"{name}: {value}" for name, value in headers.items()]

    def send() -> bytes:
        if signs:
            # curl signs a body in memory, but not one that it reads by callback.
            curl.setopt(pycurl.POSTFIELDS, body)
        else:
            curl.setopt(pycurl.READFUNCTION, BytesIO(body).read)
            curl.setopt(pycurl.POSTFIELDSIZE, len(body))
        curl.setopt(pycurl.HTTPHEADER, header_lines)
        curl.perform()
        response = b"".join(parts)
        parts.clear()
        lines.clear()
        return response

    return send


def _pyreqwest(url: str, headers: dict[str, str], body: bytes) -> Send:
    client = importlib.import_module("pyreqwest.client").SyncClientBuilder().build().__enter__()

    def send() -> bytes:
        response = client.post(f"{url}/").headers(headers).body_bytes(body).build().send()
        return bytes(response.bytes())

    return send


def _bare_socket(url: str, headers: dict[str, str], body: bytes) -> Send:
    # The lower bound for any client. It assumes that a response arrives in one piece.
    host = url.removeprefix("http://")
    name, port = host.split(":")
    connection = socket.create_connection((name, int(port)))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    lines = [f"{name}: {value}" for name, value in headers.items()]
    head = "\r\n".join(
        ("POST / HTTP/1.1", f"Host: {host}", f"Content-Length: {len(body)}", *lines, "", "")
    )
    request = head.encode() + body

    def send() -> bytes:
        connection.sendall(request)
        return connection.recv(65536).partition(b"\r\n\r\n")[2]

    return send


def _check_responses(clients: dict[str, Send]) -> None:
    for name, send in clients.items():
        if b"xxx" not in send():
            raise BenchError(f"{name} did not return the item")


def _cost(send: Send) -> float:
    before = time.process_time()
    for _ in range(_CALLS):
        send()
    return (time.process_time() - before) / _CALLS * 1e6


def _render(rounds: Sequence[Round]) -> Iterator[str]:
    packages = ["botocore", "urllib3", "pycurl"]
    packages += ["pyreqwest"] * bool(importlib.util.find_spec("pyreqwest"))
    yield environment.command(command.command_line("bench.clients"))
    yield environment.machine()
    yield f"- Versions: {', '.join(f'{name} {version(name)}' for name in packages)}"
    yield f"- Medians of {len(rounds)} rounds of {_CALLS} calls"
    yield ""
    yield "| client | µs of processor time per call | min..max | botocore / client |"
    yield "| --- | ---: | ---: | ---: |"
    for name in rounds[0]:
        costs = [cost[name] for cost in rounds]
        ratio = median(cost["botocore"] / cost[name] for cost in rounds)
        yield row([name, *spread(costs, "{:.0f}".format), f"{ratio:.1f}"])


if __name__ == "__main__":
    sys.exit(main())
