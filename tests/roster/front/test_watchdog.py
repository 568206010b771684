"""The watchdog ends a worker that makes no progress."""

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
    now = [0.0]
    watchdog = Watchdog([], stall_seconds=5, end=ended.append, clock=lambda: now[0])
    now[0] = 6
    watchdog.check()

    assert ended == [EXIT_STATUS]


def test_stopped_process():
    """A process that was stopped as a whole, as by `docker pause`, is not ended afterwards."""
    ended = []
    now = [0.0]
    watchdog = Watchdog([StalledLane(100)], stall_seconds=5, end=ended.append, clock=lambda: now[0])
    now[0] = 100
    watchdog.check()
    now[0] = 104
    watchdog.check()
    assert ended == []

    now[0] = 106
    watchdog.check()
    assert ended == [EXIT_STATUS]
