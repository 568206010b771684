"""`python -m bench.soak`: mixed traffic for a long time, at four fifths of what the service can do.

Clients sign up, sign in, change and read accounts. Memory, open files and threads of the workers
are sampled meanwhile, and SIGTERM ends the service while requests are in flight. The exit status is
1 if an error or a lost response occurs, or if memory, files or threads grow.
"""

import os
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench.chaos.clients import NO_RESPONSE, Clients
from bench.support import command, environment, service
from bench.support.document import DOCUMENT, Section
from bench.support.service import WORKERS
from bench.support.tables import row
from bench.support.users import PASSWORD

SECTION = Section("bench.soak", DOCUMENT.with_name("reliability.md"))
CLIENTS = 8
SHARE = 0.8
_CALIBRATION_SECONDS = 10.0
# Growth between the second and the last quarter that is no leak: the allocator's, and caches'.
_MAX_GROWTH = {"memory": 1.05, "files": 1.0, "threads": 1.0}
# Files and threads of requests in flight differ from sample to sample.
_MAX_MORE = {"memory": 0.0, "files": float(CLIENTS), "threads": 1.0}
_SAMPLES = 60
_SETTINGS = {"ROSTER_RATE_LIMITS": "off", "ROSTER_DEMO_PASSWORD": PASSWORD}


@dataclass(frozen=True)
class Sample:
    """What the workers have at one time, together.

    Attributes:
        memory: Proportional set size, in MB.
        files: Open file descriptors.
        threads: Threads.
    """

    memory: float
    files: float
    threads: float


def main() -> int:
    """Measure, print, write the results with --write, and return the exit status."""
    parser = command.create_parser("bench.soak", __doc__, rounds=1, seconds=1800)
    arguments = parser.parse_args()
    failures: list[str] = []

    def measure() -> str:
        with tempfile.TemporaryDirectory(prefix="roster-soak-") as folder:
            rate, samples, clients, stopping = _run(Path(folder), arguments.seconds)
        failures.extend(_failures(samples, clients, stopping))
        return "\n".join(_render(rate, samples, clients, stopping, arguments.seconds))

    status = command.run(SECTION, arguments.write, measure)
    for failure in failures:
        command.log(failure)
    return 1 if failures else status


def _run(folder: Path, seconds: float) -> tuple[float, list[Sample], Counter[int], Counter[int]]:
    """Return responses a second, samples, and statuses before and during the stop."""
    with service.roster(folder / "store", settings=_SETTINGS) as roster:
        fastest = Clients(roster.port, CLIENTS, prefix="fastest")
        with fastest.running():
            time.sleep(_CALIBRATION_SECONDS)
        capacity = len(fastest.responses) / _CALIBRATION_SECONDS
        # Each client waits a fifth of the time that its requests take.
        pause = (1 / SHARE - 1) * CLIENTS / capacity
        clients = Clients(roster.port, CLIENTS, pause=pause)
        samples: list[Sample] = []
        with clients.running():
            began = time.monotonic()
            for _ in range(_SAMPLES):
                time.sleep(seconds / _SAMPLES)
                samples.append(_sample(roster.pid))
            ended = time.monotonic()
            os.kill(roster.pid, signal.SIGTERM)
            # Until the port is closed, which ends the clients' requests with refused connections.
            _wait_for_end(roster.pid)
        during = clients.statuses(began, ended)
        # Refused connections were no requests: nothing was accepted.
        stopping = Counter(
            each.status for each in clients.responses if each.at >= ended and not each.is_refused
        )
    return during.total() / seconds, samples, during, stopping


def _sample(pid: int) -> Sample:
    workers = _workers(pid)
    return Sample(
        sum(_memory(worker) for worker in workers),
        sum(len(os.listdir(f"/proc/{worker}/fd")) for worker in workers),
        sum(len(os.listdir(f"/proc/{worker}/task")) for worker in workers),
    )


def _workers(pid: int) -> list[int]:
    """Return the worker processes; the engine is a child, too, and is no Python."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in children if "python" in os.readlink(f"/proc/{child}/exe")]


def _memory(pid: int) -> float:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def _wait_for_end(pid: int) -> None:
    waiting = threading.Event()
    while _is_running(pid):
        waiting.wait(0.05)


def _is_running(pid: int) -> bool:
    """Return whether a child process has not ended yet, whether or not it was waited for."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def _quarters(samples: Sequence[Sample]) -> Iterator[tuple[str, float, float]]:
    """Yield each name with its median in the second and in the last quarter."""
    quarter = len(samples) // 4
    for name in _MAX_GROWTH:
        values = [getattr(sample, name) for sample in samples]
        yield name, median(values[quarter : 2 * quarter]), median(values[-quarter:])


def _failures(
    samples: Sequence[Sample], during: Counter[int], stopping: Counter[int]
) -> Iterator[str]:
    """Yield what must not happen, and did."""
    for name, before, after in _quarters(samples):
        if after > before * _MAX_GROWTH[name] + _MAX_MORE[name]:
            yield f"{name} grew from {before:.0f} to {after:.0f}"
    for statuses, when in ((during, "meanwhile"), (stopping, "during the stop")):
        errors = _errors(statuses)
        if errors:
            yield f"{errors} errors {when}: {dict(statuses)}"


def _errors(statuses: Counter[int]) -> int:
    return sum(number for status, number in statuses.items() if not 200 <= status < 300)


def _render(
    rate: float,
    samples: Sequence[Sample],
    during: Counter[int],
    stopping: Counter[int],
    seconds: float,
) -> Iterator[str]:
    yield environment.command(command.command_line("bench.soak"))
    yield environment.machine()
    load = f"{seconds / 60:g} minutes at {SHARE:.0%} of the rate"
    yield f"- {CLIENTS} clients, {WORKERS} workers, {load}"
    yield f"- {rate:,.0f} responses a second, {during.total():,} together; {_errors(during)} errors"
    yield (
        f"- While SIGTERM stopped it: {stopping.total()} responses, {_errors(stopping)} errors,"
        f" {stopping[NO_RESPONSE]} lost"
    )
    yield ""
    yield "| of all workers | second quarter | last quarter |"
    yield "| --- | ---: | ---: |"
    units = {"memory": "memory (PSS), MB", "files": "open files", "threads": "threads"}
    for name, before, after in _quarters(samples):
        yield row([units[name], f"{before:.0f}", f"{after:.0f}"])


if __name__ == "__main__":
    sys.exit(main())
