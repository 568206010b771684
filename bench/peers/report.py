"""Says in Markdown what `python -m bench.peers` found."""

from collections.abc import Iterator, Sequence

from bench import environment, tables
from bench.peers import plan, servers
from bench.service import WORKERS
from bench.tables import Ratio, Round

_PACKAGES = ("flask", "flask-restx", "pynamodb", "botocore", "pycurl", "orjson", "granian")
_ROWS = (plan.LEAN, plan.BOTOCORE, plan.FASTAPI, plan.EXPRESS, plan.ENGINE)
_RATIOS = (
    Ratio(plan.LEAN, plan.BOTOCORE, 6),
    Ratio(plan.LEAN, plan.FASTAPI, 3),
    Ratio(plan.LEAN, plan.EXPRESS, 3),
    Ratio(plan.LEAN, plan.ENGINE, 0.25, 0.30),
)


def render(rounds: Sequence[Round], users: int, command: str) -> str:
    """The figures with where, when and how they were taken."""
    parts = (
        _circumstances(rounds, users, command),
        tables.rates(rounds, dict.fromkeys(_ROWS, str(plan.CONNECTIONS))),
        tables.ratios(rounds, _RATIOS),
        tables.processor(rounds, _ROWS),
    )
    return "\n\n".join("\n".join(part) for part in parts)


def _circumstances(rounds: Sequence[Round], users: int, command: str) -> Iterator[str]:
    versions = [*environment.versions(_PACKAGES), *servers.versions()]
    yield environment.command(command)
    yield f"{environment.machine()}; wrk runs on the same cores"
    yield f"- Versions: {', '.join(versions)}"
    yield f"- Rounds: {len(rounds)}, each with {WORKERS} workers and {users} users in the store"
    yield environment.others([sample for found in rounds for sample in found.values()])
