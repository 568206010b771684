"""The rate of a run and its delays, on a clock that the tests move."""

import threading

import pytest

from flask_pynamodb import call_finished
from tests.support.faulty_proxy import throttled


class Clock:
    """A clock that moves while it is waited for."""

    def __init__(self):
        self.now = 0.0
        self.delays = []

    def monotonic(self):
        return self.now

    def sleep(self, seconds):
        self.delays.append(seconds)
        self.now += seconds


@pytest.fixture
def host(dynamodb_engine):
    """The local engine: moto does not count capacity units."""
    return dynamodb_engine.host


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr("flask_pynamodb.migrations.pace.time", clock)
    monkeypatch.setattr("flask_pynamodb.migrations.run.time", clock)
    return clock


@pytest.fixture
def spent():
    """The capacity units of each call to DynamoDB, with its table."""
    spent = []

    def record(connection, tables, consumed_capacity, **details):
        spent.append((tables, 1 if consumed_capacity is None else consumed_capacity))

    with call_finished.connected_to(record):
        yield spent


@pytest.fixture
def begin(db, people, spent):
    """Forgets what was spent before the run."""
    spent.clear()


class TestRate:
    @pytest.mark.parametrize("segments", [1, 4])
    @pytest.mark.parametrize("rate", [1, 5])
    def test_average(self, db, begin, clock, spent, rate, segments):
        """A run takes at least as long as its rate allows for the units that it consumed."""
        db.migrate(units_per_second=rate, segments=segments)

        first_calls = 4  # of the history, before and after the rounds
        units = sum(units for _, units in spent)
        assert units >= 25
        assert clock.now >= (units - first_calls) / rate

    def test_no_rate(self, db, begin, clock):
        """Without a rate there are no delays."""
        db.migrate()

        assert clock.delays == []

    def test_other_calls(self, db, begin, clock, person):
        """Calls of others in the same process do not count."""

        def read(status):
            database = db.current_database()

            def others():
                with database.context():
                    for _ in range(200):
                        person.get("00")

            thread = threading.Thread(target=others)
            thread.start()
            thread.join()

        db.migrate(units_per_second=100, on_progress=read)

        assert clock.now < 2

    def test_slices(self, db, begin, clock):
        """A long delay is made of short ones, so that a run can be stopped."""
        db.migrate(units_per_second=1)

        assert max(clock.delays) <= 1

    def test_stop(self, db, begin, clock):
        """A run stops within a second of a delay."""
        (status,) = db.migrate(units_per_second=1, should_stop=lambda: clock.now >= 2)

        assert status.state == "stopped"
        assert clock.now < 3


class TestLease:
    def test_renewal(self, db, begin, clock, people, spent):
        """Long delays do not let the lease expire: it is renewed five times a minute."""
        people("x" * 1000, name="y" * 150_000).save()
        spent.clear()

        db.migrate(units_per_second=1)

        history = f"{people.Meta.table_name.removesuffix('person')}migrations"
        writes = [tables for tables, _ in spent if tables == (history,)]
        assert clock.now > 100
        assert len(writes) >= clock.now / 12

    def test_dry_run(self, db, begin, clock, people, spent):
        """A dry run has no lease."""
        people("x" * 1000, name="y" * 150_000).save()
        spent.clear()

        db.migrate(units_per_second=1, dry_run=True)

        history = f"{people.Meta.table_name.removesuffix('person')}migrations"
        assert len([tables for tables, _ in spent if tables == (history,)]) == 1


class TestDelaysAfterFaults:
    @pytest.fixture
    def host(self, proxy):
        return proxy.url

    @pytest.fixture
    def settings(self, settings):
        return {**settings, "DYNAMODB_MAX_RETRY_ATTEMPTS": 0}

    def test_doubled(self, db, people, clock, proxy):
        """Delays double while DynamoDB stays unavailable, and the lease is renewed."""
        proxy.next("Scan", *[throttled] * 5)

        (status,) = db.migrate()

        assert status.state == "done"
        assert clock.now == 1 + 2 + 4 + 8 + 16

    def test_renewal_fails(self, db, people, clock, proxy):
        """A failed renewal of the lease is repeated a second later."""
        intact = lambda request, forward: forward(request)  # noqa: E731
        proxy.next("Scan", *[throttled] * 5)
        proxy.next("UpdateItem", *[intact] * 6, throttled)

        (status,) = db.migrate()

        assert status.state == "done"
