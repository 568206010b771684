"""Calls with a time limit: threads are reused, abandoned ones are bounded, and none waits."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from models.services.timed_calls import CallTimeout, TimedCalls, TooManyAbandoned
from tests.support.process_harness import wait_for

SHORT = 0.05
LONG = 30


@pytest.fixture
def release():
    """Return an event that ends the functions that wait for it, at the end of the test at last."""
    event = threading.Event()
    yield event
    event.set()


def wait(event):
    """Wait for an event, and return whether it has happened."""
    return event.wait(LONG)


def name_of_thread(_):
    """Return the identity of the current thread."""
    return threading.get_ident()


class TestRun:
    def test_value(self):
        """The call has what the function returns, which runs on another thread."""
        call = TimedCalls(LONG).run(name_of_thread, None)

        assert call.error is None
        assert call.value != threading.get_ident()

    @pytest.mark.parametrize("error", [ValueError("x"), SystemExit(3), KeyboardInterrupt()])
    def test_error(self, error):
        """The call has whatever the function raises, and the thread survives."""

        def fail(_):
            raise error

        calls = TimedCalls(LONG)

        assert calls.run(fail, None).error is error
        assert calls.run(abs, -1).value == 1

    def test_thread_is_reused(self):
        """Calls one after the other share a thread."""
        calls = TimedCalls(LONG)

        assert len({calls.run(name_of_thread, None).value for _ in range(20)}) == 1

    def test_at_the_same_time(self):
        """Calls at the same time do not wait for each other."""
        barrier = threading.Barrier(20)
        calls = TimedCalls(LONG)
        with ThreadPoolExecutor(20) as pool:
            finished = list(
                pool.map(lambda _: calls.run(lambda _: barrier.wait(), None), range(20))
            )

        assert sorted(call.value for call in finished) == list(range(20))

    def test_timeout(self, release):
        """A call that exceeds the limit fails."""
        with pytest.raises(CallTimeout):
            TimedCalls(SHORT).run(wait, release)

    def test_abandoned_thread(self, release):
        """An abandoned thread that returns serves again."""
        calls = TimedCalls(SHORT, max_abandoned=1)
        served = threading.Event()
        with pytest.raises(CallTimeout):
            calls.run(lambda event: (wait(event), served.set()), release)
        with pytest.raises(TooManyAbandoned):
            calls.run(abs, -1)
        release.set()
        assert served.wait(LONG)
        threads = [thread for thread in threading.enumerate() if thread.name == "hook"]
        wait_for(lambda: not calls._abandoned, "the thread has returned")

        assert calls.run(name_of_thread, None).value in {thread.ident for thread in threads}

    def test_bound(self, release):
        """Only so many threads are abandoned; then calls fail at once, without a thread."""
        calls = TimedCalls(SHORT, max_abandoned=3)
        for _ in range(3):
            with pytest.raises(CallTimeout):
                calls.run(wait, release)
        before = threading.active_count()
        for _ in range(50):
            with pytest.raises(TooManyAbandoned):
                calls.run(wait, release)

        assert threading.active_count() == before

    def test_idle_thread_ends(self, monkeypatch):
        """A thread without calls ends, and the next call starts another one."""
        monkeypatch.setattr("models.services.timed_calls._IDLE_SECONDS", 0.01)
        calls = TimedCalls(LONG)
        first = calls.run(lambda _: threading.current_thread(), None).value
        first.join(LONG)

        assert not first.is_alive()
        assert calls._idle == 0
        assert calls.run(abs, -1).value == 1

    def test_idle_threads_lose_no_call(self, monkeypatch):
        """Calls that arrive while threads end are served."""
        monkeypatch.setattr("models.services.timed_calls._IDLE_SECONDS", 0.0001)
        calls = TimedCalls(LONG)
        with ThreadPoolExecutor(8) as pool:
            finished = list(pool.map(lambda number: calls.run(abs, -number), range(2000)))

        assert [call.value for call in finished] == list(range(2000))

    def test_no_thread(self, monkeypatch):
        """Without a thread the call fails, and later ones are served."""

        def refuse(_):
            raise RuntimeError("can't start new thread")

        calls = TimedCalls(LONG)
        with monkeypatch.context() as patched:
            patched.setattr(threading.Thread, "start", refuse)
            with pytest.raises(RuntimeError):
                calls.run(abs, -1)

        assert calls.run(abs, -1).value == 1

    def test_fork(self):
        """A child process starts over with threads of its own."""
        calls = TimedCalls(LONG)
        calls.run(abs, -1)
        child = os.fork()
        if child == 0:
            os._exit(calls.run(abs, -7).value)

        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
