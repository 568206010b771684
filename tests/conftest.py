"""Fixtures of all tests: the apps and their tables, the users, emails.

Creating tables takes longer than most tests, so the tests of one process share an app and its
tables, which are emptied after each test; each process has an engine of its own. Tests run in any
order and in parallel. A test that changes its app makes one of its own with `make_app`. The users:
john is an admin, jane a regular user, eve another one.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import argon2.low_level
import pytest
from click.testing import CliRunner, Result
from flask import Flask
from flask.testing import FlaskClient
from pynamodb.signals import pre_dynamodb_send

from flask_pynamodb import DEFAULT_TRANSPORT, TRANSPORTS
from flask_pynamodb.local import Engine
from models import CHEAPEST_PROFILE, SignUp, User, db
from roster.app import create_app
from roster.cli import cli
from roster.config import Config, EmailSettings
from tests.support.email_helpers import Letters
from tests.support.openapi_client import HeldClient
from tests.support.person import DEVICE, Person
from tests.support.responses import NEW_PASSWORD
from tests.support.shared_tables import empty, shared_config, take_down

pytest_plugins = ["flask_pynamodb.testing"]


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


@pytest.fixture(scope="session")
def config(dynamodb_engine: Engine, transport: str) -> Config:
    """Settings for apps on the tables that the tests of this process share."""
    return shared_config(dynamodb_engine, transport, "tests-of-the-api-")


@pytest.fixture(scope="session")
def shared_app(config: Config) -> Flask:
    app = _held(create_app(config, profile=CHEAPEST_PROFILE))
    with app.app_context():
        db.create_all()
    return app


@pytest.fixture
def app(shared_app: Flask) -> Iterator[Flask]:
    """The shared app, on empty tables."""
    yield shared_app
    empty(shared_app)


@pytest.fixture(scope="session")
def make_app(shared_app: Flask, config: Config) -> Callable[..., Flask]:
    """Makes an app on the shared tables, with other settings where they are given."""
    return lambda **settings: _held(
        create_app(replace(config, **settings), profile=CHEAPEST_PROFILE)
    )


@pytest.fixture(scope="session")
def bare(config: Config) -> Flask:
    """An app for what is answered before the store is asked; who changes it makes an own one."""
    return _held(create_app(config, profile=CHEAPEST_PROFILE))


@pytest.fixture
def anybody(bare: Flask) -> FlaskClient:
    """A client of an app without tables."""
    return bare.test_client()


@pytest.fixture(scope="session")
def adrift(config: Config) -> Flask:
    """An app whose store does not answer."""
    settings = {**config.dynamodb, "DYNAMODB_HOST": "http://127.0.0.1:9"}
    return _held(create_app(replace(config, dynamodb=settings), profile=CHEAPEST_PROFILE))


@pytest.fixture
def nowhere(adrift: Flask) -> FlaskClient:
    """A client of a service whose store does not answer."""
    return adrift.test_client()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """An anonymous client."""
    return app.test_client()


@pytest.fixture
def context(app: Flask) -> Iterator[None]:
    """For tests of the domain, below HTTP."""
    with app.app_context():
        yield


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
            session, person.token, _ = services.sessions.open(username, person.password, DEVICE)
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


@pytest.fixture
def stored(app: Flask) -> Callable[[], dict[str, list[str]]]:
    """Takes down every item of every table: compare it with itself to see that nothing changed.

    What counts requests and tries is left out: it counts those that were refused, too.
    """

    return lambda: take_down(app)


@pytest.fixture
def alter(app: Flask) -> Callable[..., None]:
    """Edits a user's row below the API: `alter(jane, email_verified=True)`."""

    def edit(person: Person, **values: Any) -> None:
        with app.app_context():
            actions = [getattr(User, name).set(value) for name, value in values.items()]
            User.get(person.id).update(actions)

    return edit


@pytest.fixture
def register(app: Flask) -> Callable[..., str]:
    """Makes a user who does not sign in; returns its id."""

    def make(username: str, **attributes: Any) -> str:
        with app.app_context():
            made = app.extensions["roster"].accounts.register(
                username=username,
                email=f"{username}@example.com",
                password=NEW_PASSWORD,
                **attributes,
            )
        return str(made.id)

    return make


@pytest.fixture
def elsewhere() -> Callable[[Person], Person]:
    """Signs somebody in once more, as if from another device."""
    return lambda person: replace(person).sign_in()


@pytest.fixture
def closed(make_app: Any) -> Callable[[Person], Person]:
    """Lets somebody call a service whose sign-up is closed, on the same tables."""
    other = make_app(signup=SignUp.CLOSED)
    return lambda person: replace(person, client=other.test_client())


@pytest.fixture(scope="session")
def mail_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the mails of all apps go."""
    return tmp_path_factory.mktemp("mails") / "mail"


@pytest.fixture
def mail_settings(mail_folder: Path) -> Iterator[EmailSettings]:
    """Mails go into a folder, as they do in local mode; it is empty when a test begins."""
    yield EmailSettings(folder=mail_folder)
    shutil.rmtree(mail_folder, ignore_errors=True)


@pytest.fixture(scope="session")
def shared_mailing(make_app: Any, mail_folder: Path) -> Flask:
    return make_app(mail=EmailSettings(folder=mail_folder), rate_limits=False)


@pytest.fixture
def mailing(app: Flask, shared_mailing: Flask, mail_settings: EmailSettings) -> Iterator[Flask]:
    """An app that can send mails, to be read with `letters`.

    Its clients are not limited, so that nothing counts but the mails that an account may have.
    """
    yield shared_mailing
    # None is to come when the next test has begun.
    Letters(shared_mailing, mail_settings.folder)()


@pytest.fixture
def letters(mailing: Flask, mail_settings: EmailSettings) -> Letters:
    """Reads what the app has mailed so far: `letters()`."""
    assert mail_settings.folder
    return Letters(mailing, mail_settings.folder)


@pytest.fixture
def store_calls() -> Callable[[], Any]:
    """Notes what DynamoDB is asked: `with store_calls() as calls:`."""

    @contextmanager
    def watch() -> Iterator[list[str]]:
        calls: list[str] = []

        def note(sender: Any, operation_name: str, **_: Any) -> None:
            calls.append(operation_name)

        with pre_dynamodb_send.connected_to(note):
            yield calls

    return watch


@pytest.fixture
def run_users(app: Flask) -> Callable[..., Result]:
    """Runs a command of `roster users` on the tables of an app: `run_users("list")`."""

    def run(*arguments: str, app: Flask = app, **options: Any) -> Result:
        with app.app_context():
            services = app.extensions["roster"]
            return CliRunner().invoke(cli, ["users", *arguments], obj=services, **options)

    return run


def _held(app: Flask) -> Flask:
    """The app, with clients that hold its answers to the description."""
    app.test_client_class = HeldClient
    return app
