"""The watchdog ends a worker that makes no progress."""

import time

import pytest

from roster.front.watchdog import EXIT_STATUS, Watchdog


class StalledLane:
    """A lane without progress for some seconds."""

    name = "passwords"

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def stalled_for(self, now: float) -> float:
        return self.seconds


@pytest.mark.parametrize("seconds, statuses", [(0, []), (9, []), (11, [EXIT_STATUS])])
def test_lane(seconds, statuses, caplog):
    """A lane that has stalled for too long ends the process, and the log says so."""
    ended = []
    Watchdog([StalledLane(seconds)], stall_seconds=10, end=ended.append).check()

    assert ended == statuses
    assert [record.levelname for record in caplog.records] == ["CRITICAL"] * len(statuses)


def test_event_loop():
    """An event loop that does not run ends the process."""
    ended = []
    watchdog = Watchdog([], stall_seconds=0.01, end=ended.append)
    time.sleep(0.05)
    watchdog.check()

    assert ended == [EXIT_STATUS]
