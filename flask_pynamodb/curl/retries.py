"""When a request is sent again: botocore's standard mode, number for number, within a deadline.

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

from flask_pynamodb.curl.operations import Operation

DEFAULT_TRIES = 4  # botocore's for DynamoDB

_TRANSIENT_STATUS = frozenset({500, 502, 503, 504})
_TRANSIENT_CODES = frozenset({"RequestTimeout", "RequestTimeoutException"})
_THROTTLED_CODES = frozenset(
    {
        "BandwidthLimitExceeded",
        "EC2ThrottledException",
        "LimitExceededException",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionInProgressException",
    }
)
_LONGEST_WAIT = 20.0  # seconds
_LONGEST_EXTRA_WAIT = 5.0  # seconds that x-amz-retry-after may add
_QUOTA = 500
_FIRST_TRY_REFUND = 1

logger = logging.getLogger(__name__)


class Hope(Enum):
    """What another try may bring, with its first wait in seconds and its price."""

    THROTTLED = (1.0, 5)
    TRANSIENT = (0.025, 14)

    @property
    def first_wait(self) -> float:
        """The longest wait before the second try; it doubles from try to try."""
        return self.value[0]

    @property
    def price(self) -> int:
        """What another try takes from the quota."""
        return self.value[1]


@dataclass(frozen=True, slots=True)
class Failure:
    """A try that came to nothing.

    Attributes:
        hope: None: to send the same request again is pointless.
        headers: The reply's, if there was one.
        error: What to raise if this is the end, or what the response of a ClientError is.
    """

    hope: Hope | None
    error: BotoCoreError | dict[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)


def hope_after(status: int, code: str, operation: Operation) -> Hope | None:
    """What another try may bring after DynamoDB has refused one."""
    hint = operation.errors.get(code)
    is_rejected_unread = status == 429 and code not in operation.errors
    if code in _THROTTLED_CODES or hint or is_rejected_unread:
        return Hope.THROTTLED
    if code in _TRANSIENT_CODES or status in _TRANSIENT_STATUS or hint is not None:
        return Hope.TRANSIENT
    return None


class Quota:
    """What a client may spend on tries after the first, so that an outage is not made worse."""

    def __init__(self, full: int = _QUOTA) -> None:
        self._full = full
        self.left = full
        self._lock = threading.Lock()

    def take(self, amount: int) -> bool:
        """Take as much, or nothing if there is not as much left."""
        with self._lock:
            if amount > self.left:
                return False
            self.left -= amount
            return True

    def give(self, amount: int) -> None:
        """Give as much back; what would overflow is lost."""
        # Nearly every call finds it full: no need to queue for the lock.
        if self.left == self._full:
            return
        with self._lock:
            self.left = min(self._full, self.left + amount)

    def renew_lock(self) -> None:
        """After a fork: a thread that stayed behind may have held the lock."""
        self._lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class Retries:
    """The rules of one client.

    Attributes:
        tries: How often one request is sent at the most.
        deadline: Seconds that one call may take with all its tries and waits; None: no limit.
        quota: Shared by all calls of the client.
        rand: A number between 0 and 1.
    """

    tries: int
    deadline: float | None
    quota: Quota
    rand: Callable[[], float] = random.random

    def start(self) -> "Tries":
        """Begin one call."""
        return Tries(self)


class Tries:
    """The tries of one call."""

    # Of the class, since nearly every call ends with these and none of its own.
    number = 1
    _paid = 0
    _limit: str | None = None
    _skew: float | None = None

    def __init__(self, rules: Retries) -> None:
        self._rules = rules
        self._ends_at = None if rules.deadline is None else time.monotonic() + rules.deadline

    @property
    def seconds_left(self) -> float | None:
        """Until the deadline; None: there is none."""
        return None if self._ends_at is None else self._ends_at - time.monotonic()

    def header(self, read_timeout: float | None) -> str:
        """What amz-sdk-request says: the number of the try, and when nobody listens any more."""
        told = f"attempt={self.number}; max={self._rules.tries}"
        if self._skew is None or read_timeout is None:
            return told
        ttl = time.gmtime(time.time() + self._skew + read_timeout)
        return f"ttl={time.strftime('%Y%m%dT%H%M%SZ', ttl)}; {told}"

    def wait_after(self, failure: Failure) -> float | None:
        """Decide whether to send the request again.

        Returns:
            Seconds to wait before; None: this failure is the end.
        """
        if self.number >= self._rules.tries or failure.hope is None:
            return None
        wait = self._wait(failure.hope, failure.headers)
        left = self.seconds_left
        if left is not None and wait >= left:
            self._limit = "DeadlineReached"
            return None
        if not self._rules.quota.take(failure.hope.price):
            self._limit = "RetryQuotaReached"
            return None
        self._paid = failure.hope.price
        self._skew = _skew(failure.headers)
        logger.debug("Try %d has failed, the next one is in %.3f s", self.number, wait)
        self.number += 1
        return wait

    def succeed(self) -> None:
        """Give back to the quota."""
        self._rules.quota.give(self._paid or _FIRST_TRY_REFUND)

    def describe_in(self, metadata: dict[str, Any]) -> None:
        """Add what botocore tells about the tries, under its names."""
        metadata["RetryAttempts"] = self.number - 1
        if self.number >= self._rules.tries:
            metadata["MaxAttemptsReached"] = True
        if self._limit is not None:
            metadata[self._limit] = True

    def _wait(self, hope: Hope, headers: Mapping[str, str]) -> float:
        longest: float = min(hope.first_wait * 2 ** (self.number - 1), _LONGEST_WAIT)
        wait = self._rules.rand() * longest
        asked = _retry_after(headers)
        return wait if asked is None else max(wait, min(asked, wait + _LONGEST_EXTRA_WAIT))


def _retry_after(headers: Mapping[str, str]) -> float | None:
    try:
        milliseconds = int(headers["x-amz-retry-after"])
    except (KeyError, ValueError):
        return None
    return milliseconds / 1000 if milliseconds >= 0 else None


def _skew(headers: Mapping[str, str]) -> float | None:
    # How far the server's clock is ahead, so that it can tell when a try is out of time.
    try:
        return parsedate_to_datetime(headers["date"]).timestamp() - time.time()
    except (KeyError, ValueError):
        return None
