"""What happened on each day, as numbers, in the table of events that they summarize."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Self

from pynamodb.attributes import NumberAttribute, TTLAttribute, UnicodeAttribute

from models.db import Table, db

# Thirteen months, so that a month can be compared with that of the year before.
RETENTION = timedelta(days=400)
# The partition of all days. No user, unknown login or client has this key.
_PARTITION = "daily-counts"


class Counted(StrEnum):
    """What is counted; the values are the names of the attributes."""

    SIGN_UPS = "sign_ups"
    SIGN_INS = "sign_ins"
    FAILED_SIGN_INS = "failed_sign_ins"


class DailyCount(Table):
    """The numbers of one day in UTC. All days are one partition, read by one query."""

    class Meta:
        table_name = "events"

    partition = UnicodeAttribute(attr_name="user_id", hash_key=True)
    # As in 2026-11-28, which sorts by time.
    day = UnicodeAttribute(attr_name="id", range_key=True)
    sign_ups = NumberAttribute(default=0)
    sign_ins = NumberAttribute(default=0)
    failed_sign_ins = NumberAttribute(default=0)
    remove_at = TTLAttribute(null=True)

    @classmethod
    def add(cls, day: date, numbers: Mapping[Counted, int]) -> None:
        """Add to the numbers of a day.

        A transaction, since its token keeps a request that is sent again from counting twice.
        """
        end = datetime.combine(day, time(), UTC) + timedelta(days=1)
        actions = [getattr(cls, name.value).add(number) for name, number in numbers.items()]
        with db.transaction() as transaction:
            transaction.update(
                cls(_PARTITION, day.isoformat()), [*actions, cls.remove_at.set(end + RETENTION)]
            )

    @classmethod
    def between(cls, first: date, last: date) -> list[Self]:
        """Return the days that have numbers, in order and eventually consistent."""
        is_between = cls.day.between(first.isoformat(), last.isoformat())
        return list(cls.query(_PARTITION, is_between))

    def numbers(self) -> dict[str, int]:
        """Return all numbers of the day by the values of `Counted`."""
        return {what.value: int(getattr(self, what.value) or 0) for what in Counted}
