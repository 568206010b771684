"""Which cores processes run on, so that what is measured need not share its own."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from bench import cpu
from bench.process import BenchError
from bench.service import Service
from flask_pynamodb.local import find_binary


@dataclass(frozen=True)
class Split:
    """Two halves of the cores that there are.

    Attributes:
        own: Those of the service, and of argon2 alone.
        others: Those of the engine and the load generator; one more if there is an odd one.
    """

    own: frozenset[int]
    others: frozenset[int]

    @classmethod
    def of_machine(cls) -> Self:
        """The halves of this machine.

        Raises:
            BenchError: It has one core only.
        """
        every = sorted(os.sched_getaffinity(0))
        if len(every) < 2:
            raise BenchError("The benchmark needs two cores, so that the service can have its own.")
        half = len(every) // 2
        return cls(frozenset(every[:half]), frozenset(every[half:]))

    def send_engine_away(self, service: Service) -> None:
        """Move the engine of a service that was started on its own cores to the others."""
        engine = find_binary().resolve()
        for pid in cpu.family_of(service.pid):
            if cpu.program_of(pid) == engine:
                _confine(pid, self.others)


@contextmanager
def run_on(cores: frozenset[int]) -> Iterator[None]:
    """Let what is started in the `with` block run on some cores only."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _confine(pid: int, cores: frozenset[int]) -> None:
    # Each thread has a rule of its own; those that it starts later inherit it.
    for thread in Path(f"/proc/{pid}/task").iterdir():
        with suppress(ProcessLookupError):
            os.sched_setaffinity(int(thread.name), cores)
