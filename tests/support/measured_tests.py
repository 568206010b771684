"""pytest plug-in: coverage is measured in the first sets of parameters of each test.

Measuring doubles the time of a test, and further sets vary the input of the same code. The tests of
the extension, whose bound is 100 %, are all measured.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

MEASURED_SETS = 3
EXTENSION = Path(__file__).parents[1] / "flask_pynamodb"
_is_measured = pytest.StashKey[bool]()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    sets: Counter[str] = Counter()
    for item in items:
        name = item.nodeid.partition("[")[0]
        sets[name] += 1
        item.stash[_is_measured] = sets[name] <= MEASURED_SETS or EXTENSION in item.path.parents


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[Any]:
    plugin: Any = item.config.pluginmanager.getplugin("_cov")
    controller = plugin and plugin.cov_controller
    if not controller or item.stash[_is_measured]:
        return (yield)
    controller.pause()
    try:
        return (yield)
    finally:
        controller.resume()
