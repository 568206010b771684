"""The tables of the reports, in Markdown."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from bench import cpu
from bench.load import Sample

# By what was measured.
Round = dict[str, Sample]


@dataclass(frozen=True)
class Ratio:
    """A comparison of two rates.

    Attributes:
        above: What was measured.
        below: What it is compared with.
        goal: How much the ratio has to be, None if there is no goal.
        aim: How much it would better be.
    """

    above: str
    below: str
    goal: float | None = None
    aim: float | None = None

    def verdict(self, ratio: float, is_quiet: bool) -> str:
        """Whether the goal, and the aim, is reached; not judged on a busy machine."""
        wanted = [(self.goal, "{:g} or more"), (self.aim, "aim {:g}")]
        goals = [(bound, text.format(bound)) for bound, text in wanted if bound]
        if goals and not is_quiet:
            return f"{'; '.join(text for _, text in goals)}: not judged, other programs ran"
        return "; ".join(judged(ratio >= bound, text) for bound, text in goals)


def rates(rounds: Sequence[Round], at_once: Mapping[str, str]) -> Iterator[str]:
    """How often each was answered, and how fast.

    Args:
        rounds: What was found.
        at_once: How many connections each had, in the order of the rows.
    """
    yield "| measured | connections | per second, median | min..max | p99 ms, median | min..max |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: |"
    for name, connections in at_once.items():
        samples = [found[name] for found in rounds]
        cells = [name, connections, *spread([sample.rate for sample in samples], _per_second)]
        tails = [sample.p99 for sample in samples if sample.p99 is not None]
        yield row([*cells, *(spread(tails, _milliseconds) if tails else ["", ""])])


def ratios(rounds: Sequence[Round], wanted: Iterable[Ratio]) -> Iterator[str]:
    """How the rates compare, within each round."""
    yield "| ratio of rates | median of the rounds | min..max | by processor time | goal |"
    yield "| --- | ---: | ---: | ---: | ---: |"
    for ratio in wanted:
        pairs = [(found[ratio.above], found[ratio.below]) for found in rounds]
        found = [above.rate / below.rate for above, below in pairs]
        cost = median(below.cpu.own / above.cpu.own for above, below in pairs)
        cells = [f"{ratio.above} / {ratio.below}", *spread(found, _times), _times(cost)]
        # A busy machine gives more of itself to a service of many threads than to one of few.
        others = median(sample.cpu.others_share for pair in pairs for sample in pair)
        yield row([*cells, ratio.verdict(median(found), others <= cpu.NOISY)])


def processor(rounds: Sequence[Round], names: Iterable[str]) -> Iterator[str]:
    """What one answer costs, and whom."""
    heads = ("service", "engine", "wrk", "all others", "idle")
    yield row(["ms of processor time for one answer, median", *heads])
    yield "| --- |" + " ---: |" * len(heads)
    for name in names:
        spent = [vars(found[name].cpu).values() for found in rounds]
        yield row([name, *(f"{median(part) * 1000:.2f}" for part in zip(*spent, strict=True))])


def row(cells: Iterable[str]) -> str:
    """One row of a table."""
    return f"| {' | '.join(cells)} |"


def spread(values: Sequence[float], shown: Callable[[float], str]) -> list[str]:
    """The median, and from where to where the values go."""
    return [shown(median(values)), f"{shown(min(values))}..{shown(max(values))}"]


def judged(is_reached: bool, goal: str) -> str:
    """A goal and whether it is reached."""
    return f"{goal}: {'reached' if is_reached else 'not reached'}"


def _times(ratio: float) -> str:
    return f"{ratio:.3f}" if ratio < 1 else f"{ratio:.2f}"


def _per_second(rate: float) -> str:
    return f"{rate:,.0f}" if rate >= 1000 else f"{rate:.1f}"


def _milliseconds(value: float) -> str:
    return f"{value:.0f}" if value >= 20 else f"{value:.1f}"
