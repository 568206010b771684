"""Renders results as Markdown tables."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from bench.support import cpu
from bench.support.load import Sample

# Samples by the name of the measurement.
Round = dict[str, Sample]


@dataclass(frozen=True)
class Ratio:
    """A comparison of two rates.

    Attributes:
        numerator: The name of a measurement.
        denominator: The measurement that it is compared with.
        goal: The lowest acceptable ratio; None for no goal.
        stretch_goal: A higher ratio that is desirable; None for none.
    """

    numerator: str
    denominator: str
    goal: float | None = None
    stretch_goal: float | None = None

    def verdict(self, ratio: float, is_quiet: bool) -> str:
        """Return whether the goals are reached; they are not judged on a busy machine."""
        texts = [(self.goal, "{:g} or more"), (self.stretch_goal, "stretch goal {:g}")]
        goals = [(bound, text.format(bound)) for bound, text in texts if bound]
        if goals and not is_quiet:
            return f"{'; '.join(text for _, text in goals)}: not judged, other programs ran"
        return "; ".join(verdict(ratio >= bound, text) for bound, text in goals)


def rates(
    rounds: Sequence[Round], connections: Mapping[str, str], percentiles: Sequence[str] = ("p99",)
) -> Iterator[str]:
    """Render the rate and the latency of each measurement.

    Args:
        rounds: The results.
        connections: The number of connections of each measurement, in the order of the rows.
        percentiles: The attributes of a sample that show its latency.
    """
    heads = [f"{percentile} ms, median | min..max" for percentile in percentiles]
    yield row(["measured | connections | per second, median | min..max", *heads])
    yield "| --- | ---: | ---: | ---: |" + " ---: | ---: |" * len(heads)
    for name, number in connections.items():
        samples = [samples[name] for samples in rounds]
        cells = [name, number, *spread([sample.rate for sample in samples], _per_second)]
        for percentile in percentiles:
            values = [value for each in samples if (value := getattr(each, percentile)) is not None]
            cells += spread(values, _milliseconds) if values else ["", ""]
        yield row(cells)


def ratios(rounds: Sequence[Round], wanted: Iterable[Ratio]) -> Iterator[str]:
    """Render the ratios of rates, each computed within a round."""
    yield "| ratio of rates | median of the rounds | min..max | by processor time | goal |"
    yield "| --- | ---: | ---: | ---: | ---: |"
    for ratio in wanted:
        pairs = [(samples[ratio.numerator], samples[ratio.denominator]) for samples in rounds]
        values = [above.rate / below.rate for above, below in pairs]
        cost = median(below.cpu.measured / above.cpu.measured for above, below in pairs)
        cells = [f"{ratio.numerator} / {ratio.denominator}", *spread(values, _ratio), _ratio(cost)]
        # The scheduler of a busy machine favors a service with many threads over one with few.
        others = median(sample.cpu.others_share for pair in pairs for sample in pair)
        yield row([*cells, ratio.verdict(median(values), others <= cpu.NOISY)])


def processor(rounds: Sequence[Round], names: Iterable[str]) -> Iterator[str]:
    """Render the processor time of one response, by process."""
    heads = ("service", "engine", "wrk", "all others", "idle")
    yield row(["ms of processor time for one response, median", *heads])
    yield "| --- |" + " ---: |" * len(heads)
    for name in names:
        times = [vars(samples[name].cpu).values() for samples in rounds]
        yield row([name, *(f"{median(part) * 1000:.2f}" for part in zip(*times, strict=True))])


def row(cells: Iterable[str]) -> str:
    """Render one row of a table."""
    return f"| {' | '.join(cells)} |"


def spread(values: Sequence[float], format_value: Callable[[float], str]) -> list[str]:
    """Return the median and the range of some values."""
    lowest, highest = min(values), max(values)
    return [format_value(median(values)), f"{format_value(lowest)}..{format_value(highest)}"]


def verdict(is_reached: bool, goal: str) -> str:
    """Return a goal and whether it is reached."""
    return f"{goal}: {'reached' if is_reached else 'not reached'}"


def _ratio(ratio: float) -> str:
    return f"{ratio:.3f}" if ratio < 1 else f"{ratio:.2f}"


def _per_second(rate: float) -> str:
    return f"{rate:,.0f}" if rate >= 1000 else f"{rate:.1f}"


def _milliseconds(value: float) -> str:
    return f"{value:.0f}" if value >= 20 else f"{value:.1f}"
