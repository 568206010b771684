"""Clients that are generated from the description, used against the running service."""

import shutil
from pathlib import Path

import pytest

from tests.contract.conftest import DESCRIPTION, HERE, PYTHON_TOOLS
from tests.support.process_harness import PASSWORD


@pytest.fixture
def python_client(run, tmp_path):
    """What openapi-python-client makes, and what it says while it does."""
    options = ("--meta", "none", "--output-path", tmp_path / "roster_client")
    return run("openapi-python-client", "generate", "--path", DESCRIPTION, *options)


@pytest.fixture
def typescript_client(run, tmp_path: Path) -> Path:
    """The program in client.mts, checked strictly and compiled, with the types made for it."""
    for name in ("client.mts", "tsconfig.json", "package.json"):
        shutil.copy(HERE / name, tmp_path)
    (tmp_path / "node_modules").symlink_to(HERE / "node_modules")
    run("openapi-typescript", DESCRIPTION, "--output", tmp_path / "schema.ts")
    run("tsc", "--project", tmp_path / "tsconfig.json")
    return tmp_path / "client.mjs"


class TestPython:
    def test_everything_is_understood(self, python_client):
        """The generator leaves nothing out: it has nothing to warn about."""
        assert "arning" not in python_client.stdout + python_client.stderr

    def test_in_use(self, python_client, run, tmp_path, base):
        """Register, sign in, list every page, change by entity tag, delete, make and use a key."""
        run(
            PYTHON_TOOLS / "python",
            HERE / "client.py",
            base,
            PASSWORD,
            PYTHONPATH=str(tmp_path),
        )


class TestTypeScript:
    def test_in_use(self, typescript_client, run, base):
        """The same in TypeScript, whose strictest settings the types pass."""
        run("node", typescript_client, base, PASSWORD)
