"""Counts per day: exact, bounded, and never in the way of a request."""

import os
import threading
from contextvars import copy_context
from datetime import UTC, date, datetime, timedelta
from functools import partial

import pytest

from models import Background, DayCounts, Statistics
from models.services.statistics import MAX_DAYS
from models.tables.daily_count import Counted, DailyCount
from tests.support.clock import Clock

TODAY = date(2026, 11, 28)


@pytest.fixture
def clock():
    """Return a clock, a minute before the end of a day in UTC."""
    clock = Clock()
    clock.time = datetime(2026, 11, 28, 23, 59, tzinfo=UTC)
    return clock


@pytest.fixture
def statistics(context, background, clock):
    """Return statistics that are written when the background work is drained."""
    return Statistics(background, clock=clock)


def today(statistics, background):
    """Return the counts of the day once they are written."""
    assert background.drain(10)
    return statistics.read(1).days[0]


class TestCount:
    def test_every_kind(self, statistics, background):
        """Each kind is counted apart."""
        for what, number in zip(Counted, (1, 2, 3), strict=True):
            for _ in range(number):
                statistics.count(what)

        assert today(statistics, background) == DayCounts(TODAY, 1, 2, 3)

    def test_one_write(self, statistics, background, database_calls):
        """All that a process counts in a few seconds is one write of the background thread."""
        with database_calls() as calls:
            for what in Counted:
                for _ in range(20):
                    statistics.count(what)
            during_requests = list(calls)
            assert background.drain(10)

        assert during_requests == []
        assert calls == ["TransactWriteItems"]

    def test_adds_up(self, statistics, background):
        """Later numbers of the same day are added to those before."""
        for _ in range(3):
            statistics.count(Counted.SIGN_INS)
            assert background.drain(10)

        assert today(statistics, background).sign_ins == 3

    def test_threads(self, statistics, background):
        """What many threads count at the same time is complete."""

        def count_often() -> None:
            for _ in range(200):
                statistics.count(Counted.SIGN_INS)

        threads = [threading.Thread(target=copy_context().run, args=(count_often,)) for _ in "1234"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert today(statistics, background).sign_ins == 800

    def test_processes(self, statistics, background, clock, run_concurrently):
        """Processes that write at the same time lose none of their numbers."""
        others = [Background(seconds=3600) for _ in range(6)]

        def count_and_write(other):
            Statistics(other, clock=clock).count(Counted.SIGN_INS)
            return other.drain(30)

        written = run_concurrently(*(partial(count_and_write, each) for each in others))

        assert written == [True] * 6
        assert today(statistics, background).sign_ins == 6

    def test_days_in_utc(self, statistics, background, clock):
        """What was counted before midnight belongs to the day before, whenever it is written."""
        statistics.count(Counted.SIGN_INS)
        clock.move(minutes=1)
        statistics.count(Counted.SIGN_UPS)
        assert background.drain(10)

        assert statistics.read(2).days == [
            DayCounts(date(2026, 11, 29), sign_ups=1),
            DayCounts(TODAY, sign_ins=1),
        ]

    def test_queue_full_of_other_work(self, context, clock):
        """An attacker who fills the queue of the background work does not stop the counts."""
        background = Background(seconds=3600, max_waiting=2)
        statistics = Statistics(background, clock=clock)
        for number in range(10):
            background.submit(number, lambda times: None)
        statistics.count(Counted.FAILED_SIGN_INS)

        assert today(statistics, background).failed_sign_ins == 1

    def test_stalled_database(self, context, clock):
        """While a write hangs, events are still counted, and a stop waits for a bounded time."""
        may_continue = threading.Event()
        background = Background(seconds=0)
        background.submit("stalled", lambda times: may_continue.wait(30))
        statistics = Statistics(background, clock=clock)
        for _ in range(1000):
            statistics.count(Counted.SIGN_INS)
        is_done = background.drain(0.1)
        may_continue.set()

        assert not is_done
        assert today(statistics, background).sign_ins == 1000

    @pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
    def test_fork(self, statistics, background):
        """A forked process does not count again what its parent is about to write."""
        statistics.count(Counted.SIGN_INS)
        pid = os.fork()
        if pid == 0:
            statistics.count(Counted.SIGN_UPS)
            os._exit(0 if background.drain(10) else 1)
        _, status = os.waitpid(pid, 0)

        assert status == 0
        assert today(statistics, background) == DayCounts(TODAY, sign_ups=1, sign_ins=1)

    def test_retention(self, statistics, background):
        """The row of a day expires after thirteen months."""
        statistics.count(Counted.SIGN_INS)
        assert background.drain(10)
        [row] = DailyCount.between(TODAY, TODAY)

        assert row.remove_at == datetime(2028, 1, 3, tzinfo=UTC)


class TestRead:
    def test_days_without_anything(self, statistics):
        """There is an entry for each day, today first, in a table without counts, too."""
        counts = statistics.read(3)

        assert counts.days == [DayCounts(TODAY - timedelta(days=ago)) for ago in range(3)]
        assert counts.users == 0

    def test_users(self, statistics, register):
        """The number of users is that of the items in their table."""
        register("ada")
        register("bob")

        assert statistics.read(1).users == 2

    def test_range(self, statistics, background, clock):
        """Only the requested days are read."""
        for _ in range(4):
            statistics.count(Counted.SIGN_INS)
            assert background.drain(10)
            clock.move(days=1)
        clock.move(days=-1)

        assert [day.sign_ins for day in statistics.read(3).days] == [1, 1, 1]
        assert statistics.read(30).total(2) == DayCounts(date(2026, 11, 30), sign_ins=2)
        assert statistics.read(30).total(30).sign_ins == 4

    def test_cost(self, statistics, background, database_calls):
        """However many days, users and events there are: one query and one description."""
        statistics.count(Counted.SIGN_INS)
        assert background.drain(10)
        with database_calls() as calls:
            statistics.read(MAX_DAYS)

        assert sorted(calls) == ["DescribeTable", "Query"]


def test_without_background(context):
    """A command that counts nothing keeps nothing in memory."""
    statistics = Statistics()
    statistics.count(Counted.SIGN_UPS)

    assert statistics.read(1).days[0].sign_ups == 0
