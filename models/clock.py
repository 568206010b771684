"""Moments in UTC, to the millisecond: as stored, so shown, whether read back or not."""

from datetime import UTC, datetime

from pynamodb.attributes import Attribute
from pynamodb.constants import NUMBER


def now() -> datetime:
    """The present moment, as exact as it can be stored."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def from_seconds(seconds: float) -> datetime:
    """The moment so many seconds after 1970 began."""
    return datetime.fromtimestamp(seconds, UTC)


class TimestampAttribute(Attribute[datetime]):
    """A moment in UTC, stored as milliseconds since 1970."""

    attr_type = NUMBER

    def serialize(self, value: datetime) -> str:
        return str(round(value.timestamp() * 1000))

    def deserialize(self, value: str) -> datetime:
        return datetime.fromtimestamp(int(value) / 1000, UTC)
