"""CPU affinity: gives the measured service cores that no other process of the benchmark uses."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from bench.support import cpu
from bench.support.engine import find_engine
from bench.support.process import BenchError
from bench.support.service import Service


@dataclass(frozen=True)
class CoreSplit:
    """The two halves of the machine's cores.

    Attributes:
        dedicated: The cores of the service, and of argon2 alone.
        remaining: The cores of the engine and the load generator; the larger half of an odd number.
    """

    dedicated: frozenset[int]
    remaining: frozenset[int]

    @classmethod
    def of_machine(cls) -> Self:
        """Split the cores that this process may use.

        Raises:
            BenchError: There is only one core.
        """
        cores = sorted(os.sched_getaffinity(0))
        if len(cores) < 2:
            raise BenchError("The benchmark needs two cores, so that the service can have its own.")
        half = len(cores) // 2
        return cls(frozenset(cores[:half]), frozenset(cores[half:]))

    def move_engine(self, service: Service) -> None:
        """Move the engine of a service from the dedicated cores to the remaining ones."""
        engine = find_engine().resolve()
        for pid in cpu.process_tree(service.pid):
            if cpu.executable_of(pid) == engine:
                _set_affinity(pid, self.remaining)


@contextmanager
def run_on(cores: frozenset[int]) -> Iterator[None]:
    """Restrict processes that start inside the `with` block to the given cores."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _set_affinity(pid: int, cores: frozenset[int]) -> None:
    # Affinity belongs to a thread; threads that start later inherit it.
    for thread in Path(f"/proc/{pid}/task").iterdir():
        with suppress(ProcessLookupError):
            os.sched_setaffinity(int(thread.name), cores)
