"""Clients of both transports, on the engine and on servers that play scripts."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import botocore.endpoint
import botocore.loaders
import botocore.session
import pytest
from botocore.config import Config
from botocore.retries import standard

from flask_pynamodb.connection import AppConnection
from flask_pynamodb.curl import CurlClient
from flask_pynamodb.local import Engine
from tests.support.scripted_server import ScriptedServer

TRANSPORTS = ("botocore", "curl")
# Sessions share nothing but DynamoDB's service model, which takes long to read.
_LOADER = botocore.loaders.create_loader()


@pytest.fixture
def server(dynamodb_engine: Engine) -> Iterator[ScriptedServer]:
    """Plays scripts in front of the engine."""
    with ScriptedServer(dynamodb_engine.host) as server:
        yield server


@pytest.fixture
def make_botocore(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Any]]:
    """Makes botocore clients: `make_botocore(endpoint_url, read_timeout=1)`."""
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")

    made = []

    def make(endpoint_url: str | None, *, keys: Any = ("AKID", "secret"), **config: Any) -> Any:
        session = botocore.session.get_session()
        session.register_component("data_loader", _LOADER)
        if keys:
            session.set_credentials(*keys)
        settings = {"retries": {"total_max_attempts": 4, "mode": "standard"}, **config}
        made.append(
            session.create_client(
                "dynamodb", "eu-west-1", endpoint_url=endpoint_url, config=Config(**settings)
            )
        )
        return made[-1]

    yield make
    for client in made:
        client.close()


@pytest.fixture
def make_curl(make_botocore: Callable[..., Any]) -> Iterator[Callable[..., CurlClient]]:
    """Makes curl clients; settings of theirs are given as `curl={...}`."""
    made = []

    def make(endpoint_url: str | None, *, curl: Any = None, **config: Any) -> CurlClient:
        made.append(CurlClient(make_botocore(endpoint_url, **config), **(curl or {})))
        return made[-1]

    yield make
    for client in made:
        client.close()


@pytest.fixture
def engine_client(dynamodb_engine: Engine, make_botocore: Callable[..., Any]) -> Any:
    """botocore's client straight to the engine, which tells what has come to pass."""
    return make_botocore(dynamodb_engine.host)


@pytest.fixture
def table(engine_client: Any) -> str:
    """The name of an empty table with the key `id`, of this test's own."""
    name = f"curl-{uuid4().hex[:12]}"
    engine_client.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    return name


@dataclass
class Patient:
    """A client whose waits between tries are written down instead of waited."""

    client: Any
    waits: list[float] = field(default_factory=list)

    def call(self, operation: str, **kwargs: Any) -> Any:
        return self.client._make_api_call(operation, kwargs)


@pytest.fixture
def make_patient(
    make_botocore: Callable[..., Any],
    make_curl: Callable[..., CurlClient],
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[..., Patient]:
    """Makes a client of either transport whose jitter is always 1 and who never really waits."""

    def make(transport: str, endpoint_url: str, **config: Any) -> Patient:
        waits: list[float] = []
        if transport == "curl":
            own = {"sleep": waits.append, "rand": lambda: 1.0, **config.pop("curl", {})}
            return Patient(make_curl(endpoint_url, curl=own, **config), waits)
        eager = partial(standard.ExponentialBackoff, random=lambda: 1.0)
        monkeypatch.setattr(standard, "ExponentialBackoff", eager)
        monkeypatch.setattr(botocore.endpoint, "time", SimpleNamespace(sleep=waits.append))
        config.pop("curl", None)
        return Patient(make_botocore(endpoint_url, **config), waits)

    return make


@pytest.fixture(params=TRANSPORTS)
def connection(request: pytest.FixtureRequest, dynamodb_engine: Engine) -> Iterator[AppConnection]:
    """PynamoDB's connection to the engine, over each transport in turn."""
    made = AppConnection(
        host=dynamodb_engine.host,
        region="eu-west-1",
        aws_access_key_id="AKID",
        aws_secret_access_key="secret",
        transport=request.param,
    )
    yield made
    made.client.close()
