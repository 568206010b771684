"""`db.deadline`: a deadline for the calls of a block."""

import threading
from functools import partial

from flask_pynamodb import deadline
from flask_pynamodb.concurrency import gather


class TestDeadline:
    def test_none(self) -> None:
        """Outside of a block, only the deadline of the settings applies."""
        assert (deadline.earliest(None), deadline.earliest(5.0)) == (None, 5.0)

    def test_earliest(self) -> None:
        """In a block, the earlier of both deadlines applies."""
        with deadline.limited_to(60):
            of_block = deadline.earliest(None)

            assert of_block is not None
            assert deadline.earliest(of_block + 1) == of_block
            assert deadline.earliest(of_block - 1) == of_block - 1

    def test_nested(self) -> None:
        """A block inside of another one shortens its deadline, and never extends it."""
        with deadline.limited_to(60):
            outer = deadline.earliest(None)
            with deadline.limited_to(600):
                longer = deadline.earliest(None)
            with deadline.limited_to(6):
                shorter = deadline.earliest(None)

            assert longer == outer == deadline.earliest(None)
            assert shorter is not None
            assert outer is not None
            assert shorter < outer

    def test_of_the_extension(self, db) -> None:
        """The extension has it as a method, which holds for concurrent calls, too."""
        # Both wait for the other one, so they run on two threads.
        both = threading.Barrier(2)
        with db.deadline(60):
            found = gather([partial(_deadline_and_thread, both)] * 2)

        assert len({at for at, _ in found}) == 1
        assert len({thread for _, thread in found}) == 2

    def test_ends_with_the_block(self) -> None:
        """After the block, the deadline is gone, also after an error."""
        try:
            with deadline.limited_to(60):
                raise KeyError
        except KeyError:
            pass

        assert deadline.earliest(None) is None


def _deadline_and_thread(both: threading.Barrier) -> tuple[float | None, int]:
    both.wait(10)
    return deadline.earliest(None), threading.get_ident()
