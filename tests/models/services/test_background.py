"""Work in the background: merged by key, bounded, and never a reason for a request to fail."""

import threading
from contextvars import copy_context

import pytest
from uuid_utils import UUID

from models.clock import now
from models.services.background import Background
from models.tables.audit_event import Actor, AuditEvent, EventType
from models.tables.merged_event import WINDOW, MergedEvent, window_start

ID = "01a1fb1b-6876-7644-9935-000000000000"


@pytest.fixture
def background(context) -> Background:
    """Return background work that only begins when it is drained."""
    return Background(seconds=3600, max_waiting=3)


class TestSubmit:
    def test_merged(self, background):
        """Submissions of one key are one job, with their number."""
        done = []
        for _ in range(5):
            background.submit("a", done.append)
        background.submit("b", lambda times: done.append(-times))

        assert background.drain(10)
        assert sorted(done) == [-1, 5]

    def test_again(self, background):
        """After a job was done, its key can be submitted again."""
        done = []
        for _ in range(2):
            background.submit("a", done.append)
            assert background.drain(10)

        assert done == [1, 1]

    def test_begins_by_itself(self, context):
        """Without a drain, the work is done after the time for merging."""
        done = threading.Event()
        Background(seconds=0.01).submit("a", lambda _: done.set())

        assert done.wait(10)

    def test_bound(self, background, caplog):
        """An attacker with ever new keys does not fill the memory; what is dropped is logged."""
        done = []
        for number in range(10):
            background.submit(number, done.append)

        assert background.drain(10)
        assert len(done) == 3
        assert caplog.messages == ["7 times background work was dropped: too much waits"]

    def test_failure(self, background, caplog):
        """A job that fails is logged, and does not stop the others."""
        done = []
        background.submit("a", lambda _: 1 / 0)
        background.submit("b", done.append)

        assert background.drain(10)
        assert done == [1]
        assert caplog.messages == ["background work failed"]

    def test_parallel(self, background):
        """Submissions by several threads are all counted."""
        done = []

        def submit_often() -> None:
            for _ in range(100):
                background.submit("a", done.append)

        threads = [
            threading.Thread(target=copy_context().run, args=(submit_often,)) for _ in range(8)
        ]
        background.submit("a", done.append)
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert background.drain(10)
        assert done == [801]


class TestMergedEvent:
    @pytest.fixture
    def event(self, context) -> MergedEvent:
        """Return a merged event of now."""
        start = window_start(now())
        return MergedEvent(EventType.ACCESS_DENIED, ID, Actor(ID, "192.0.2.1"), "forbidden", start)

    def test_same_item(self, event):
        """Two processes count in one item, and the first address stays."""
        other = MergedEvent(event.type, ID, Actor(ID, "192.0.2.2"), "forbidden", event.started_at)
        event.add(2)
        other.add(3)
        [row] = AuditEvent.query(ID)

        assert (row.occurrences, row.ip, row.type) == (5, "192.0.2.1", "access.denied")
        assert (row.actor_id, row.changed_fields, row.remove_at) == (ID, [], None)

    def test_concurrent(self, event, run_concurrently):
        """Workers that count at the same time lose nothing."""
        run_concurrently(*[lambda: event.add(3)] * 10)
        [row] = AuditEvent.query(ID)

        assert row.occurrences == 30

    def test_id(self, event):
        """The ID is a UUIDv7 of the beginning of the window, as those of other events."""
        id = UUID(event.id)
        event.add(1)
        [row] = AuditEvent.query(ID)

        assert (id.version, id.variant) == (7, "specified in RFC 4122")
        assert row.at == event.started_at

    @pytest.mark.parametrize(
        "other",
        [
            {"type": EventType.QUOTA_EXCEEDED},
            {"reason": "user-not-found"},
            {"by": Actor(ID, "192.0.2.1", "0" * 64)},
            {"by": Actor(None, "192.0.2.1")},
        ],
    )
    def test_other_items(self, event, other):
        """What differs in type, reason, actor or API key is counted apart."""
        values = {**vars(event), **other}
        MergedEvent(**values).add(1)
        event.add(1)

        assert [row.occurrences for row in AuditEvent.query(ID)] == [1, 1]

    def test_window(self):
        """Windows follow each other, from the beginning of a lockout on if it is one."""
        since = now()

        assert window_start(since, since) == since
        assert window_start(since + WINDOW * 2.5, since) == since + WINDOW * 2
        assert window_start(window_start(since)) == window_start(since)
