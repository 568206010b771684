"""Says in Markdown what `python -m bench` found."""

from collections.abc import Iterator
from statistics import median

from bench import environment, plan, tables
from bench.cores import Split
from bench.service import WORKERS
from bench.tables import Ratio, judged, spread

_PACKAGES = ("flask", "flask-restx", "pynamodb", "botocore", "granian", "argon2-cffi-bindings")
_RATIOS = (
    Ratio(plan.READ, plan.BARE),
    Ratio(plan.LIST, plan.BARE),
    Ratio(plan.SIGN_UP, plan.ARGON2, 0.85),
    Ratio(plan.SIGN_IN, plan.ARGON2, 0.85),
    Ratio(plan.OWN_SIGN_UP, plan.OWN_ARGON2, 0.85),
    Ratio(plan.OWN_SIGN_IN, plan.OWN_ARGON2, 0.85),
)
_LONGEST_START = 3.0
_CPU_ROWS = (plan.ARGON2, plan.SIGN_UP, plan.SIGN_IN, plan.READ, plan.LIST, plan.BARE)


def render(figures: plan.Figures, command: str) -> str:
    """The figures with where, when and how they were taken."""
    at_once = {name: plan.at_once(name) for name in plan.ORDER}
    parts = (
        _circumstances(figures, command),
        tables.rates(figures.rounds, at_once),
        tables.ratios(figures.rounds, _RATIOS),
        tables.processor(figures.rounds, _CPU_ROWS),
        _starts(figures),
    )
    return "\n\n".join("\n".join(part) for part in parts)


def _circumstances(figures: plan.Figures, command: str) -> Iterator[str]:
    yield environment.command(command)
    split = Split.of_machine()
    yield f"{environment.machine()}; engine and wrk run on the service's cores but where it has"
    yield (
        f"  its own: those are {len(split.own)}, with a worker for each; engine and wrk have the"
        f" other {len(split.others)}"
    )
    yield f"- Versions: {', '.join(environment.versions(_PACKAGES))}"
    yield (
        f"- Rounds: {len(figures.rounds)}, each with {WORKERS} workers and {figures.users} users"
        " in the store at its beginning"
    )
    yield environment.others([sample for found in figures.rounds for sample in found.values()])


def _starts(figures: plan.Figures) -> Iterator[str]:
    middle, ends = spread(figures.starts, "{:.2f}".format)
    verdict = judged(median(figures.starts) < _LONGEST_START, f"under {_LONGEST_START:g} s")
    yield (
        "Start of `roster serve --local` on existing data, from exec to the first 200 of"
        f" `/health/ready`: {middle} s, median of {len(figures.starts)} ({ends});"
        f" goal {verdict}."
    )
