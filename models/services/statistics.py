"""Counts for admins: how many users there are, and what happened on each day.

A request counts in memory. `Background` adds the numbers of the process to the row of the day a
few seconds later, so counting costs no request a round trip, and the database at most one write
per process in this time. A killed process loses the numbers of these seconds.
"""

import os
import threading
import weakref
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial

from blinker import Signal

from models.clock import now
from models.db import db
from models.services.background import Background
from models.tables.daily_count import RETENTION, Counted, DailyCount
from models.tables.user import count_users

# Sent with each `Counted`, in the process that counts it.
counted = Signal()
# The most days that can be read: a few read units.
MAX_DAYS = RETENTION.days


@dataclass(frozen=True)
class DayCounts:
    """What happened on one day in UTC.

    Attributes:
        date: The day.
        sign_ups: Created accounts, also by admins and operators; not imported ones.
        sign_ins: New sessions; not those of reauthentication.
        failed_sign_ins: Attempts with an unknown login, a wrong password or a wrong code, or of a
            user who may not sign in; also at reauthentication.
    """

    date: date
    sign_ups: int = 0
    sign_ins: int = 0
    failed_sign_ins: int = 0


@dataclass(frozen=True)
class Counts:
    """All counts.

    Attributes:
        users: The number of users, which DynamoDB updates about every six hours.
        days: The last days, today first, also those on which nothing happened.
    """

    users: int
    days: list[DayCounts]

    def total(self, number: int) -> DayCounts:
        """Return the sums of the last days, with the first of these days as their date."""
        days = self.days[:number]
        sums = {what.value: sum(getattr(day, what.value) for day in days) for what in Counted}
        return DayCounts(days[-1].date, **sums)


class Statistics:
    """Counts what happens, and reads the counts.

    Args:
        background: Writes the numbers; without it, nothing is counted.
        clock: Returns the time that decides which day it is.
    """

    def __init__(
        self, background: Background | None = None, *, clock: Callable[[], datetime] = now
    ) -> None:
        self._background = background
        self._clock = clock
        self._reset()
        _all.add(self)

    def count(self, what: Counted) -> None:
        """Count one occurrence now. It never waits and never fails."""
        counted.send(what)
        if self._background is None:
            return
        day = self._clock().date()
        with self._lock:
            self._waiting.setdefault(day, Counter())[what] += 1
        # One key per day: it needs the reserved part of the queue, which attackers cannot fill.
        self._background.submit(("daily counts", day), partial(self._write, day), is_essential=True)

    def read(self, number: int) -> Counts:
        """Return the number of users, and the counts of the last days.

        Two calls at the same time: a query, and a description of the table of users.

        Args:
            number: How many days, at most `MAX_DAYS`.
        """
        today = self._clock().date()
        dates = [today - timedelta(days=ago) for ago in range(number)]
        rows, users = db.gather(partial(DailyCount.between, dates[-1], today), count_users)
        found = {row.day: row.numbers() for row in rows}
        return Counts(users, [DayCounts(day, **found.get(day.isoformat(), {})) for day in dates])

    def _write(self, day: date, times: int) -> None:
        with self._lock:
            numbers = self._waiting.pop(day, None)
        if numbers:
            DailyCount.add(day, numbers)

    def _reset(self) -> None:
        """Start over with nothing counted, as in a new process."""
        self._lock = threading.Lock()
        self._waiting: dict[date, Counter[Counted]] = {}


# The parent process writes its own numbers.
_all: "weakref.WeakSet[Statistics]" = weakref.WeakSet()


def _reset_after_fork() -> None:
    for each in _all:
        each._reset()


os.register_at_fork(after_in_child=_reset_after_fork)
