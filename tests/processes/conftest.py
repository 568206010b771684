"""A test has a stage of its own: a folder, and processes that do not outlive it.

Tests that only look at what a start has made share one, class by class.
"""

import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.process_harness import HERE, Stage


@pytest.fixture
def stage(tmp_path: Path, transport: str) -> Iterator[Stage]:
    """Where the test starts its processes; none is left afterwards."""
    stage = Stage(tmp_path, transport)
    with contextlib.closing(stage):
        yield stage


@pytest.fixture(scope="class")
def shared_stage(tmp_path_factory: pytest.TempPathFactory, transport: str) -> Iterator[Stage]:
    """A stage for all tests of a class."""
    stage = Stage(tmp_path_factory.mktemp("stage"), transport)
    with contextlib.closing(stage):
        yield stage


@pytest.fixture
def taken_port() -> Iterator[int]:
    """A port that somebody else listens on."""
    with socket.create_server((HERE, 0)) as server:
        yield server.getsockname()[1]
