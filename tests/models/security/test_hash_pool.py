"""Hashes are computed by threads of their own, also in a process that was forked."""

import gc
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait

import pytest

from models import CHEAPEST_PROFILE, PasswordHasher
from models.errors import Busy
from models.security.hash_pool import HashPool

GOOD = "a stone bridge over the river"


def hash_threads() -> int:
    """How many threads of this process compute hashes, or wait for some."""
    return sum(thread.name.startswith("hash-") for thread in threading.enumerate())


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.001)


def verify_by_many(passwords: PasswordHasher) -> list[bool]:
    """Sixteen threads that want the same password verified."""
    stored = passwords.hash(GOOD)
    with ThreadPoolExecutor(16) as many:
        return [right for right, _ in many.map(lambda _: passwords.verify(GOOD, stored), range(64))]


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
class TestFork:
    @pytest.mark.parametrize("run_concurrently", [1, 2])
    def test_child_has_threads_of_its_own(self, run_concurrently):
        """A worker that is forked from a finished app hashes, on as many threads as it may."""
        passwords = PasswordHasher(CHEAPEST_PROFILE, threads=run_concurrently, queue_size=16)
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                right = verify_by_many(passwords)
                names = [thread.name for thread in threading.enumerate()]
                told = f"{right.count(True)} {sum(name.startswith('hash') for name in names)}"
                os.write(writer, told.encode())
            finally:
                os._exit(0)
        os.close(writer)
        with os.fdopen(reader) as told:
            verified, threads = map(int, told.read().split())
        os.waitpid(child, 0)

        assert (verified, threads) == (64, run_concurrently)
        assert verify_by_many(passwords) == [True] * 64


class TestTurns:
    """ASVS 2.4.1, 15.2.2: a storm of sign-ins takes neither all threads nor all memory."""

    @pytest.fixture
    def passwords(self):
        return PasswordHasher(CHEAPEST_PROFILE, threads=1, queue_size=2)

    def test_bound(self, passwords):
        """One request computes and two wait; the next one is rejected immediately."""
        taken, leave = threading.Barrier(4), threading.Event()

        def hold():
            with passwords.slot():
                taken.wait()
                leave.wait()

        holders = [threading.Thread(target=hold) for _ in range(3)]
        for holder in holders:
            holder.start()
        taken.wait()

        with pytest.raises(Busy):
            passwords.hash(GOOD)
        with pytest.raises(Busy):
            passwords.verify(GOOD, None)
        leave.set()
        for holder in holders:
            holder.join()
        assert passwords.verify(GOOD, passwords.hash(GOOD))[0]

    def test_whoever_has_a_place_needs_no_other(self, passwords):
        """A place that was taken before serves for the hashes that follow."""
        with passwords.slot(), passwords.slot():
            stored = passwords.hash(GOOD)
            assert passwords.verify(GOOD, stored)[0]

    def test_places_come_back(self, passwords):
        """Whatever goes wrong, a place is given back."""
        for _ in range(10):
            with pytest.raises(RuntimeError), passwords.slot():
                raise RuntimeError

        assert passwords.hash(GOOD)


class Held:
    """A function that computes until it is released."""

    def __init__(self) -> None:
        self.has_begun, self.is_let_go = threading.Event(), threading.Event()

    def __call__(self) -> str:
        self.has_begun.set()
        assert self.is_let_go.wait(30)
        return "held"


class TestPairs:
    """While others wait, answers leave two at a time: the second one finds warm caches."""

    @pytest.fixture
    def ask(self):
        """Asks for a result, and returns when so many wait: `ask(function, waiting=1)`."""
        threads = HashPool(threads=1, queue_size=7)
        with ThreadPoolExecutor(8) as askers:

            def submit(function: Callable[[], object], waiting: int = 0) -> "Future[object]":
                asked = askers.submit(threads.run, function)
                wait_until(lambda: threads._tasks.qsize() >= waiting)
                return asked

            yield submit

    @pytest.fixture
    def held(self, ask):
        """A function that is being computed, and its result."""
        function = Held()
        result = ask(function)
        assert function.has_begun.wait(30)
        yield function, result
        function.is_let_go.set()

    def test_two_of_three(self, ask, held):
        """The first is handed over after the second was computed, and before the third is."""
        function, first = held
        second = ask(lambda: wait([first], timeout=0.2).done, waiting=1)
        third = ask(lambda: first.result(30), waiting=2)
        function.is_let_go.set()

        assert second.result(30) == set()
        assert third.result(30) == "held"

    def test_nobody_else_waits(self, held):
        """A result without other waiting requests is returned immediately."""
        function, result = held
        function.is_let_go.set()

        assert result.result(30) == "held"

    def test_one_of_two_fails(self, ask, held):
        """An error is raised where it was asked for, and nowhere else."""
        function, first = held
        second = ask(lambda: 1 / 0, waiting=1)
        function.is_let_go.set()

        assert first.result(30) == "held"
        with pytest.raises(ZeroDivisionError):
            second.result(30)
        assert ask(lambda: "goes on").result(30) == "goes on"


class TestEnd:
    def test_threads_end_with_their_owner(self):
        """Apps come and go, in tests for example, and leave no thread behind."""
        passwords = PasswordHasher(CHEAPEST_PROFILE, threads=3)
        before = hash_threads()
        del passwords
        gc.collect()

        wait_until(lambda: hash_threads() <= before - 3)
