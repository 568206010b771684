"""The extension by itself: small apps and models, on the local engine and on moto's server."""

import socket
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from moto.server import ThreadedMotoServer

from flask_pynamodb import PynamoDB
from flask_pynamodb.local import Engine
from tests.support.faulty_proxy import FaultyProxy


@pytest.fixture(scope="session")
def moto_host() -> Iterator[str]:
    """Moto in server mode: the second opinion."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(params=["engine", "moto"])
def host(request: pytest.FixtureRequest) -> str:
    """The endpoint of each implementation in turn."""
    if request.param == "moto":
        return request.getfixturevalue("moto_host")
    return request.getfixturevalue("dynamodb_engine").host


@pytest.fixture
def proxy(dynamodb_engine: Engine) -> Iterator[FaultyProxy]:
    """A way to the engine that misbehaves on command."""
    with FaultyProxy(dynamodb_engine.host) as proxy:
        yield proxy


@pytest.fixture
def settings(host: str, transport: str) -> dict[str, Any]:
    return {
        "SECRET_KEY": "only for tests",
        "DYNAMODB_HOST": host,
        "DYNAMODB_REGION": "eu-west-1",
        "DYNAMODB_AWS_ACCESS_KEY_ID": "local",
        "DYNAMODB_AWS_SECRET_ACCESS_KEY": "local",
        "DYNAMODB_TABLE_PREFIX": f"{uuid4().hex[:12]}-",
        "DYNAMODB_ALLOW_SCAN": True,
        "DYNAMODB_TRANSPORT": transport,
    }


@pytest.fixture
def make_app(settings: dict[str, Any]) -> Any:
    """Makes an app, with other settings where they are given."""

    def make(**others: Any) -> Flask:
        app = Flask("a test's app")
        app.config.update({**settings, **others})
        return app

    return make


@pytest.fixture
def db() -> PynamoDB:
    return PynamoDB()


@pytest.fixture
def app(make_app: Any, db: PynamoDB) -> Flask:
    app = make_app()
    db.init_app(app)
    return app


@pytest.fixture
def context(app: Flask) -> Iterator[None]:
    with app.app_context():
        yield


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port that accepts no connection: its backlog is full."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        address = listener.getsockname()
        waiting = [socket.socket() for _ in range(4)]
        [each.setblocking(False) for each in waiting]
        [each.connect_ex(address) for each in waiting]
        yield address[1]
        [each.close() for each in waiting]
