"""Says in Markdown what was found, and puts it into the document."""

import os
import platform
import subprocess
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median

from bench import cpu, plan
from bench.load import find_wrk
from bench.process import BenchError
from bench.service import WORKERS
from flask_pynamodb.local import find_binary

DOCUMENT = Path(__file__).parent.parent / "docs" / "performance.md"
BEGIN, END = "<!-- bench: begin -->", "<!-- bench: end -->"
_PACKAGES = ("flask", "flask-restx", "pynamodb", "botocore", "granian", "argon2-cffi-bindings")
# What is compared with what, and the ratio that is wanted, if one is.
_RATIOS: tuple[tuple[str, str, float | None], ...] = (
    (plan.READ, plan.BARE, None),
    (plan.LIST, plan.BARE, None),
    (plan.SIGN_UP, plan.ARGON2, 0.85),
    (plan.SIGN_IN, plan.ARGON2, 0.85),
)
_LONGEST_START = 3.0
_NOISY = 0.05
_CPU_ROWS = (plan.ARGON2, plan.SIGN_UP, plan.SIGN_IN, plan.READ, plan.LIST, plan.BARE)


def render(figures: plan.Figures, command: str) -> str:
    """The figures with where, when and how they were taken."""
    parts = (
        _circumstances(figures, command),
        _rates(figures),
        _ratios(figures),
        _processor(figures),
        _starts(figures),
    )
    return "\n\n".join("\n".join(part) for part in parts)


def frame(document: Path = DOCUMENT) -> tuple[str, str]:
    """What stands before and after the document's figures, the marks included.

    Raises:
        BenchError: A mark is missing.
    """
    before, begin, rest = document.read_text().partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise BenchError(f"{document} lacks the lines {BEGIN} and {END}")
    return before + begin, end + after


def write(text: str, document: Path = DOCUMENT) -> None:
    """Replace what stands between the document's two marks."""
    before, after = frame(document)
    document.write_text(f"{before}\n\n{text}\n\n{after}")


def _circumstances(figures: plan.Figures, command: str) -> Iterator[str]:
    packages = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    yield f"- Command: `{command}`, {datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
    yield (
        f"- Machine: {cpu.model_name()}, {os.cpu_count()} cores, {cpu.memory_gib():.0f} GiB,"
        f" {platform.system()} {platform.release()}; wrk runs on the same cores"
    )
    yield (
        f"- Versions: Roster {version('roster')}, Python {platform.python_version()}, {packages},"
        f" {_said_by(str(find_binary()), '--version')}, {_said_by(find_wrk(), '-v')}"
    )
    yield (
        f"- Rounds: {len(figures.rounds)}, each with {WORKERS} workers and {figures.users} users"
        " in the store at its beginning"
    )
    shares = [sample.cpu.others_share for found in figures.rounds for sample in found.values()]
    yield (
        f"- Other programs: {median(shares):.0%} of the processors' time (median of all runs), at"
        f" the worst {max(shares):.0%}; above {_NOISY:.0%} the figures say little, so measure again"
    )


def _rates(figures: plan.Figures) -> Iterator[str]:
    yield "| measured | connections | per second, median | min..max | p99 ms, median | min..max |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: |"
    for name in plan.ORDER:
        samples = [found[name] for found in figures.rounds]
        rates = [sample.rate for sample in samples]
        at_once = str(plan.CONNECTIONS.get(name, f"{WORKERS} processes"))
        cells = [name, at_once, *_spread(rates, _per_second)]
        tails = [sample.p99 for sample in samples if sample.p99 is not None]
        cells += _spread(tails, _milliseconds) if tails else ["", ""]
        yield _row(cells)


def _ratios(figures: plan.Figures) -> Iterator[str]:
    yield "| ratio of rates | median of the rounds | min..max | by processor time | goal |"
    yield "| --- | ---: | ---: | ---: | ---: |"
    for above, below, goal in _RATIOS:
        ratios = [found[above].rate / found[below].rate for found in figures.rounds]
        costs = [found[below].cpu.own / found[above].cpu.own for found in figures.rounds]
        wanted = _judged(median(ratios) >= goal, f"{goal:.2f} or more") if goal else ""
        middle, spread = _spread(ratios, "{:.3f}".format)
        yield _row([f"{above} / {below}", middle, spread, f"{median(costs):.3f}", wanted])


def _processor(figures: plan.Figures) -> Iterator[str]:
    heads = ("service", "engine", "wrk", "all others", "idle")
    yield _row(["ms of processor time for one answer, median", *heads])
    yield "| --- |" + " ---: |" * len(heads)
    for name in _CPU_ROWS:
        spent = [vars(found[name].cpu).values() for found in figures.rounds]
        yield _row([name, *(f"{median(part) * 1000:.2f}" for part in zip(*spent, strict=True))])


def _starts(figures: plan.Figures) -> Iterator[str]:
    middle, spread = _spread(figures.starts, "{:.2f}".format)
    verdict = _judged(median(figures.starts) < _LONGEST_START, f"under {_LONGEST_START:g} s")
    yield (
        "Start of `roster serve --local` on existing data, from exec to the first 200 of"
        f" `/health/ready`: {middle} s, median of {len(figures.starts)} ({spread});"
        f" goal {verdict}."
    )


def _spread(values: list[float], shown: Callable[[float], str]) -> list[str]:
    return [shown(median(values)), f"{shown(min(values))}..{shown(max(values))}"]


def _judged(is_reached: bool, goal: str) -> str:
    return f"{goal}: {'reached' if is_reached else 'not reached'}"


def _per_second(rate: float) -> str:
    return f"{rate:,.0f}" if rate >= 1000 else f"{rate:.1f}"


def _milliseconds(value: float) -> str:
    return f"{value:.0f}" if value >= 20 else f"{value:.1f}"


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _said_by(program: str, option: str) -> str:
    """The first words of what a program says about its version."""
    done = subprocess.run([program, option], capture_output=True, text=True, timeout=10)
    return " ".join((done.stdout or done.stderr).split()[:2])
