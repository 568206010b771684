"""The service and the tools of the contract tests; `make test-contract` installs the tools."""

import contextlib
import functools
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.process_harness import PROJECT, ProcessHarness, Running

HERE = Path(__file__).parent
# A separate environment: schemathesis and the service have different dependencies.
PYTHON_TOOLS = Path(sys.prefix) / "contract" / "bin"
NODE_TOOLS = HERE / "node_modules" / ".bin"
DESCRIPTION = PROJECT / "openapi" / "openapi.json"
Run = Callable[..., "subprocess.CompletedProcess[str]"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip these tests with a reason if the tools are not installed."""
    if not (PYTHON_TOOLS / "st").exists() or not NODE_TOOLS.exists():
        missing = pytest.mark.skip(reason="make test-contract installs the tools")
        for item in items:
            if item.path.is_relative_to(HERE):
                item.add_marker(missing)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Run a service with demo users on an own data folder, for the tests of one module.

    The tools exceed the rate limits, which are off; the lockout of accounts stays on.
    """
    with contextlib.closing(ProcessHarness(tmp_path_factory.mktemp("service"))) as stage:
        yield stage.serve(ROSTER_RATE_LIMITS="off")


@pytest.fixture
def base(service: Running) -> str:
    """The base URL of the service."""
    return f"http://127.0.0.1:{service.port}"


def run_tool(
    *command: str | Path, cwd: Path, status: int = 0, **environment: str
) -> "subprocess.CompletedProcess[str]":
    """Run a tool in a folder; fail if it ends with another status."""
    tools = [str(PYTHON_TOOLS), str(NODE_TOOLS), f"{sys.prefix}/bin", os.environ["PATH"]]
    done = subprocess.run(
        list(map(str, command)),
        cwd=cwd,
        env={**os.environ, "PATH": os.pathsep.join(tools), **environment},
        capture_output=True,
        text=True,
    )
    assert done.returncode == status, done.stdout + done.stderr
    return done


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run a tool in the folder of the test; fail if the tool does."""
    return functools.partial(run_tool, cwd=tmp_path)
