"""A service for the tools, and the tools: `make test-contract` installs them."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.process_harness import PROJECT, Running, Stage

HERE = Path(__file__).parent
# An environment of its own: what schemathesis stands on is not what the service stands on.
PYTHON_TOOLS = Path(sys.prefix) / "contract" / "bin"
NODE_TOOLS = HERE / "node_modules" / ".bin"
DESCRIPTION = PROJECT / "openapi" / "openapi.json"
Run = Callable[..., "subprocess.CompletedProcess[str]"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Without their tools, these tests are skipped and say why."""
    if not (PYTHON_TOOLS / "st").exists() or not NODE_TOOLS.exists():
        missing = pytest.mark.skip(reason="make test-contract installs the tools")
        for item in items:
            if item.path.is_relative_to(HERE):
                item.add_marker(missing)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A service with demo users on a store of its own, for the tests of one module.

    Tools make more requests than a client may; the lock of each account stays.
    """
    with contextlib.closing(Stage(tmp_path_factory.mktemp("service"))) as stage:
        yield stage.serve(ROSTER_RATE_LIMITS="off")


@pytest.fixture
def base(service: Running) -> str:
    """The service's address."""
    return f"http://127.0.0.1:{service.port}"


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs a tool in the test's own folder to its end; fails if the tool does."""

    def to_its_end(*command: str | Path, **environment: str) -> "subprocess.CompletedProcess[str]":
        path = os.pathsep.join([str(PYTHON_TOOLS), str(NODE_TOOLS), os.environ["PATH"]])
        done = subprocess.run(
            list(map(str, command)),
            cwd=tmp_path,
            env={**os.environ, "PATH": path, **environment},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done

    return to_its_end
