"""The requirements install the pinned versions on a fresh machine."""

import re
from collections.abc import Iterator
from importlib.metadata import requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement

LOCKS = Path(__file__).parents[1] / "requirements"


def pinned(name: str) -> dict[str, set[str]]:
    """The packages of a lock, each with the extras that it is pinned with."""
    lines = (LOCKS / name).read_text().splitlines()
    pins = [Requirement(line.rstrip(" \\")) for line in lines if re.match(r"\w", line)]
    return {pin.name: pin.extras for pin in pins if not pin.marker or pin.marker.evaluate()}


def asked_for(package: str, extras: set[str]) -> Iterator[Requirement]:
    """What a package needs with some extras, as far as that has extras itself."""
    for text in requires(package) or ():
        need = Requirement(text)
        cases = [{"extra": extra} for extra in ("", *extras)]
        if need.extras and (not need.marker or any(map(need.marker.evaluate, cases))):
            yield need


@pytest.mark.parametrize("lock", ["run.txt", "test.txt"])
def test_extras_are_pinned(lock: str):
    """Where only `coverage` is pinned, pip before 23.3 takes `coverage[toml]` as new as it gets."""
    pins = pinned(lock)
    needs = [need for package, extras in pins.items() for need in asked_for(package, extras)]

    assert [str(need) for need in needs if not need.extras <= pins[need.name]] == []
