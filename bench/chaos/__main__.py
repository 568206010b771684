"""`python -m bench.chaos`: faults of the database under load.

Clients sign up, sign in, change and read accounts. One fault after the other is injected between
the service and the engine, for some seconds each. At the end each acknowledged write is read back.
The exit status is 1 if one is lost, a response is 500, or the service does not recover in time.
"""

import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bench.chaos import proxy
from bench.chaos.clients import NO_RESPONSE, Clients
from bench.chaos.proxy import ChaosProxy, Fault
from bench.support import command, environment, service
from bench.support.document import DOCUMENT, Section
from bench.support.process import BenchError, free_port
from bench.support.service import WORKERS
from bench.support.tables import row
from bench.support.users import PASSWORD
from flask_pynamodb.local import Engine
from roster.local import engine as engines

SECTION = Section("bench.chaos", DOCUMENT.with_name("reliability.md"))
CLIENTS = 8
# Within this time after a fault, all responses are successes again.
MAX_RECOVERY = 5.0
# The deadline of a call to the database is 10 s, with its retries; a request has several calls.
_OBSERVED_AFTER = 8.0
_LEAD_SECONDS = 2.0
_SETTINGS = {"ROSTER_RATE_LIMITS": "off", "ROSTER_DEMO_PASSWORD": PASSWORD}


@dataclass(frozen=True)
class Outcome:
    """What clients saw of one fault.

    Attributes:
        name: The fault.
        during: Responses during the fault, by status.
        slowest: The longest time of a response that began before the recovery, in seconds.
        recovery: Seconds from the end of the fault to the last response that is an error.
    """

    name: str
    during: Counter[int]
    slowest: float
    recovery: float


def main() -> int:
    """Inject, print, write the results with --write, and return the exit status."""
    arguments = command.create_parser("bench.chaos", __doc__, rounds=1, seconds=5).parse_args()
    failures: list[str] = []

    def measure() -> str:
        with tempfile.TemporaryDirectory(prefix="roster-chaos-") as folder:
            outcomes, writes, lost = _run(Path(folder), arguments.seconds)
        failures.extend(_failures(outcomes, lost))
        return "\n".join([*_render(outcomes, writes, lost, arguments.seconds)])

    status = command.run(SECTION, arguments.write, measure)
    for failure in failures:
        command.log(failure)
    return 1 if failures else status


def _run(folder: Path, seconds: float) -> tuple[list[Outcome], int, int]:
    """Inject each fault, and return the outcomes, the acknowledged writes, and the lost ones."""
    engine = engines.local_engine(folder / "store", port=free_port())
    # The engine ends with the thread that starts it, and is killed on purpose.
    with engine:
        chaos = ChaosProxy(engine.host)
        settings = {**_SETTINGS, "DYNAMODB_HOST": chaos.url}
        with chaos.serving(), service.roster(folder / "roster", settings=settings) as roster:
            clients = Clients(roster.port, CLIENTS)
            with clients.running():
                time.sleep(_LEAD_SECONDS)
                faults = _faults(chaos, engine)
                outcomes = [_observe(clients, name, during, seconds) for name, during in faults]
            lost = _lost(clients)
    return outcomes, len(clients.acknowledged), lost


def _faults(chaos: ChaosProxy, engine: Engine) -> Iterator[tuple[str, partial[None]]]:
    """Yield the name of each fault, and what injects it for some seconds."""
    faults: dict[str, Fault] = {
        "half of the calls throttled": proxy.throttle,
        "all calls throttled": proxy.throttle_all,
        "half of the calls answered 500": proxy.fail,
        "half of the connections reset": proxy.reset,
        "each call answered after 2 s": proxy.stall,
    }
    for name, fault in faults.items():
        yield name, partial(_inject, chaos, fault)
    yield "engine killed, started again", partial(_kill, engine)


def _inject(chaos: ChaosProxy, fault: Fault, seconds: float) -> None:
    chaos.fault = fault
    time.sleep(seconds)
    chaos.fault = proxy.none


def _kill(engine: Engine, seconds: float) -> None:
    engine.kill()
    time.sleep(seconds)
    engine.start()


def _observe(clients: Clients, name: str, inject: partial[None], seconds: float) -> Outcome:
    began = time.monotonic()
    inject(seconds)
    ended = time.monotonic()
    time.sleep(_OBSERVED_AFTER)
    after = [each for each in clients.responses if each.at >= ended]
    errors = [each.at - ended for each in after if each.status in (NO_RESPONSE, *range(500, 600))]
    of_fault = [each for each in clients.responses if began <= each.at]
    outcome = Outcome(
        name,
        clients.statuses(began, ended),
        max(each.seconds for each in of_fault),
        max(errors, default=0.0),
    )
    command.log(f"{outcome}")
    return outcome


def _lost(clients: Clients) -> int:
    """Return how many acknowledged writes cannot be read."""
    status, session = clients.call("POST", "/v1/sessions", {"login": "john", "password": PASSWORD})
    if status != 201:
        raise BenchError(f"john cannot sign in: {status}")
    lost = 0
    for user_id, name in clients.acknowledged.items():
        status, user = clients.call("GET", f"/v1/users/{user_id}", token=session["token"])
        if status != 200 or user["full_name"] not in {name, *clients.uncertain.get(user_id, ())}:
            lost += 1
    return lost


def _failures(outcomes: Sequence[Outcome], lost: int) -> Iterator[str]:
    """Yield what must not happen, and did."""
    if lost:
        yield f"{lost} acknowledged writes are lost"
    for each in outcomes:
        if each.during[500]:
            yield f"{each.name}: {each.during[500]} responses are 500"
        if each.recovery > MAX_RECOVERY:
            yield f"{each.name}: errors until {each.recovery:.1f} s after the fault"


def _render(outcomes: Sequence[Outcome], writes: int, lost: int, seconds: float) -> Iterator[str]:
    yield environment.command(command.command_line("bench.chaos"))
    yield environment.machine()
    yield f"- {CLIENTS} clients, {WORKERS} workers, each fault for {seconds} s"
    yield f"- Accounts with acknowledged writes: {writes}; lost: {lost}"
    yield ""
    yield (
        "| fault | successes | 503 | 500 | no response | other errors"
        " | slowest response | last error after the end |"
    )
    yield "| --- |" + " ---: |" * 7
    for each in outcomes:
        successes = sum(number for status, number in each.during.items() if 200 <= status < 300)
        special = {status: each.during[status] for status in (503, 500, NO_RESPONSE)}
        others = each.during.total() - successes - sum(special.values())
        cells = [each.name, successes, *special.values(), others]
        times = [f"{each.slowest:.1f} s", f"{each.recovery:.1f} s" if each.recovery else "none"]
        yield row([*map(str, cells), *times])


if __name__ == "__main__":
    sys.exit(main())
