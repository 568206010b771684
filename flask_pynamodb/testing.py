"""pytest plug-in: a DynamoDB for tests.

Name it in the top-level `conftest.py`:

    pytest_plugins = ["flask_pynamodb.testing"]
"""

from collections.abc import Iterator

import pytest

from flask_pynamodb.local import Engine

__all__ = ["dynamodb_engine"]


@pytest.fixture(scope="session")
def dynamodb_engine() -> Iterator[Engine]:
    """A running engine in memory, one per test session; its address is `dynamodb_engine.host`.

    Under pytest-xdist every worker is a process with a session, a port and an engine of its own, so
    tests of different workers never see each other's tables. Within a worker the tables stay from
    test to test.

    Raises:
        EngineError: The engine is not installed or does not start.
    """
    with Engine() as engine:
        yield engine
