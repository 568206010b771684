"""Timestamps in UTC, to the millisecond: equal before and after storing."""

from datetime import UTC, datetime

from pynamodb.attributes import Attribute
from pynamodb.constants import NUMBER


def now() -> datetime:
    """Return the current time, truncated to the millisecond that can be stored."""
    time = datetime.now(UTC)
    return time.replace(microsecond=time.microsecond // 1000 * 1000)


def from_seconds(seconds: float) -> datetime:
    """Return the time that is this many seconds after 1970-01-01."""
    return datetime.fromtimestamp(seconds, UTC)


class TimestampAttribute(Attribute[datetime]):
    """A time in UTC, stored as milliseconds since 1970."""

    attr_type = NUMBER

    def serialize(self, value: datetime) -> str:
        return str(round(value.timestamp() * 1000))

    def deserialize(self, value: str) -> datetime:
        return datetime.fromtimestamp(int(value) / 1000, UTC)
