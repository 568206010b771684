"""Starts the peers, each with its own interpreter and packages."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import AbstractContextManager
from importlib.metadata import distributions
from pathlib import Path

from bench.support.environment import program_version
from bench.support.process import LOOPBACK, BenchError
from bench.support.service import REGION, WORKERS, Service, serving

_FASTAPI = Path(__file__).parent / "fastapi"
_EXPRESS = Path(__file__).parent / "express"
_GO = Path(__file__).parent / "go"
# Where Debian installs the source of Go packages.
_GOPATH = Path("/usr/share/gocode")
_GO_SDK = _GOPATH / "src" / "github.com" / "aws" / "aws-sdk-go-v2"
_GO_PACKAGES = ("golang-go", "golang-github-aws-aws-sdk-go-v2-dev")
_BUILD_TIMEOUT = 600
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
    if not (shutil.which("go") and _GO_SDK.is_dir()):
        raise BenchError(
            "Go or its AWS SDK is not installed. On Debian or Ubuntu: `apt-get install -y"
            f" {' '.join(_GO_PACKAGES)}`"
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


def go(endpoint: str, log: Path) -> AbstractContextManager[Service]:
    """Compile and run net/http and the AWS SDK, on the DynamoDB at a URL.

    Raises:
        BenchError: It does not compile.
    """
    program = log.with_name("go-server")
    variables = {"GO111MODULE": "off", "GOPATH": str(_GOPATH), "GOCACHE": str(log.with_name("go"))}
    try:
        subprocess.run(
            ["go", "build", "-o", str(program), "."],
            cwd=_GO,
            env={**os.environ, **variables},
            capture_output=True,
            text=True,
            check=True,
            timeout=_BUILD_TIMEOUT,
        )
    except subprocess.CalledProcessError as error:
        raise BenchError(f"{_GO} does not compile: {error.stderr.strip()}") from None
    except subprocess.TimeoutExpired:
        raise BenchError(f"{_GO} was not compiled within {_BUILD_TIMEOUT} s") from None
    settings = {**_aws(endpoint), "GOMAXPROCS": str(WORKERS)}
    return serving([str(program)], "/health", log, settings)


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
    yield f"Go {_go_version()}"
    sdk = subprocess.run(
        ["dpkg-query", "-W", "-f", "${Version}", _GO_PACKAGES[1]],
        capture_output=True,
        text=True,
        timeout=10,
    )
    yield f"aws-sdk-go-v2 {sdk.stdout.strip() or 'of unknown version'}"


def _go_version() -> str:
    done = subprocess.run(["go", "env", "GOVERSION"], capture_output=True, text=True, timeout=30)
    return done.stdout.strip().removeprefix("go")


def _aws(endpoint: str) -> dict[str, str]:
    """Return the variables that both SDKs read; the engine does not verify the credentials."""
    return {
        "AWS_ENDPOINT_URL_DYNAMODB": endpoint,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
    }
