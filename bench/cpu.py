"""Who used the processor: read from /proc, so that nothing has to be installed."""

import os
import resource
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

# Where other programs had more of the machine than this, the figures say little.
NOISY = 0.05
_PROC = Path("/proc")
_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Cpu:
    """Processor time in seconds, over all cores.

    Attributes:
        service: The processes that are measured.
        engine: The local DynamoDB engine.
        load: The load generator.
        others: Everything else on the machine, the kernel's own work included.
        idle: Nobody.
    """

    service: float
    engine: float
    load: float
    others: float
    idle: float

    @property
    def own(self) -> float:
        """What the measurement needed itself."""
        return self.service + self.engine + self.load

    @property
    def others_share(self) -> float:
        """How much of the machine was not to be had."""
        return self.others / (self.own + self.others + self.idle)

    def each(self, requests: float) -> Self:
        """The share of one request."""
        return type(self)(*(part / requests for part in vars(self).values()))


@dataclass(frozen=True)
class _Reading:
    service: float
    engine: float
    load: float
    busy: float
    idle: float


def metered(roots: Iterable[int], engine: Path | None = None) -> Callable[[], Cpu]:
    """Start to meter; the function that is returned stops and says what was used.

    Args:
        roots: The processes that are measured together with their descendants.
        engine: The engine's binary, to tell its process from the others.
    """
    family = [pid for root in roots for pid in family_of(root)]
    engines = [pid for pid in family if engine and program_of(pid) == engine.resolve()]
    services = [pid for pid in family if pid not in engines]
    before = _read(services, engines)

    def stop() -> Cpu:
        after = _read(services, engines)
        service = after.service - before.service
        engine = after.engine - before.engine
        load = after.load - before.load
        others = max(0.0, after.busy - before.busy - service - engine - load)
        return Cpu(service, engine, load, others, after.idle - before.idle)

    return stop


def family_of(root: int) -> list[int]:
    """The ids of a process and all its descendants."""
    children: dict[int, list[int]] = {}
    for entry in _PROC.iterdir():
        if entry.name.isdigit() and (fields := _stat(int(entry.name))):
            children.setdefault(int(fields[1]), []).append(int(entry.name))
    family = [root]
    for pid in family:
        family += children.get(pid, [])
    return family


def program_of(pid: int) -> Path | None:
    """The file that a process runs; None if it is gone or somebody else's."""
    try:
        return (_PROC / str(pid) / "exe").resolve(strict=True)
    except OSError:
        return None


def model_name() -> str:
    """What the processor calls itself."""
    for line in (_PROC / "cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return "unknown processor"


def memory_gib() -> float:
    """The machine's memory."""
    kib = (_PROC / "meminfo").read_text().partition("MemTotal:")[2].split()[0]
    return int(kib) / 2**20


def _read(services: Iterable[int], engines: Iterable[int]) -> _Reading:
    # proc(5): user, nice, system, idle, iowait, irq, softirq, steal; guest time is part of user.
    ticks = (_PROC / "stat").read_text().splitlines()[0].split()[1:9]
    user, nice, system, idle, iowait, irq, softirq, steal = (
        int(tick) / _TICKS_PER_SECOND for tick in ticks
    )
    # The only children that end while the meter runs are the load generator's.
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
    """The fields of /proc/PID/stat from the third (the state) on; empty if the process is gone."""
    try:
        # The second field is the program's name in brackets, which may hold spaces and brackets.
        return (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []
