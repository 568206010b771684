"""Clients that wrk cannot simulate: simultaneous, slow, and with a fixed number of requests."""

import asyncio
import http.client
import json
import resource
import socket
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from statistics import quantiles

from bench.support.process import LOOPBACK, BenchError
from bench.support.service import Service
from bench.support.users import PAGE, PASSWORD, Users

HALF_SENT = 1000
SIGN_UPS = 256
PROBES = 200
REQUESTS = 10_000
# The connections of wrk and the pipes of child processes in addition to those that are half sent.
_FILES = HALF_SENT + 1000
_CONCURRENCY = 16
_TIMEOUT = 10.0
_SIGN_UPS_TIMEOUT = 60.0
# Lets the service process opened and closed connections before the next measurement starts.
_PAUSE = 1.0
_HALF_BODY = (
    b"POST /v1/sessions HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n"
    b'Content-Length: 100\r\n\r\n{"login": '
)


@dataclass(frozen=True)
class SignUps:
    """The responses to sign-ups that were sent at once.

    Attributes:
        created: The number of responses with 201.
        rejected: The number of responses with 503.
        seconds: From the first request to the last response.
    """

    created: int
    rejected: int
    seconds: float


@dataclass(frozen=True)
class Latency:
    """The latency of requests, in milliseconds."""

    p50: float
    p99: float


def raise_file_limit() -> None:
    """Allow enough open files in this process and in the services that it starts.

    Raises:
        BenchError: The hard limit is too low.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < _FILES:
        raise BenchError(f"The limit of open files is {hard}; at least {_FILES} are needed.")
    if soft != resource.RLIM_INFINITY:
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, _FILES), hard))


def sign_up_at_once(roster: Service) -> SignUps:
    """Open a connection for each sign-up, then send all of them.

    Raises:
        BenchError: A response is missing, or neither 201 nor 503.
    """
    return asyncio.run(_sign_up_at_once(roster))


def probe_latency(roster: Service) -> Latency:
    """Measure `GET /health/live`, each time on a new connection."""
    seconds = [_probe(roster) for _ in range(PROBES)]
    percentiles = quantiles(seconds, n=100)
    return Latency(percentiles[49] * 1000, percentiles[98] * 1000)


@contextmanager
def half_sent_bodies(roster: Service) -> Iterator[None]:
    """Hold connections open that have sent the first bytes of a body.

    Raises:
        BenchError: The service has responded to one of them, or closed it.
    """
    with ExitStack() as stack:
        connections = [
            stack.enter_context(socket.create_connection((LOOPBACK, roster.port), _TIMEOUT))
            for _ in range(HALF_SENT)
        ]
        for connection in connections:
            connection.sendall(_HALF_BODY)
        time.sleep(_PAUSE)
        yield
        ended = sum(not _is_waiting(connection) for connection in connections)
    # The service responds to the incomplete bodies.
    time.sleep(_PAUSE)
    if ended:
        raise BenchError(f"{ended} of {HALF_SENT} connections did not stay open.")


def make_mixed_requests(roster: Service, users: Users) -> None:
    """Make reads, and some lists and sign-ins: 90, 9 and 1 percent."""
    with ThreadPoolExecutor(_CONCURRENCY) as pool:
        for _ in pool.map(partial(_make_request, roster, users), range(REQUESTS)):
            pass


async def _sign_up_at_once(roster: Service) -> SignUps:
    try:
        async with asyncio.timeout(_SIGN_UPS_TIMEOUT):
            connections = [
                await asyncio.open_connection(LOOPBACK, roster.port) for _ in range(SIGN_UPS)
            ]
            start = time.monotonic()
            for number, (_, writer) in enumerate(connections):
                writer.write(_sign_up_request(number))
            responses = await asyncio.gather(*(reader.read() for reader, _ in connections))
            seconds = time.monotonic() - start
    except (OSError, TimeoutError) as error:
        raise BenchError(f"A sign-up was not answered: {error!r}") from None
    for _, writer in connections:
        writer.close()
    statuses = Counter(response[9:12].decode() for response in responses)
    if statuses.keys() - {"201", "503"}:
        raise BenchError(f"The sign-ups returned {dict(statuses)}, not only 201 and 503.")
    return SignUps(statuses["201"], statuses["503"], seconds)


def _sign_up_request(number: int) -> bytes:
    name = f"at-once-{number}"
    user = {"username": name, "email": f"{name}@example.com", "password": PASSWORD}
    body = json.dumps(user)
    return (
        "POST /v1/users HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n"
        f"Connection: close\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    ).encode()


def _probe(roster: Service) -> float:
    start = time.perf_counter()
    connection = http.client.HTTPConnection(LOOPBACK, roster.port, timeout=_TIMEOUT)
    try:
        connection.request("GET", "/health/live")
        response = connection.getresponse()
        response.read()
        seconds = time.perf_counter() - start
    except OSError as error:
        raise BenchError(f"GET /health/live failed: {error!r}") from None
    finally:
        connection.close()
    if response.status != 200:
        raise BenchError(f"GET /health/live returned {response.status}.")
    return seconds


def _is_waiting(connection: socket.socket) -> bool:
    """Return whether the service has neither responded nor closed the connection."""
    connection.setblocking(False)
    try:
        connection.recv(1)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def _make_request(roster: Service, users: Users, number: int) -> None:
    if number % 100 == 0:
        login = users.usernames[number // 100 % len(users.usernames)]
        body = {"login": login, "password": PASSWORD}
        roster.request("POST", "/v1/sessions", 201, body=body)
    elif number % 10 == 0:
        roster.request("GET", PAGE, 200, token=users.admin_token)
    else:
        roster.request("GET", f"/v1/users/{users.user['id']}", 200, token=users.token)
