"""Hashes are computed by threads of their own, also in a process that was forked."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from models import CHEAPEST, Passwords
from models.errors import Busy

GOOD = "a stone bridge over the river"


def verify_by_many(passwords: Passwords) -> list[bool]:
    """Sixteen threads that want the same password verified."""
    stored = passwords.hash(GOOD)
    with ThreadPoolExecutor(16) as many:
        return [right for right, _ in many.map(lambda _: passwords.verify(GOOD, stored), range(64))]


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
class TestFork:
    @pytest.mark.parametrize("at_once", [1, 2])
    def test_child_has_threads_of_its_own(self, at_once):
        """A worker that is forked from a finished app hashes, on as many threads as it may."""
        passwords = Passwords(CHEAPEST, at_once=at_once, waiting=16)
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

        assert (verified, threads) == (64, at_once)
        assert verify_by_many(passwords) == [True] * 64


class TestTurns:
    """ASVS 2.4.1, 15.2.2: a storm of sign-ins takes neither all threads nor all memory."""

    @pytest.fixture
    def passwords(self):
        return Passwords(CHEAPEST, at_once=1, waiting=2)

    def test_bound(self, passwords):
        """One computes, two wait, and who comes then is sent away at once."""
        taken, leave = threading.Barrier(4), threading.Event()

        def hold():
            with passwords.turn():
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
        with passwords.turn(), passwords.turn():
            stored = passwords.hash(GOOD)
            assert passwords.verify(GOOD, stored)[0]

    def test_places_come_back(self, passwords):
        """Whatever goes wrong, a place is given back."""
        for _ in range(10):
            with pytest.raises(RuntimeError), passwords.turn():
                raise RuntimeError

        assert passwords.hash(GOOD)
