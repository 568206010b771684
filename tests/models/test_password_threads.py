"""Hashes are computed by threads of their own, also in a process that was forked."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from models import CHEAPEST, Passwords

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
