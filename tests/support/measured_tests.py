"""pytest plug-in: coverage is measured in the first sets of parameters of each test.

Measuring doubles the time of a test, and further sets vary the input of the same code. The tests of
the extension, whose bound is 100 %, are all measured.
"""

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from coverage import Coverage

MEASURED_SETS = 3
EXTENSION = Path(__file__).parents[1] / "flask_pynamodb"
_is_measured = pytest.StashKey[bool]()
# With it, Coverage measures each process that a test starts.
_PROCESSES = "COVERAGE_PROCESS_CONFIG"


class Measurements:
    """All measurements of this process: pytest-cov has one, and two in a worker of xdist.

    A worker also has the one of a process that a measured process has started. While the latest is
    stopped, the one before it continues, so all of them are stopped.
    """

    def __init__(self) -> None:
        self._stopped: list[Coverage] = []

    def stop(self) -> None:
        """Measure neither this process nor those that it starts."""
        while measurement := Coverage.current():
            measurement.stop()
            self._stopped.append(measurement)
        os.environ.pop(_PROCESSES, None)

    def resume(self) -> None:
        """Measure again, also the processes."""
        while self._stopped:
            self._stopped.pop().start()


_measurements = Measurements()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    sets: Counter[str] = Counter()
    for item in items:
        name = item.nodeid.partition("[")[0]
        sets[name] += 1
        item.stash[_is_measured] = sets[name] <= MEASURED_SETS or EXTENSION in item.path.parents


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[Any]:
    # Stopping and starting takes time, and most sets of a test follow each other.
    if item.stash[_is_measured]:
        _measurements.resume()
    else:
        _measurements.stop()
    return (yield)


# The innermost, so that all measurements run again when pytest-cov ends its own.
@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtestloop(session: pytest.Session) -> Iterator[Any]:
    try:
        return (yield)
    finally:
        _measurements.resume()
