"""The stage and the cast.

Every test has an app of its own on the local engine, with tables of its own, so tests run in any
order and in parallel. The cast: john is the admin, jane a user like any other, eve another one.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import argon2.low_level
import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from api import create_app
from api.config import Config
from flask_pynamodb import DEFAULT_TRANSPORT, TRANSPORTS
from models import CHEAPEST, Client, db

pytest_plugins = ["flask_pynamodb.testing"]

PASSWORD = "correct horse battery staple"
# From where the cast has signed in when a test begins.
DEVICE = Client(ip="127.0.0.1", user_agent="a browser")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--transport",
        choices=TRANSPORTS,
        default=DEFAULT_TRANSPORT,
        help="how tests that do not choose for themselves reach DynamoDB",
    )


def pytest_xdist_auto_num_workers() -> int:
    """Three workers for two cores, since tests also wait: for processes, replies and limits."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(1, (cores or 1) * 3 // 2)


@pytest.fixture(scope="session")
def transport(request: pytest.FixtureRequest) -> str:
    """How tests that do not choose for themselves reach DynamoDB."""
    return str(request.config.getoption("--transport"))


@pytest.fixture
def config(dynamodb_settings: dict[str, Any], transport: str) -> Config:
    """Settings for an app on the engine, with a table prefix that no other test has."""
    return Config(
        secret_key="only for tests",
        workers=1,
        # Tests look into whole tables; that the service never does has a test of its own.
        dynamodb={
            **dynamodb_settings,
            "DYNAMODB_ALLOW_SCAN": True,
            "DYNAMODB_TRANSPORT": transport,
        },
    )


@pytest.fixture
def make_app(config: Config) -> Any:
    """Makes an app on this test's tables, with other settings where they are given."""

    def make(**settings: Any) -> Flask:
        app = create_app(replace(config, **settings), profile=CHEAPEST)
        with app.app_context():
            db.create_all()
        return app

    return make


@pytest.fixture
def app(make_app: Any) -> Flask:
    return make_app()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """Nobody in particular."""
    return app.test_client()


@pytest.fixture
def context(app: Flask) -> Iterator[None]:
    """For tests of the domain, below HTTP."""
    with app.app_context():
        yield


@dataclass
class Person:
    """Somebody with an account and a way to make requests as that user."""

    client: FlaskClient
    username: str
    roles: list[str] = field(default_factory=lambda: ["user"])
    password: str = PASSWORD
    id: str = ""
    etag: str = ""
    token: str = ""
    session_id: str = ""

    def sign_in(self) -> "Person":
        """Open a session and use it from now on."""
        answer = self.client.post(
            "/v1/sessions", json={"login": self.username, "password": self.password}
        )
        assert answer.status_code == 201, answer.json
        self.token, self.session_id = answer.json["token"], answer.json["id"]
        return self

    def request(self, method: str, path: str, **options: Any) -> TestResponse:
        headers = {"Authorization": f"Bearer {self.token}", **options.pop("headers", {})}
        return self.client.open(path, method=method, headers=headers, **options)

    def get(self, path: str, **options: Any) -> TestResponse:
        return self.request("GET", path, **options)

    def post(self, path: str, **options: Any) -> TestResponse:
        return self.request("POST", path, **options)

    def patch(self, path: str, **options: Any) -> TestResponse:
        return self.request("PATCH", path, **options)

    def put(self, path: str, **options: Any) -> TestResponse:
        return self.request("PUT", path, **options)

    def delete(self, path: str, **options: Any) -> TestResponse:
        return self.request("DELETE", path, **options)

    @property
    def path(self) -> str:
        return f"/v1/users/{self.id}"


@pytest.fixture
def enrol(app: Flask, client: FlaskClient) -> Any:
    """Makes a user and signs it in: `enrol("ada", roles=["admin"])`."""

    def make(username: str, **attributes: Any) -> Person:
        person = Person(client, username, **attributes)
        services = app.extensions["roster"]
        with app.app_context():
            made = services.accounts.register(
                username=username,
                email=f"{username}@example.com",
                password=person.password,
                roles=person.roles,
            )
            # Below HTTP, which takes as long again, and counts towards the client's rate limit.
            session, person.token, _ = services.sign_in.open(username, person.password, DEVICE)
        person.id, person.session_id = made.id, session.id
        return person

    return make


@pytest.fixture
def john(enrol: Any) -> Person:
    """The admin, signed in."""
    return enrol("john", roles=["admin"])


@pytest.fixture
def jane(enrol: Any) -> Person:
    """A user like any other, signed in."""
    return enrol("jane")


@pytest.fixture
def eve(enrol: Any) -> Person:
    """Another user like any other, signed in."""
    return enrol("eve")


@pytest.fixture
def hashes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Notes each computation of argon2."""
    work: list[str] = []

    def counted(name: str) -> Any:
        real = getattr(argon2.low_level, name)
        return lambda *args, **kwargs: (work.append(name), real(*args, **kwargs))[1]

    for name in ("hash_secret", "verify_secret"):
        monkeypatch.setattr(argon2.low_level, name, counted(name))
    return work
