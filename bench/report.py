"""Renders the results of `python -m bench` as Markdown."""

from collections.abc import Iterator
from statistics import median

from bench import plan
from bench.support import environment, tables
from bench.support.cores import CoreSplit
from bench.support.service import WORKERS
from bench.support.tables import Ratio, spread, verdict

_PACKAGES = ("flask", "flask-restx", "pynamodb", "botocore", "granian", "argon2-cffi-bindings")
_RATIOS = (
    Ratio(plan.READ, plan.BARE),
    Ratio(plan.LIST, plan.BARE),
    Ratio(plan.SIGN_UP, plan.ARGON2, 0.85),
    Ratio(plan.SIGN_IN, plan.ARGON2, 0.85),
    Ratio(plan.DEDICATED_SIGN_UP, plan.DEDICATED_ARGON2, 0.85),
    Ratio(plan.DEDICATED_SIGN_IN, plan.DEDICATED_ARGON2, 0.85),
)
_LONGEST_START = 3.0
_CPU_ROWS = (plan.ARGON2, plan.SIGN_UP, plan.SIGN_IN, plan.READ, plan.LIST, plan.BARE)


def render(results: plan.Results, command: str) -> str:
    """Render the environment of the run and its results."""
    concurrency = {name: plan.concurrency(name) for name in plan.ORDER}
    parts = (
        _environment(results, command),
        tables.rates(results.rounds, concurrency),
        tables.ratios(results.rounds, _RATIOS),
        tables.processor(results.rounds, _CPU_ROWS),
        _starts(results),
    )
    return "\n\n".join("\n".join(part) for part in parts)


def _environment(results: plan.Results, command: str) -> Iterator[str]:
    yield environment.command(command)
    split = CoreSplit.of_machine()
    yield f"{environment.machine()}; engine and wrk share the service's cores, except in the rows"
    yield (
        f'  "dedicated cores": there the service has {len(split.dedicated)}, with one worker each,'
        f" and engine and wrk have the other {len(split.remaining)}"
    )
    yield f"- Versions: {', '.join(environment.versions(_PACKAGES))}"
    yield (
        f"- Rounds: {len(results.rounds)}, each with {WORKERS} workers and {results.user_count}"
        " users in the database at its start"
    )
    yield environment.others([sample for found in results.rounds for sample in found.values()])


def _starts(results: plan.Results) -> Iterator[str]:
    middle, limits = spread(results.starts, "{:.2f}".format)
    goal = verdict(median(results.starts) < _LONGEST_START, f"under {_LONGEST_START:g} s")
    yield (
        "Start of `roster serve --local` on existing data, from exec to the first 200 of"
        f" `/health/ready`: {middle} s, median of {len(results.starts)} ({limits});"
        f" goal {goal}."
    )
