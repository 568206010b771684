"""`python -m bench.overload`: reads while more clients sign in than the cores can hash for.

Each round reads on a few connections, first alone, then while many clients sign in, each of which
waits a tenth of a second after its response. Their requests wait in the queue for password hashes;
a client whose request is 503 retries much sooner than the `Retry-After` header says.
"""

import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from statistics import median

from bench import plan
from bench.support import command, environment, service, tables
from bench.support.document import Section
from bench.support.load import run, run_warm
from bench.support.service import WORKERS
from bench.support.tables import Round
from bench.support.users import Users, create_users

SECTION = Section("bench.overload")
READS_ALONE = "reads alone"
READS_UNDER_OVERLOAD = "reads under overload"
SIGN_INS = "sign-in responses under overload"
# The sign-ins would keep several times as many cores busy.
CONNECTIONS = {READS_ALONE: 4, READS_UNDER_OVERLOAD: 4, SIGN_INS: 64}
# The sign-ins start before the measured reads and end after them.
_LEAD_SECONDS = 1
_PAUSE_MILLISECONDS = 100
_PACKAGES = ("flask", "granian", "argon2-cffi-bindings")


def main() -> int:
    """Measure, print, write the results with --write, and return the exit status."""
    parser = command.create_parser("bench.overload", __doc__, rounds=5, seconds=5)
    command.add_users_argument(parser)
    arguments = parser.parse_args()

    def measure() -> str:
        with (
            tempfile.TemporaryDirectory(prefix="roster-bench-") as folder,
            service.roster(Path(folder) / "store") as roster,
        ):
            users = create_users(roster, arguments.users)
            rounds = [_round(roster, users, arguments.seconds) for _ in range(arguments.rounds)]
        return "\n".join(_render(rounds, arguments.users))

    return command.run(SECTION, arguments.write, measure)


def _round(roster: service.Service, users: Users, seconds: int) -> Round:
    reads = plan.read_load(roster, users)
    sign_ins = replace(
        plan.sign_in_load(roster, users), rejection_status=503, pause=_PAUSE_MILLISECONDS
    )
    alone = run_warm(reads, CONNECTIONS[READS_ALONE], seconds)
    with ThreadPoolExecutor(1) as pool:
        overload = pool.submit(run, sign_ins, CONNECTIONS[SIGN_INS], seconds + 2 * _LEAD_SECONDS)
        time.sleep(_LEAD_SECONDS)
        during = run(reads, CONNECTIONS[READS_UNDER_OVERLOAD], seconds)
        samples = {READS_ALONE: alone, READS_UNDER_OVERLOAD: during, SIGN_INS: overload.result()}
    time.sleep(_LEAD_SECONDS)
    command.log(", ".join(f"{name}: {sample.rate:,.0f}/s" for name, sample in samples.items()))
    return samples


def _render(rounds: Sequence[Round], user_count: int) -> Iterator[str]:
    yield environment.command(command.command_line("bench.overload"))
    yield f"{environment.machine()}; wrk runs on the same cores"
    yield f"- Versions: {', '.join(environment.versions(_PACKAGES))}"
    yield f"- Rounds: {len(rounds)}, with {WORKERS} workers and {user_count} users in the database"
    yield ""
    yield from tables.rates(rounds, {name: str(number) for name, number in CONNECTIONS.items()})
    accepted = [samples[SIGN_INS].rate * (1 - samples[SIGN_INS].rejected) for samples in rounds]
    rejected = median(samples[SIGN_INS].rejected for samples in rounds)
    middle, limits = tables.spread(accepted, "{:.0f}".format)
    yield ""
    yield (
        f"{middle} sign-ins per second ({limits}) succeeded;"
        f" {rejected:.0%} of the responses were 503."
    )


if __name__ == "__main__":
    sys.exit(main())
