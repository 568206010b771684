"""Clients that write all the time, and keep what was acknowledged."""

import http.client
import itertools
import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from bench.support.process import LOOPBACK
from bench.support.users import PASSWORD

# Longer than any deadline of the service: a client that waits this long has found a fault.
_TIMEOUT = 60.0
# What a response counts as when the connection was closed without one.
NO_RESPONSE = 0
_PAUSE = 0.02


@dataclass(frozen=True)
class Response:
    """One response.

    Attributes:
        at: When it arrived, by the monotonic clock.
        seconds: How long it took.
        status: The status, or `NO_RESPONSE`.
        is_refused: Whether no connection was accepted.
    """

    at: float
    seconds: float
    status: int
    is_refused: bool = False


class Clients:
    """Threads that sign up, change the account, and read it.

    Args:
        port: The port of the service.
        count: The number of threads.
        pause: Seconds that a thread waits before each request.
        prefix: How usernames begin; different for clients of the same service.

    Attributes:
        responses: All responses.
        acknowledged: The last acknowledged full name of each user, by ID.
    """

    def __init__(
        self, port: int, count: int, *, pause: float = 0.0, prefix: str = "client"
    ) -> None:
        self._port = port
        self._pause = pause
        self._prefix = prefix
        self._count = count
        self._numbers = itertools.count()
        self._stopping = threading.Event()
        self.responses: list[Response] = []
        self.acknowledged: dict[str, str] = {}
        # Changes without a response: they may have been made.
        self.uncertain: dict[str, set[str]] = {}

    @contextmanager
    def running(self) -> Iterator[None]:
        """Run the threads while the block runs."""
        threads = [threading.Thread(target=self._work) for _ in range(self._count)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._stopping.set()
            for thread in threads:
                thread.join()

    def statuses(self, begin: float, end: float) -> Counter[int]:
        """Return the numbers of responses in a time, by status."""
        return Counter(each.status for each in self.responses if begin <= each.at < end)

    def call(self, method: str, path: str, body: Any = None, token: str = "") -> tuple[int, Any]:
        """Make a request on a new connection; return status and JSON."""
        headers = {"Content-Type": "application/json"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        time.sleep(self._pause)
        began = time.monotonic()
        status, answer, is_refused = NO_RESPONSE, None, False
        connection = http.client.HTTPConnection(LOOPBACK, self._port, timeout=_TIMEOUT)
        try:
            connection.connect()
            connection.request(method, path, body and json.dumps(body), headers)
            response = connection.getresponse()
            text = response.read()
            status, answer = response.status, json.loads(text) if text else None
        except ConnectionRefusedError:
            is_refused = True
        except (OSError, http.client.HTTPException):
            # It counts as no response.
            pass
        finally:
            connection.close()
        now = time.monotonic()
        self.responses.append(Response(now, now - began, status, is_refused))
        return status, answer

    def _work(self) -> None:
        while not self._stopping.is_set():
            self._live_one_life(next(self._numbers))
            time.sleep(_PAUSE)

    def _live_one_life(self, number: int) -> None:
        """Sign up, sign in, change the name and read it."""
        name = f"{self._prefix}-{number}"
        account = {"username": name, "email": f"{name}@example.com", "password": PASSWORD}
        status, user = self.call("POST", "/v1/users", {**account, "full_name": name})
        if status != 201:
            return
        self.acknowledged[user["id"]] = name
        status, session = self.call("POST", "/v1/sessions", {"login": name, "password": PASSWORD})
        if status != 201:
            return
        changed = f"{name} changed"
        self.uncertain[user["id"]] = {changed}
        status, _ = self.call("PATCH", "/v1/users/me", {"full_name": changed}, session["token"])
        if status == 200:
            self.acknowledged[user["id"]] = changed
        self.call("GET", "/v1/users/me", token=session["token"])
