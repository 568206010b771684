"""pytest plug-in: a DynamoDB for tests.

Name it in the top-level `conftest.py`, beside a fixture called `app`:

    pytest_plugins = ["flask_pynamodb.testing"]

Under pytest-xdist every worker is a process with an engine of its own, so tests of different
workers never see each other's tables; within a worker a prefix keeps them apart.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any
from uuid import uuid4

import botocore.session
import pytest
from flask import Flask

from flask_pynamodb.extension import PynamoDB
from flask_pynamodb.local import Engine
from flask_pynamodb.state import AppState

__all__ = ["dynamodb", "dynamodb_engine", "dynamodb_settings", "override"]


@pytest.fixture(scope="session")
def dynamodb_engine() -> Iterator[Engine]:
    """A running engine in memory, one per test session; its address is `dynamodb_engine.host`.

    Raises:
        EngineError: The engine is not installed or does not start.
    """
    with Engine() as engine:
        yield engine


@pytest.fixture
def dynamodb(app: Flask, dynamodb_settings: dict[str, Any]) -> Iterator[PynamoDB]:
    """Your app on the engine, inside its context, with new tables of its own.

    Args:
        app: Your own fixture; the app must have the extension.
        dynamodb_settings: Where the engine is.
    """
    with override(app, **dynamodb_settings) as database, app.app_context():
        database.create_all()
        yield database
        database.drop_all()


@pytest.fixture
def dynamodb_settings(dynamodb_engine: Engine) -> dict[str, Any]:
    """The `DYNAMODB_` settings that reach the engine, with a table prefix of this test's own."""
    return {
        "DYNAMODB_HOST": dynamodb_engine.host,
        "DYNAMODB_REGION": "us-east-1",
        "DYNAMODB_SESSION": _session(),
        "DYNAMODB_TABLE_PREFIX": f"{uuid4().hex[:12]}-",
    }


@contextmanager
def override(app: Flask, **settings: Any) -> Iterator[PynamoDB]:
    """Give an app other `DYNAMODB_` settings, and its own again at the end of the block.

    Args:
        app: An app with the extension.
        settings: Keys of `app.config`.
    """
    own_state: AppState = app.extensions["pynamodb"]
    own_settings = {key: app.config[key] for key in settings}
    app.config.update(settings)
    app.extensions["pynamodb"] = AppState(own_state.database, app.config)
    try:
        yield own_state.database
    finally:
        app.config.update(own_settings)
        app.extensions["pynamodb"] = own_state


@cache
def _session() -> Any:
    """One botocore session for all tests: loading its service model is what takes time."""
    session = botocore.session.get_session()
    session.set_credentials("local", "local")
    return session
