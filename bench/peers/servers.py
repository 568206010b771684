"""Starts the peers, each with its own interpreter and packages."""

import json
import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager
from importlib.metadata import distributions
from pathlib import Path

from bench.support.environment import program_version
from bench.support.process import LOOPBACK, BenchError
from bench.support.service import REGION, WORKERS, Service, serving

_FASTAPI = Path(__file__).parent / "fastapi"
_EXPRESS = Path(__file__).parent / "express"
_UVICORN = _FASTAPI / ".venv" / "bin" / "uvicorn"
_MODULES = _EXPRESS / "node_modules"
_PYTHON_PACKAGES = ("fastapi", "uvicorn", "uvloop", "pydantic", "aioboto3", "aiobotocore")
_NODE_PACKAGES = ("express", "@aws-sdk/lib-dynamodb")


def check_installed() -> None:
    """Check that the peers are installed, before anything is measured.

    Raises:
        BenchError: A peer is not installed.
    """
    if not (_UVICORN.exists() and _MODULES.is_dir() and shutil.which("node")):
        raise BenchError(
            "The peers are not installed: run `make bench-peers`; it needs npm and node."
        )


def fastapi(endpoint: str, log: Path) -> AbstractContextManager[Service]:
    """Run FastAPI and aioboto3 under uvicorn, on the DynamoDB at a URL."""
    command = [str(_UVICORN), "app:app", "--app-dir", str(_FASTAPI), "--host", LOOPBACK]
    command += ["--workers", str(WORKERS), "--no-access-log", "--log-level", "warning"]
    return serving(command, "/health", log, _aws(endpoint))


def express(endpoint: str, log: Path) -> AbstractContextManager[Service]:
    """Run Express and the AWS SDK under node:cluster, on the DynamoDB at a URL."""
    command = ["node", str(_EXPRESS / "server.js"), "--workers", str(WORKERS)]
    return serving(command, "/health", log, {**_aws(endpoint), "NODE_ENV": "production"})


def versions() -> Iterator[str]:
    """Yield the packages of the peers, each with its version."""
    site = next((_FASTAPI / ".venv" / "lib").glob("python*/site-packages"))
    installed = {
        package.name.lower(): package.version for package in distributions(path=[str(site)])
    }
    yield from (f"{name} {installed[name]}" for name in _PYTHON_PACKAGES)
    yield f"Node.js {program_version('node', '--version')}"
    for name in _NODE_PACKAGES:
        yield f"{name} {json.loads((_MODULES / name / 'package.json').read_text())['version']}"


def _aws(endpoint: str) -> dict[str, str]:
    """Return the variables that both SDKs read; the engine does not verify the credentials."""
    return {
        "AWS_ENDPOINT_URL_DYNAMODB": endpoint,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
    }
