"""Each test has its own harness: a folder, and processes that end with the test.

Tests that only read the results of a start share one harness per class. Coverage is not measured in
the processes of a module with `IS_COVERED = False`: others start the same with it.
"""

import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.process_harness import HERE, ProcessHarness


@pytest.fixture
def harness(
    tmp_path: Path, transport: str, request: pytest.FixtureRequest
) -> Iterator[ProcessHarness]:
    """Start processes of the test; all of them end with it."""
    harness = ProcessHarness(tmp_path, transport, is_covered=_is_covered(request))
    with contextlib.closing(harness):
        yield harness


@pytest.fixture(scope="class")
def shared_harness(
    tmp_path_factory: pytest.TempPathFactory, transport: str, request: pytest.FixtureRequest
) -> Iterator[ProcessHarness]:
    """Share a harness between all tests of a class."""
    folder = tmp_path_factory.mktemp("harness")
    harness = ProcessHarness(folder, transport, is_covered=_is_covered(request))
    with contextlib.closing(harness):
        yield harness


@pytest.fixture
def taken_port() -> Iterator[int]:
    """Occupy a port."""
    with socket.create_server((HERE, 0)) as server:
        yield server.getsockname()[1]


def _is_covered(request: pytest.FixtureRequest) -> bool:
    return getattr(request.module, "IS_COVERED", True)
