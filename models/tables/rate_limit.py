"""Rate limits by route and client, counted in DynamoDB, so that all workers share them."""

import time
from dataclasses import dataclass

from pynamodb.attributes import NumberAttribute, TTLAttribute, UnicodeAttribute

from models.clock import from_seconds
from models.db import db
from models.errors import TooManyRequests

# More would be clients of one window: what is remembered of them is dropped with the window.
_MOST_REMEMBERED = 10_000


@dataclass(frozen=True)
class Policy:
    """How many requests of a kind one client may make.

    Attributes:
        name: Names the kind, in the headers too.
        quota: How many within a window.
        window: Seconds.
    """

    name: str
    quota: int
    window: int = 60


@dataclass(frozen=True)
class Allowance:
    """What is left to a client.

    Attributes:
        policy: Under which policy.
        remaining: How many requests.
        reset: Seconds until all of the quota is there again.
    """

    policy: Policy
    remaining: int
    reset: int


class RateWindow(db.Model):  # type: ignore[misc,name-defined]
    """How many requests one client has made within one window."""

    class Meta:
        table_name = "rate_windows"

    key = UnicodeAttribute(hash_key=True)
    requests = NumberAttribute(default=0)
    remove_at = TTLAttribute()


class RateLimits:
    """Counts requests.

    Who has used a quota up is remembered until its window ends, so that a flood costs the store
    no more than the quota.
    """

    def __init__(self) -> None:
        self._spent: dict[str, float] = {}

    def take(self, policy: Policy, client: str) -> Allowance:
        """Count one request before it is carried out.

        Args:
            policy: Under which policy.
            client: Whose, such as an address.

        Raises:
            TooManyRequests: The quota is used up.
        """
        moment = time.time()
        number = int(moment // policy.window)
        ends_at = (number + 1) * policy.window
        reset = max(1, round(ends_at - moment))
        key = f"{policy.name}#{client}#{number}"
        if key in self._spent:
            raise TooManyRequests(reset)
        row = RateWindow(key)
        row.update(
            [
                RateWindow.requests.add(1),
                # A minute on top, for clocks that differ.
                RateWindow.remove_at.set(from_seconds(ends_at + 60)),
            ]
        )
        if row.requests > policy.quota:
            self._remember(key, ends_at, moment)
            raise TooManyRequests(reset)
        return Allowance(policy, int(policy.quota - row.requests), reset)

    def _remember(self, key: str, ends_at: float, moment: float) -> None:
        if len(self._spent) >= _MOST_REMEMBERED:
            self._spent = {k: end for k, end in self._spent.items() if end > moment}
        if len(self._spent) < _MOST_REMEMBERED:
            self._spent[key] = ends_at
