"""Renders the results of `python -m bench.front` as Markdown."""

from collections.abc import Iterator, Sequence
from statistics import median

from bench.front import plan
from bench.front.clients import HALF_SENT, PROBES, REQUESTS, SIGN_UPS
from bench.front.plan import FrontRound
from bench.support import environment, tables
from bench.support.service import WORKERS
from bench.support.tables import Ratio

RATIOS = (
    Ratio(plan.WITH_HALF_SENT, plan.WITHOUT_HALF_SENT),
    Ratio(plan.PROXIED, plan.DIRECT),
    Ratio(plan.DELAYED, plan.PROXIED),
    Ratio(plan.DELAYED, plan.DIRECT, goal=0.8),
)
MAX_MEGABYTES = 110
_PACKAGES = ("flask", "granian", "pycurl", "argon2-cffi-bindings")


def render(rounds: Sequence[FrontRound], user_count: int, command_line: str) -> str:
    """Return the results as a section of docs/performance.md.

    Args:
        rounds: The results.
        user_count: The number of users in the database.
        command_line: The command that produced the results.
    """
    return "\n".join(_lines(rounds, user_count, command_line))


def _lines(rounds: Sequence[FrontRound], user_count: int, command_line: str) -> Iterator[str]:
    samples = [each.samples for each in rounds]
    connections = {name: str(number) for name, number in plan.CONNECTIONS.items()}
    yield environment.command(command_line)
    yield f"{environment.machine()}; wrk and the other clients run on the same cores"
    yield f"- Versions: {', '.join(environment.versions(_PACKAGES))}"
    yield f"- Rounds: {len(rounds)}, with {WORKERS} workers and {user_count} users in the database"
    yield environment.others([sample for each in samples for sample in each.values()])
    yield ""
    yield from tables.rates(samples, connections, percentiles=("p50", "p99"))
    yield ""
    yield from tables.ratios(samples, RATIOS)
    yield ""
    yield from tables.processor(samples, (plan.DIRECT, plan.PROXIED, plan.DELAYED))
    yield ""
    yield "The processor time of the proxy is in the column of the service."
    yield ""
    yield from _probes(rounds)
    yield ""
    yield from _sign_ups(rounds)
    yield ""
    yield from _memory(rounds)


def _probes(rounds: Sequence[FrontRound]) -> Iterator[str]:
    heads = ("p50 ms, median", "min..max", "p99 ms, median", "min..max")
    yield tables.row([f"{PROBES} times `GET /health/live`, each on a new connection", *heads])
    yield "| --- |" + " ---: |" * len(heads)
    for name, label in (
        (plan.WITHOUT_HALF_SENT, "without half-sent bodies"),
        (plan.WITH_HALF_SENT, f"with {HALF_SENT:,} half-sent bodies"),
    ):
        latencies = [each.probes[name] for each in rounds]
        p50 = tables.spread([latency.p50 for latency in latencies], "{:.1f}".format)
        p99 = tables.spread([latency.p99 for latency in latencies], "{:.1f}".format)
        yield tables.row([label, *p50, *p99])


def _sign_ups(rounds: Sequence[FrontRound]) -> Iterator[str]:
    heads = ("201, median", "min..max", "503, median", "min..max")
    times = ("seconds until the last response, median", "min..max")
    yield tables.row([f"{SIGN_UPS} sign-ups at once, by time in the queue", *heads, *times])
    yield "| --- |" + " ---: |" * (len(heads) + len(times))
    for name in plan.QUEUE_TIMES:
        results = [each.sign_ups[name] for each in rounds]
        created = tables.spread([result.created for result in results], "{:.0f}".format)
        rejected = tables.spread([result.rejected for result in results], "{:.0f}".format)
        seconds = tables.spread([result.seconds for result in results], "{:.1f}".format)
        yield tables.row([name, *created, *rejected, *seconds])


def _memory(rounds: Sequence[FrontRound]) -> Iterator[str]:
    workers = [memory for each in rounds for memory in each.memory]
    yield f"| MB of a worker after {REQUESTS:,} requests | median | min..max | goal |"
    yield "| --- | ---: | ---: | ---: |"
    # Workers are forked and share the pages of the loaded code, which would be counted repeatedly.
    proportional = [memory.proportional for memory in workers]
    goal = tables.verdict(median(proportional) <= MAX_MEGABYTES, f"{MAX_MEGABYTES} or less")
    label = "shared pages divided among the processes (PSS)"
    yield tables.row([label, *tables.spread(proportional, "{:.0f}".format), goal])
    resident = [memory.resident for memory in workers]
    label = "shared pages counted in each process (RSS)"
    yield tables.row([label, *tables.spread(resident, "{:.0f}".format), ""])
