"""Retries: botocore's standard mode with the same numbers, and a deadline.

Source of the numbers: botocore 1.44.5, `retries/standard.py`, `quota.py` and `special.py`.
"""

import logging
import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from enum import Enum
from typing import Any

from botocore.exceptions import BotoCoreError

from flask_pynamodb import deadline
from flask_pynamodb.curl.operations import Operation
from flask_pynamodb.errors import THROTTLED_CODES, TRANSIENT_CODES

DEFAULT_ATTEMPTS = 4  # botocore's for DynamoDB

_TRANSIENT_STATUS = frozenset({500, 502, 503, 504})
_MAX_DELAY = 20.0  # seconds
_MAX_EXTRA_DELAY = 5.0  # seconds that x-amz-retry-after may add
_QUOTA = 500
_FIRST_ATTEMPT_REFUND = 1

logger = logging.getLogger(__name__)


class RetryKind(Enum):
    """Why a retry may succeed, with its first delay in seconds and its cost."""

    THROTTLED = (1.0, 5)
    TRANSIENT = (0.025, 14)

    @property
    def first_delay(self) -> float:
        """The maximum delay before the second attempt; it doubles with each attempt."""
        return self.value[0]

    @property
    def cost(self) -> int:
        """The number of tokens that a retry takes from the quota."""
        return self.value[1]


@dataclass(frozen=True, slots=True)
class Failure:
    """A failed attempt.

    Attributes:
        retry_kind: Why a retry may succeed; None if it cannot.
        error: The exception to raise without a retry, or the response of a ClientError.
        headers: The headers of the response, if there was one.
    """

    retry_kind: RetryKind | None
    error: BotoCoreError | dict[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)


def retry_kind_of(status: int, code: str, operation: Operation) -> RetryKind | None:
    """Return why a retry may succeed after an error response; None if it cannot."""
    hint = operation.errors.get(code)
    is_gateway_throttling = status == 429 and code not in operation.errors
    if code in THROTTLED_CODES or hint or is_gateway_throttling:
        return RetryKind.THROTTLED
    if code in TRANSIENT_CODES or status in _TRANSIENT_STATUS or hint is not None:
        return RetryKind.TRANSIENT
    return None


class Quota:
    """The retry quota of a client, a token bucket, so that retries do not worsen an outage."""

    def __init__(self, full: int = _QUOTA) -> None:
        self._full = full
        self.left = full
        self._lock = threading.Lock()

    def take(self, amount: int) -> bool:
        """Take an amount, or nothing if less is left."""
        with self._lock:
            if amount > self.left:
                return False
            self.left -= amount
            return True

    def give(self, amount: int) -> None:
        """Return an amount, up to the capacity."""
        # The quota is full in nearly every call, which then needs no lock.
        if self.left == self._full:
            return
        with self._lock:
            self.left = min(self._full, self.left + amount)

    def replace_lock(self) -> None:
        """Replace the lock after a fork: a thread of the parent may have held it."""
        self._lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class Retries:
    """The retry rules of one client.

    Attributes:
        attempts: The maximum number of attempts of one call.
        deadline: Seconds for one call with all its attempts and delays; None for no limit.
        quota: The quota, shared by all calls of the client.
        rand: Returns a number between 0 and 1.
    """

    attempts: int
    deadline: float | None
    quota: Quota
    rand: Callable[[], float] = random.random

    def start(self) -> "Attempts":
        """Start one call."""
        return Attempts(self)


class Attempts:
    """The attempts of one call."""

    # On the class: nearly every call ends with these values, without any of its own.
    number = 1
    _paid = 0
    _limit: str | None = None
    _skew: float | None = None

    def __init__(self, rules: Retries) -> None:
        self._rules = rules
        own = None if rules.deadline is None else time.monotonic() + rules.deadline
        self._ends_at = deadline.earliest(own)

    @property
    def seconds_left(self) -> float | None:
        """Seconds until the deadline; None without a deadline."""
        return None if self._ends_at is None else self._ends_at - time.monotonic()

    def header(self, read_timeout: float | None) -> str:
        """Return amz-sdk-request: the number of the attempt, and when the client stops waiting."""
        attempt = f"attempt={self.number}; max={self._rules.attempts}"
        if self._skew is None or read_timeout is None:
            return attempt
        ttl = time.gmtime(time.time() + self._skew + read_timeout)
        return f"ttl={time.strftime('%Y%m%dT%H%M%SZ', ttl)}; {attempt}"

    def delay_after(self, failure: Failure) -> float | None:
        """Decide whether to retry.

        Returns:
            Seconds until the next attempt; None for no retry.
        """
        if self.number >= self._rules.attempts or failure.retry_kind is None:
            return None
        delay = self._delay(failure.retry_kind, failure.headers)
        left = self.seconds_left
        if left is not None and delay >= left:
            self._limit = "DeadlineReached"
            return None
        if not self._rules.quota.take(failure.retry_kind.cost):
            self._limit = "RetryQuotaReached"
            return None
        self._paid = failure.retry_kind.cost
        self._skew = _skew(failure.headers)
        logger.debug("Attempt %d failed, the next one is in %.3f s", self.number, delay)
        self.number += 1
        return delay

    def succeed(self) -> None:
        """Return the cost of the call to the quota."""
        self._rules.quota.give(self._paid or _FIRST_ATTEMPT_REFUND)

    def describe_in(self, metadata: dict[str, Any]) -> None:
        """Add botocore's metadata about the attempts."""
        metadata["RetryAttempts"] = self.number - 1
        if self.number >= self._rules.attempts:
            metadata["MaxAttemptsReached"] = True
        if self._limit is not None:
            metadata[self._limit] = True

    def _delay(self, retry_kind: RetryKind, headers: Mapping[str, str]) -> float:
        longest: float = min(retry_kind.first_delay * 2 ** (self.number - 1), _MAX_DELAY)
        delay = self._rules.rand() * longest
        requested = _retry_after(headers)
        return delay if requested is None else max(delay, min(requested, delay + _MAX_EXTRA_DELAY))


def _retry_after(headers: Mapping[str, str]) -> float | None:
    try:
        milliseconds = int(headers["x-amz-retry-after"])
    except (KeyError, ValueError):
        return None
    return milliseconds / 1000 if milliseconds >= 0 else None


def _skew(headers: Mapping[str, str]) -> float | None:
    # How far the server's clock is ahead, so that the server can detect expired attempts.
    try:
        return parsedate_to_datetime(headers["date"]).timestamp() - time.time()
    except (KeyError, ValueError):
        return None
