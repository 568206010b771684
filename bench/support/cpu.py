"""Processor time by process, read from /proc, so that nothing has to be installed."""

import os
import resource
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

# Above this share of other programs, the figures are unreliable.
NOISY = 0.05
_PROC = Path("/proc")
_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Cpu:
    """Processor time in seconds, over all cores.

    Attributes:
        service: The measured processes.
        engine: The local DynamoDB engine.
        load: The load generator.
        others: All other processes, and the kernel's own work.
        idle: Unused time.
    """

    service: float
    engine: float
    load: float
    others: float
    idle: float

    @property
    def measured(self) -> float:
        """The time of the service, the engine and the load generator."""
        return self.service + self.engine + self.load

    @property
    def others_share(self) -> float:
        """The share of the machine's processor time that other processes used."""
        return self.others / (self.measured + self.others + self.idle)

    def per_request(self, requests: float) -> Self:
        """Return the processor time of one request."""
        return type(self)(*(part / requests for part in vars(self).values()))


@dataclass(frozen=True)
class _Reading:
    service: float
    engine: float
    load: float
    busy: float
    idle: float


def start_meter(roots: Iterable[int], engine: Path | None = None) -> Callable[[], Cpu]:
    """Start a meter and return a function that stops it and returns the processor time used.

    Args:
        roots: The processes to measure, together with their descendants.
        engine: The engine's binary, which identifies its process among the descendants.
    """
    pids = [pid for root in roots for pid in process_tree(root)]
    engines = [pid for pid in pids if engine and executable_of(pid) == engine.resolve()]
    services = [pid for pid in pids if pid not in engines]
    before = _read(services, engines)

    def stop() -> Cpu:
        after = _read(services, engines)
        service = after.service - before.service
        engine = after.engine - before.engine
        load = after.load - before.load
        others = max(0.0, after.busy - before.busy - service - engine - load)
        return Cpu(service, engine, load, others, after.idle - before.idle)

    return stop


def process_tree(root: int) -> list[int]:
    """Return the ids of a process and all its descendants."""
    children: dict[int, list[int]] = {}
    for entry in _PROC.iterdir():
        if entry.name.isdigit() and (fields := _stat(int(entry.name))):
            children.setdefault(int(fields[1]), []).append(int(entry.name))
    pids = [root]
    for pid in pids:
        pids += children.get(pid, [])
    return pids


def executable_of(pid: int) -> Path | None:
    """Return the file that a process executes; None if it has ended or cannot be read."""
    try:
        return (_PROC / str(pid) / "exe").resolve(strict=True)
    except OSError:
        return None


def model_name() -> str:
    """Return the name of the processor."""
    for line in (_PROC / "cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return "unknown processor"


def memory_gib() -> float:
    """Return the machine's memory in GiB."""
    kib = (_PROC / "meminfo").read_text().partition("MemTotal:")[2].split()[0]
    return int(kib) / 2**20


def _read(services: Iterable[int], engines: Iterable[int]) -> _Reading:
    # proc(5): user, nice, system, idle, iowait, irq, softirq, steal; guest time is part of user.
    ticks = (_PROC / "stat").read_text().splitlines()[0].split()[1:9]
    user, nice, system, idle, iowait, irq, softirq, steal = (
        int(tick) / _TICKS_PER_SECOND for tick in ticks
    )
    # The load generator is the only child process that ends while the meter runs.
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return _Reading(
        service=sum(map(_seconds_of, services)),
        engine=sum(map(_seconds_of, engines)),
        load=ended.ru_utime + ended.ru_stime,
        busy=user + nice + system + irq + softirq + steal,
        idle=idle + iowait,
    )


def _seconds_of(pid: int) -> float:
    fields = _stat(pid)
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_SECOND if fields else 0.0


def _stat(pid: int) -> list[str]:
    """Return the fields of /proc/PID/stat from the state on; empty for an ended process."""
    try:
        # The second field is the program's name in brackets, which may contain spaces and brackets.
        return (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []
