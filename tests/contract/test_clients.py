"""Clients that are generated from the API description, used with a running service."""

import shutil
from pathlib import Path

import pytest

from tests.contract.conftest import DESCRIPTION, HERE, PYTHON_TOOLS
from tests.support.process_harness import DEMO_PASSWORD


@pytest.fixture
def python_client(run, tmp_path):
    """Generate a client with openapi-python-client; return its output."""
    options = ("--meta", "none", "--output-path", tmp_path / "roster_client")
    return run("openapi-python-client", "generate", "--path", DESCRIPTION, *options)


@pytest.fixture
def typescript_client(run, tmp_path: Path) -> Path:
    """Generate the types, and compile client.mts in strict mode."""
    for name in ("client.mts", "tsconfig.json", "package.json"):
        shutil.copy(HERE / name, tmp_path)
    (tmp_path / "node_modules").symlink_to(HERE / "node_modules")
    run("openapi-typescript", DESCRIPTION, "--output", tmp_path / "schema.ts")
    run("tsc", "--project", tmp_path / "tsconfig.json")
    return tmp_path / "client.mjs"


class TestPython:
    def test_whole_description(self, python_client):
        """The generator supports the whole description: it prints no warning."""
        assert "arning" not in python_client.stdout + python_client.stderr

    def test_requests(self, python_client, run, tmp_path, base):
        """Register, sign in, list all pages, update with an ETag, delete, create and use a key."""
        run(
            PYTHON_TOOLS / "python",
            HERE / "client.py",
            base,
            DEMO_PASSWORD,
            PYTHONPATH=str(tmp_path),
        )


class TestTypeScript:
    def test_requests(self, typescript_client, run, base):
        """The same in TypeScript, with the strictest compiler settings."""
        run("node", typescript_client, base, DEMO_PASSWORD)
