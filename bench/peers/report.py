"""Renders the results of `python -m bench.peers` as Markdown."""

from collections.abc import Iterator, Sequence

from bench.peers import plan, servers
from bench.support import environment, tables
from bench.support.service import WORKERS
from bench.support.tables import Ratio, Round

_PACKAGES = ("flask", "flask-restx", "pynamodb", "botocore", "pycurl", "orjson", "granian")
_ROWS = (plan.ROSTER, plan.BOTOCORE, plan.FASTAPI, plan.EXPRESS, plan.GO, plan.ENGINE)
_RATIOS = (
    Ratio(plan.ROSTER, plan.BOTOCORE, 6),
    Ratio(plan.ROSTER, plan.FASTAPI, 2.2, 3),
    Ratio(plan.ROSTER, plan.EXPRESS, 1.7, 3),
    Ratio(plan.ROSTER, plan.GO, 0.65),
    Ratio(plan.ROSTER, plan.ENGINE, 0.25, 0.30),
)


def render(rounds: Sequence[Round], user_count: int, command: str) -> str:
    """Render the environment of the run and its results."""
    parts = (
        _environment(rounds, user_count, command),
        tables.rates(rounds, dict.fromkeys(_ROWS, str(plan.CONNECTIONS))),
        tables.ratios(rounds, _RATIOS),
        tables.processor(rounds, _ROWS),
    )
    return "\n\n".join("\n".join(part) for part in parts)


def _environment(rounds: Sequence[Round], user_count: int, command: str) -> Iterator[str]:
    versions = [*environment.versions(_PACKAGES), *servers.versions()]
    yield environment.command(command)
    yield f"{environment.machine()}; wrk runs on the same cores"
    yield f"- Versions: {', '.join(versions)}"
    yield (
        f"- Rounds: {len(rounds)}, each with {WORKERS} workers and {user_count} users in the"
        " database"
    )
    yield environment.others([sample for samples in rounds for sample in samples.values()])
