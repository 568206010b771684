"""Requests that are repeated while the service asks for it."""

import asyncio
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from uuid import uuid4

import httpx

_KEY = "Idempotency-Key"


@dataclass(frozen=True)
class Retries:
    """How often and for how long to repeat a request that is answered with 503 and `Retry-After`.

    Attributes:
        attempts: The most requests in all; 1 repeats none.
        patience: The longest total wait between them, in seconds. A `Retry-After` beyond it ends
            the attempts at once.
    """

    attempts: int = 4
    patience: float = 30.0

    def wait_after(self, response: httpx.Response, attempt: int, waited: float) -> float | None:
        """Return the seconds to wait before the request is repeated, or None if it is not.

        Args:
            response: The response to it.
            attempt: The number of this attempt, from 1.
            waited: The seconds that were waited before.
        """
        if response.status_code != 503 or attempt >= self.attempts:
            return None
        # A body that is sent piece by piece is gone.
        if not isinstance(response.request.stream, httpx.ByteStream):
            return None
        wait = _seconds(response.headers.get("Retry-After", ""))
        return None if wait is None or waited + wait > self.patience else wait


def _seconds(retry_after: str) -> float | None:
    """Return the seconds that `Retry-After` tells, as a number or a date (RFC 9110, 10.2.3)."""
    if retry_after.isascii() and retry_after.isdigit():
        return float(retry_after)
    try:
        until = parsedate_to_datetime(retry_after)
    except ValueError:
        return None
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    return max(0.0, (until - datetime.now(UTC)).total_seconds())


def _identify(request: httpx.Request) -> None:
    """Give a request that creates or changes something a key, the same for each attempt."""
    if request.method in ("POST", "PATCH"):
        request.headers.setdefault(_KEY, str(uuid4()))


class RetryingClient(httpx.Client):
    """Repeats a request while the service asks for it."""

    def __init__(self, retries: Retries, **options: Any) -> None:
        super().__init__(**options)
        self._retries = retries

    def send(self, request: httpx.Request, **options: Any) -> httpx.Response:
        """Send a request; see `httpx.Client.send` for the options."""
        _identify(request)
        attempt, waited = 1, 0.0
        while True:
            response = super().send(request, **options)
            wait = self._retries.wait_after(response, attempt, waited)
            if wait is None:
                return response
            response.close()
            time.sleep(wait)
            attempt, waited = attempt + 1, waited + wait


class AsyncRetryingClient(httpx.AsyncClient):
    """Repeats a request while the service asks for it."""

    def __init__(self, retries: Retries, **options: Any) -> None:
        super().__init__(**options)
        self._retries = retries

    async def send(self, request: httpx.Request, **options: Any) -> httpx.Response:
        """Send a request; see `httpx.AsyncClient.send` for the options."""
        _identify(request)
        attempt, waited = 1, 0.0
        while True:
            response = await super().send(request, **options)
            wait = self._retries.wait_after(response, attempt, waited)
            if wait is None:
                return response
            await response.aclose()
            await asyncio.sleep(wait)
            attempt, waited = attempt + 1, waited + wait
