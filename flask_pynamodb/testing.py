"""pytest plug-in: a DynamoDB for tests.

Enable it in the top-level `conftest.py`, beside a fixture called `app`:

    pytest_plugins = ["flask_pynamodb.testing"]

Under pytest-xdist every worker process has its own engine, so the tests of different workers have
separate tables; within a worker, each test has its own table prefix.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import botocore.session
import pytest
from flask import Flask

from flask_pynamodb.extension import PynamoDB
from flask_pynamodb.local import Engine
from flask_pynamodb.overrides import override

__all__ = ["dynamodb", "dynamodb_engine", "dynamodb_engine_binary", "dynamodb_settings", "override"]


@pytest.fixture(scope="session")
def dynamodb_engine_binary() -> Path | None:
    """The path of the engine's binary: DYNAMODB_ENGINE, or None for `dynoxide` on the PATH.

    A project that installs the engine elsewhere overrides this fixture.
    """
    named = os.environ.get("DYNAMODB_ENGINE")
    return Path(named) if named else None


@pytest.fixture(scope="session")
def dynamodb_engine(dynamodb_engine_binary: Path | None) -> Iterator[Any]:
    """Start an engine in memory, one per test session; its URL is `dynamodb_engine.host`.

    Without a dynoxide binary it is moto in server mode, if `moto[dynamodb,server]` is installed.

    Raises:
        EngineError: No engine is installed, or it does not start.
    """
    with start_engine(dynamodb_engine_binary) as engine:
        yield engine


@contextmanager
def start_engine(binary: Path | None = None) -> Iterator[Any]:
    """Run an engine inside the `with` block; see `dynamodb_engine`.

    Args:
        binary: A dynoxide binary; None for the one on the PATH, else moto.
    """
    if binary is None and shutil.which("dynoxide") is None and find_spec("moto"):
        server: Any = import_module("moto.server").ThreadedMotoServer("127.0.0.1", 0, verbose=False)
        server.start()
        try:
            host, port = server.get_host_and_port()
            yield SimpleNamespace(host=f"http://{host}:{port}")
        finally:
            server.stop()
    else:
        with Engine(binary=binary) as engine:
            yield engine


@pytest.fixture
def dynamodb(app: Flask, dynamodb_settings: dict[str, Any]) -> Iterator[PynamoDB]:
    """Provide the app on the engine, inside its app context, with new tables for this test.

    Args:
        app: The project's fixture; the app must have the extension.
        dynamodb_settings: The settings of the engine.
    """
    with override(app, **dynamodb_settings) as database, app.app_context():
        database.create_all()
        yield database
        database.drop_all()


@pytest.fixture
def dynamodb_settings(dynamodb_engine: Any) -> dict[str, Any]:
    """Provide the `DYNAMODB_` settings of the engine, with a table prefix for this test."""
    return {
        "DYNAMODB_HOST": dynamodb_engine.host,
        "DYNAMODB_REGION": "us-east-1",
        "DYNAMODB_SESSION": _session(),
        "DYNAMODB_TABLE_PREFIX": f"{uuid4().hex[:12]}-",
    }


@cache
def _session() -> Any:
    """Return one botocore session for all tests, because loading its service model is slow."""
    session = botocore.session.get_session()
    session.set_credentials("local", "local")
    return session
