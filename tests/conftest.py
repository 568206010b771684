"""Fixtures of all tests: apps on shared tables, users, emails.

Creating tables takes longer than most tests, so the tests of one process share an app and its
tables, which are emptied after each test. Each test process has its own database engine. Tests run
in any order and in parallel. A test that changes an app creates one with `make_app`. The users:
john is an admin; jane and eve are regular users; nell is one without a username.
"""

import functools
import os
import shutil
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import argon2.low_level
import botocore.session
import pytest
from click.testing import CliRunner, Result
from flask import Flask
from flask.testing import FlaskClient
from pynamodb.signals import pre_dynamodb_send

from flask_pynamodb import DEFAULT_TRANSPORT, TRANSPORTS
from flask_pynamodb.local import Engine
from models import CHEAPEST_PROFILE, RateLimiter, SignUp, User, db
from models.security import password_policy
from roster.app import create_app
from roster.cli import cli
from roster.config import Config, EmailSettings
from roster.local.engine import find_engine, is_fallback
from tests.support.email_helpers import SentEmails
from tests.support.openapi_client import OpenApiClient
from tests.support.person import DEVICE, Person
from tests.support.responses import NEW_PASSWORD
from tests.support.shared_tables import empty, read_items, shared_config

# The apps of the running tests.
_apps: "weakref.WeakSet[Flask]" = weakref.WeakSet()

pytest_plugins = [
    "flask_pynamodb.testing",
    "tests.support.log_leaks",
    "tests.support.measured_tests",
]

# An estimate takes 5 ms, and most tests register users with the same few passwords. It depends on
# the text alone.
password_policy.zxcvbn = functools.lru_cache(password_policy.zxcvbn)
# Each session of botocore reads the description of DynamoDB, and most apps of tests have their own.
botocore.session.create_loader = functools.cache(botocore.session.create_loader)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--transport",
        choices=TRANSPORTS,
        default=DEFAULT_TRANSPORT,
        help="how tests that do not choose for themselves reach DynamoDB",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Select what the options and the engine can run."""
    if config.getoption("--transport") != DEFAULT_TRANSPORT:
        _select_users_of_the_transport(config, items)
    _skip_tests_of_dynoxide(items)


def _select_users_of_the_transport(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect what would run the same as with the default transport."""
    chosen = [item for item in items if "transport" in getattr(item, "fixturenames", ())]
    config.hook.pytest_deselected(items=list(set(items) - set(chosen)))
    items[:] = chosen


def _skip_tests_of_dynoxide(items: list[pytest.Item]) -> None:
    """Skip what is about dynoxide where the fallback engine takes its place."""
    named = os.environ.get("DYNAMODB_ENGINE")
    if named is None or not is_fallback(Path(named)):
        return
    for item in items:
        if item.get_closest_marker("dynoxide"):
            item.add_marker(pytest.mark.skip(reason="the fallback engine takes dynoxide's place"))


def pytest_xdist_auto_num_workers() -> int:
    """Start three workers on two cores, since tests also wait for processes, replies and limits."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(1, (cores or 1) * 3 // 2)


@pytest.fixture(scope="session")
def dynamodb_engine_binary() -> Path:
    """Return the engine's binary: that of DYNAMODB_ENGINE, else the npm package of this project."""
    return find_engine(os.environ.get("DYNAMODB_ENGINE"))


@pytest.fixture(scope="session")
def transport(request: pytest.FixtureRequest) -> str:
    """Return the transport of tests that do not choose one themselves."""
    return str(request.config.getoption("--transport"))


@pytest.fixture(scope="session")
def config(dynamodb_engine: Engine, transport: str) -> Config:
    """Return settings for apps on the tables that the tests of this process share."""
    return shared_config(dynamodb_engine, transport, "tests-of-the-api-")


@pytest.fixture(scope="session")
def shared_app(config: Config) -> Flask:
    """Create the app and the tables that the tests of this process share."""
    app = _checked(create_app(config, profile=CHEAPEST_PROFILE))
    with app.app_context():
        db.create_all()
    return app


@pytest.fixture(scope="session")
def empty_tables(shared_app: Flask) -> Callable[[], None]:
    """Return a function that empties the shared tables, after what is still being written."""

    def drain_and_empty() -> None:
        for each in list(_apps):
            assert each.extensions["roster"].background.drain(10)
            # What is in memory is not in the tables any more.
            each.extensions["roster"].signing_keys.forget()
            each.extensions["roster"].clients.forget()
        empty(shared_app.app_context)

    return drain_and_empty


@pytest.fixture
def app(shared_app: Flask, empty_tables: Callable[[], None]) -> Iterator[Flask]:
    """Return the shared app; its tables are empty when a test starts."""
    yield shared_app
    empty_tables()


@pytest.fixture(scope="session")
def make_app(shared_app: Flask, config: Config) -> Callable[..., Flask]:
    """Return a function that creates an app on the shared tables with other settings."""
    return lambda **settings: _checked(
        create_app(replace(config, **settings), profile=CHEAPEST_PROFILE)
    )


@pytest.fixture(scope="session")
def app_without_tables(config: Config) -> Flask:
    """Return a shared app for responses that need no database. Do not change it."""
    return _checked(create_app(config, profile=CHEAPEST_PROFILE))


@pytest.fixture
def tableless_client(app_without_tables: Flask) -> FlaskClient:
    """Return a client of an app without tables."""
    return app_without_tables.test_client()


@pytest.fixture(scope="session")
def no_database_app(config: Config) -> Flask:
    """Return an app whose database does not respond."""
    settings = {**config.dynamodb, "DYNAMODB_HOST": "http://127.0.0.1:9"}
    return _checked(create_app(replace(config, dynamodb=settings), profile=CHEAPEST_PROFILE))


@pytest.fixture
def no_database_client(no_database_app: Flask) -> FlaskClient:
    """Return a client of a service whose database does not respond."""
    return no_database_app.test_client()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """Return an anonymous client."""
    return app.test_client()


@pytest.fixture
def context(app: Flask) -> Iterator[None]:
    """Push the app's context, for tests of the domain."""
    with app.app_context():
        yield


@pytest.fixture
def create_user(app: Flask, client: FlaskClient) -> Any:
    """Return a function that creates and signs in a user: `create_user("ada", roles=["admin"])`.

    With `has_username=False` the user has none, and an address that begins with the name.
    """

    def make(name: str, *, has_username: bool = True, **attributes: Any) -> Person:
        email = f"{name}@example.com"
        person = Person(client, name if has_username else email, **attributes)
        services = app.extensions["roster"]
        with app.app_context():
            made = services.accounts.register(
                username=name if has_username else None,
                email=email,
                password=person.password,
                roles=person.roles,
                any_username=True,
            )
            # Below HTTP, which would double the time and count against the client's
            # rate limit.
            session, person.token, *_ = services.sessions.sign_in(email, person.password, DEVICE)
        person.id, person.session_id = made.id, session.id
        return person

    return make


@pytest.fixture
def john(create_user: Any) -> Person:
    """Return an admin, signed in."""
    return create_user("john", roles=["admin"])


@pytest.fixture
def jane(create_user: Any) -> Person:
    """Return a regular user, signed in."""
    return create_user("jane")


@pytest.fixture
def eve(create_user: Any) -> Person:
    """Return another regular user, signed in."""
    return create_user("eve")


@pytest.fixture
def auditor(create_user: Any) -> Person:
    """Return a user with the role auditor, signed in."""
    return create_user("audrey", roles=["auditor"])


@pytest.fixture
def support(create_user: Any) -> Person:
    """Return a user with the role support, signed in."""
    return create_user("sue", roles=["support"])


@pytest.fixture
def nell(create_user: Any) -> Person:
    """Return a regular user without a username, signed in."""
    return create_user("nell", has_username=False)


@pytest.fixture
def hashes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Record each argon2 computation."""
    work: list[str] = []

    def counted(name: str) -> Any:
        real = getattr(argon2.low_level, name)
        return lambda *args, **kwargs: (work.append(name), real(*args, **kwargs))[1]

    for name in ("hash_secret", "verify_secret"):
        monkeypatch.setattr(argon2.low_level, name, counted(name))
    return work


@pytest.fixture
def snapshot(app: Flask) -> Callable[[], dict[str, list[str]]]:
    """Return a function that reads every item, to assert that nothing was written.

    Counts of requests and attempts are left out, since they include rejected ones.
    """

    return lambda: read_items(app.app_context)


@pytest.fixture
def edit_row(app: Flask) -> Callable[..., None]:
    """Return a function that edits a user's row: `edit_row(jane, email_verified=True)`."""

    def edit(person: Person, **values: Any) -> None:
        with app.app_context():
            actions = [getattr(User, name).set(value) for name, value in values.items()]
            User.get(person.id).update(actions)

    return edit


@pytest.fixture
def register(app: Flask) -> Callable[..., str]:
    """Return a function that creates a user without signing in and returns its id."""

    def make(username: str, **attributes: Any) -> str:
        with app.app_context():
            made = app.extensions["roster"].accounts.register(
                username=username,
                password=NEW_PASSWORD,
                any_username=True,
                **{"email": f"{username}@example.com", **attributes},
            )
        return str(made.id)

    return make


@pytest.fixture
def hook_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], str]:
    """Return a function that makes a module of hooks from a text, and returns its name."""

    def make(text: str) -> str:
        name = f"hooks_{uuid4().hex}"
        (tmp_path / f"{name}.py").write_text(f"from roster.hooks import *\n{text}")
        monkeypatch.syspath_prepend(tmp_path)
        return name

    return make


@pytest.fixture
def make_hooked_client(app: Flask, make_app: Any, hook_module: Any) -> Callable[..., FlaskClient]:
    """Return a function that makes a client of a service with a module of hooks."""
    return lambda text, **settings: make_app(hooks=hook_module(text), **settings).test_client()


@pytest.fixture
def second_session() -> Callable[[Person], Person]:
    """Return a function that signs a person in again, as from another device."""
    return lambda person: replace(person).sign_in()


@pytest.fixture
def with_signup_closed(make_app: Any) -> Callable[[Person], Person]:
    """Return a function that moves a person to a service with sign-up closed."""
    other = make_app(signup=SignUp.CLOSED)
    return lambda person: replace(person, client=other.test_client())


@pytest.fixture(scope="session")
def email_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder that receives the emails of all apps."""
    return tmp_path_factory.mktemp("mails") / "mail"


@pytest.fixture
def email_settings(email_folder: Path) -> Iterator[EmailSettings]:
    """Send emails to a folder, as in local mode; it is empty when a test starts."""
    yield EmailSettings(folder=email_folder)
    # An email that is delivered later would be in the folder of the next test.
    for app in list(_apps):
        assert app.extensions["roster"].passwords.emails.mailer.drain(20.0)
    shutil.rmtree(email_folder, ignore_errors=True)


@pytest.fixture(scope="session")
def shared_email_app(make_app: Any, email_folder: Path) -> Flask:
    """Create the app that sends emails for all tests of this process."""
    return make_app(email=EmailSettings(folder=email_folder), rate_limits=False)


@pytest.fixture
def email_app(
    app: Flask, shared_email_app: Flask, email_settings: EmailSettings
) -> Iterator[Flask]:
    """Return an app that sends emails, which `sent_emails` reads.

    Its clients are not rate limited, so only the quota of emails per account applies.
    """
    # The tables are emptied after each test, and so is the memory of exhausted quotas.
    shared_email_app.extensions["roster"].passwords.emails._limiter = RateLimiter()
    yield shared_email_app
    # Wait for pending emails, so that none arrives during the next test.
    SentEmails(shared_email_app, email_settings.folder)()


@pytest.fixture
def sent_emails(email_app: Flask, email_settings: EmailSettings) -> SentEmails:
    """Read the emails that the app has sent: `sent_emails()`."""
    assert email_settings.folder
    return SentEmails(email_app, email_settings.folder)


@pytest.fixture
def database_calls() -> Callable[[], Any]:
    """Record the operations sent to DynamoDB: `with database_calls() as calls:`."""

    @contextmanager
    def watch() -> Iterator[list[str]]:
        calls: list[str] = []

        def note(sender: Any, operation_name: str, **_: Any) -> None:
            calls.append(operation_name)

        with pre_dynamodb_send.connected_to(note):
            yield calls

    return watch


@pytest.fixture
def run_roster(app: Flask) -> Callable[..., Result]:
    """Run a command of `roster` on the tables of an app: `run_roster("users", "list")`."""

    def run(*arguments: str, app: Flask = app, **options: Any) -> Result:
        with app.app_context():
            services = app.extensions["roster"]
            return CliRunner().invoke(cli, [*arguments], obj=services, **options)

    return run


@pytest.fixture
def run_users(run_roster: Callable[..., Result]) -> Callable[..., Result]:
    """Run a command of `roster users` on the tables of an app: `run_users("list")`."""
    return partial(run_roster, "users")


def _checked(app: Flask) -> Flask:
    """Give the app clients that check its responses against the OpenAPI description."""
    app.test_client_class = OpenApiClient
    _apps.add(app)
    return app
