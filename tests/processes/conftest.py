"""Each test has its own harness: a folder, and processes that end with the test.

Tests that only read the results of a start share one harness per class.
"""

import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.process_harness import HERE, ProcessHarness


@pytest.fixture
def harness(tmp_path: Path, transport: str) -> Iterator[ProcessHarness]:
    """Start processes of the test; all of them end with it."""
    harness = ProcessHarness(tmp_path, transport)
    with contextlib.closing(harness):
        yield harness


@pytest.fixture(scope="class")
def shared_harness(
    tmp_path_factory: pytest.TempPathFactory, transport: str
) -> Iterator[ProcessHarness]:
    """Share a harness between all tests of a class."""
    harness = ProcessHarness(tmp_path_factory.mktemp("harness"), transport)
    with contextlib.closing(harness):
        yield harness


@pytest.fixture
def taken_port() -> Iterator[int]:
    """Occupy a port."""
    with socket.create_server((HERE, 0)) as server:
        yield server.getsockname()[1]
