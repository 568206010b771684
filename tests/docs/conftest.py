"""One running service for the pages of a module."""

import contextlib
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.documents import ROOT
from tests.support.process_harness import ROSTER, ProcessHarness, Running

ORIGIN = "http://localhost:3000"
PATIENCE = 60
Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def harness(tmp_path_factory: pytest.TempPathFactory, transport: str) -> Iterator[ProcessHarness]:
    """Start processes; all of them end with the module."""
    harness = ProcessHarness(tmp_path_factory.mktemp("docs"), transport, is_covered=False)
    with contextlib.closing(harness):
        yield harness


@pytest.fixture(scope="module")
def roster(harness: ProcessHarness) -> Running:
    """A service with the demo users, which pages on one other origin may call."""
    return harness.serve(ROSTER_CORS_ORIGINS=ORIGIN)


@pytest.fixture
def run(harness: ProcessHarness, roster: Running, tmp_path: Path) -> Run:
    """Return a function that runs a program beside the service, in an empty folder.

    `$BASE` is the URL of the service, `$DATA` its folder, and `roster` is on the PATH.
    """
    environment = {
        **{name: text for name, text in os.environ.items() if not name.startswith(_OURS)},
        "BASE": f"http://127.0.0.1:{roster.port}",
        "DATA": str(harness.data),
        "PATH": f"{ROSTER.parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
    }

    def run(*command: str | Path, **settings: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            list(map(str, command)),
            cwd=tmp_path,
            env={**environment, **settings},
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )

    return run


_OURS = ("ROSTER_", "AWS_", "DYNAMODB_", "MAKE", "MFLAGS", "COVERAGE_")
