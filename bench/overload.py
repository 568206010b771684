"""`python -m bench.storm`: reading users while more sign in than the cores can hash.

Each round reads on a few connections, first alone, then while several times as many clients sign
in as the service lets wait. Those who come when all places are taken are answered 503 at once; they
try again after a tenth of a second, much sooner than they are told to.
"""

import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from statistics import median

from bench import command, environment, plan, service, tables
from bench.document import Section
from bench.load import run, run_warm
from bench.service import WORKERS
from bench.tables import Round
from bench.users import Cast, enrol

ALONE = "reads alone"
DURING = "reads during the storm"
STORM = "answers to sign-ins of the storm"
# How many read, and how many want to sign in; each worker has places for eight of these.
CONNECTIONS = {ALONE: 4, DURING: 4, STORM: 64}
# The storm begins before the reads that are measured in it, and goes on after them.
_LEAD_SECONDS = 1
_PAUSE_MILLISECONDS = 100
_PACKAGES = ("flask", "granian", "argon2-cffi-bindings")


def main() -> int:
    """Measure, print, and with --write put the figures into the document; the process's status."""
    parser = command.parser("bench.overload", __doc__, rounds=5, seconds=5)
    command.add_users(parser)
    arguments = parser.parse_args()

    def measure() -> str:
        with (
            tempfile.TemporaryDirectory(prefix="roster-bench-") as folder,
            service.roster(Path(folder) / "store") as roster,
        ):
            cast = enrol(roster, arguments.users)
            rounds = [_round(roster, cast, arguments.seconds) for _ in range(arguments.rounds)]
        return "\n".join(_render(rounds, arguments.users))

    return command.run(Section("bench.overload"), arguments.write, measure)


def _round(roster: service.Service, cast: Cast, seconds: int) -> Round:
    reads = plan.reading(roster, cast)
    storm = replace(plan.signing_in(roster, cast), tolerated=503, pause=_PAUSE_MILLISECONDS)
    alone = run_warm(reads, CONNECTIONS[ALONE], seconds)
    with ThreadPoolExecutor(1) as aside:
        stormy = aside.submit(run, storm, CONNECTIONS[STORM], seconds + 2 * _LEAD_SECONDS)
        time.sleep(_LEAD_SECONDS)
        during = run(reads, CONNECTIONS[DURING], seconds)
        found = {ALONE: alone, DURING: during, STORM: stormy.result()}
    time.sleep(_LEAD_SECONDS)
    command.tell(", ".join(f"{name}: {sample.rate:,.0f}/s" for name, sample in found.items()))
    return found


def _render(rounds: Sequence[Round], users: int) -> Iterator[str]:
    yield environment.command(command.typed("bench.overload"))
    yield f"{environment.machine()}; wrk runs on the same cores"
    yield f"- Versions: {', '.join(environment.versions(_PACKAGES))}"
    yield f"- Rounds: {len(rounds)}, with {WORKERS} workers and {users} users in the store"
    yield ""
    yield from tables.rates(rounds, {name: str(many) for name, many in CONNECTIONS.items()})
    granted = [found[STORM].rate * (1 - found[STORM].refused) for found in rounds]
    refused = median(found[STORM].refused for found in rounds)
    middle, ends = tables.spread(granted, "{:.0f}".format)
    yield ""
    yield (
        f"Of the sign-ins {middle} a second ({ends}) were carried out;"
        f" {refused:.0%} of the answers were 503."
    )


if __name__ == "__main__":
    sys.exit(main())
