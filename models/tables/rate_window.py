"""Rate limits by route and client, counted in DynamoDB, so that all workers share them."""

import secrets
import time
from dataclasses import dataclass

from pynamodb.attributes import NumberAttribute, TTLAttribute, UnicodeAttribute
from pynamodb.exceptions import UpdateError

from flask_pynamodb import error_code
from models.clock import from_seconds
from models.db import Table
from models.errors import TooManyRequests

# Bounds the memory for exhausted quotas; entries are dropped when their window ends.
_MAX_REMEMBERED = 10_000


@dataclass(frozen=True)
class RateLimit:
    """How many requests of a kind one client may make.

    Attributes:
        name: Names the kind, also in response headers.
        quota: Requests per window.
        window: Seconds.
    """

    name: str
    quota: int
    window: int = 60


@dataclass(frozen=True)
class Allowance:
    """What a client may still do.

    Attributes:
        limit: The limit that was applied.
        remaining: Remaining requests.
        reset: Seconds until the full quota is available again.
    """

    limit: RateLimit
    remaining: int
    reset: int


class RateWindow(Table):
    """The number of requests of one client within one window."""

    class Meta:
        table_name = "rate_windows"

    key = UnicodeAttribute(hash_key=True)
    requests = NumberAttribute(default=0)
    # Identifies the last use, so that a use whose reply was lost is not counted twice.
    use_id = UnicodeAttribute(null=True)
    remove_at = TTLAttribute()


def count_use(limit: RateLimit, client: str, times: int) -> tuple[int, int]:
    """Count uses of a quota that is not exhausted by rejection, but by merging.

    Args:
        limit: The quota.
        client: Who uses it.
        times: How many uses to count.

    Returns:
        The uses in the current window, and those in the window before; the latter are only read
        at the first use in a window, and else 0.
    """
    time_now = time.time()
    number = int(time_now // limit.window)
    row = RateWindow(f"{limit.name}#{client}#{number}")
    # Kept for another window, which reads it.
    remove_at = from_seconds((number + 2) * limit.window + 60)
    use_id = secrets.token_hex(8)
    try:
        row.update(
            [
                RateWindow.requests.add(times),
                RateWindow.remove_at.set(remove_at),
                RateWindow.use_id.set(use_id),
            ],
            ~(RateWindow.use_id == use_id),
        )
    except UpdateError as error:
        if error_code(error) != "ConditionalCheckFailedException":
            raise
        row.refresh(consistent_read=True)
    if row.requests > times:
        return int(row.requests), 0
    try:
        before = RateWindow.get(f"{limit.name}#{client}#{number - 1}", consistent_read=True)
    except RateWindow.DoesNotExist:
        return int(row.requests), 0
    return int(row.requests), int(before.requests)


class RateLimiter:
    """Counts requests.

    Exhausted quotas are remembered until their window ends, so that a flood of requests costs the
    database no more writes than the quota.
    """

    def __init__(self) -> None:
        self._exhausted: dict[str, float] = {}

    def take(self, limit: RateLimit, client: str) -> Allowance:
        """Count one request before it is carried out.

        Args:
            limit: The limit to apply.
            client: The client, such as an address.

        Raises:
            TooManyRequests: The quota is exhausted.
        """
        time_now = time.time()
        number = int(time_now // limit.window)
        ends_at = (number + 1) * limit.window
        reset = max(1, round(ends_at - time_now))
        key = f"{limit.name}#{client}#{number}"
        if key in self._exhausted:
            raise TooManyRequests(reset, quota=limit.name, counted_as=client)
        row = RateWindow(key)
        row.update(
            [
                RateWindow.requests.add(1),
                # One minute of tolerance for clock skew.
                RateWindow.remove_at.set(from_seconds(ends_at + 60)),
            ]
        )
        if row.requests > limit.quota:
            self._remember(key, ends_at, time_now)
            raise TooManyRequests(reset, quota=limit.name, counted_as=client)
        return Allowance(limit, int(limit.quota - row.requests), reset)

    def _remember(self, key: str, ends_at: float, time_now: float) -> None:
        if len(self._exhausted) >= _MAX_REMEMBERED:
            self._exhausted = {k: end for k, end in self._exhausted.items() if end > time_now}
        if len(self._exhausted) < _MAX_REMEMBERED:
            self._exhausted[key] = ends_at
