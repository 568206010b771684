"""The domain without HTTP: operations on this test's own tables."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask

from flask_pynamodb.local import Engine
from models import (
    CHEAPEST_PROFILE,
    AccountEmails,
    Accounts,
    Client,
    Credentials,
    Email,
    EmailVerification,
    Lifetimes,
    LoginLookup,
    Passwords,
    SecondFactors,
    SessionService,
    Totp,
    User,
    db,
    secrets_from,
)
from models.errors import InvalidCredentials
from models.tables.login_attempts import FREE_ATTEMPTS
from roster.app import create_app
from roster.config import Config
from tests.support.person import PASSWORD
from tests.support.shared_tables import empty, shared_config


@pytest.fixture(scope="session")
def domain_config(dynamodb_engine: Engine, transport: str) -> Config:
    """Settings for apps on the tables that the tests of this process share."""
    return shared_config(dynamodb_engine, transport, "tests-of-the-domain-")


@pytest.fixture
def config(domain_config: Config) -> Config:
    return domain_config


@pytest.fixture(scope="session")
def shared_app(domain_config: Config) -> Flask:
    app = create_app(domain_config, profile=CHEAPEST_PROFILE)
    with app.app_context():
        db.create_all()
    return app


@pytest.fixture
def app(shared_app: Flask, config: Config, domain_config: Config) -> Iterator[Flask]:
    """The shared app, or one that reaches the shared tables in another way; they are empty."""
    is_shared = config is domain_config
    yield shared_app if is_shared else _app_without_routes(config)
    empty(shared_app)


def _app_without_routes(config: Config) -> Flask:
    """All that the domain needs; making routes takes longer than most of these tests."""
    app = Flask(__name__)
    app.config.from_mapping(config.dynamodb)
    db.init_app(app)
    return app


class Mailbox(list[Email]):
    """A mailer that keeps what it is given."""

    is_configured = True

    def send(self, mail: Email) -> None:
        self.append(mail)


@pytest.fixture
def mailbox() -> Mailbox:
    """Every mail that was sent."""
    return Mailbox()


@pytest.fixture
def passwords() -> Passwords:
    # As many at once as a test has threads: how many may wait has tests of its own.
    return Passwords(CHEAPEST_PROFILE, waiting=100)


@pytest.fixture
def mail_requests(mailbox: Mailbox) -> AccountEmails:
    return AccountEmails(mailbox, LoginLookup())


@pytest.fixture
def confirmations(mail_requests: AccountEmails) -> EmailVerification:
    return EmailVerification(mail_requests)


@pytest.fixture
def credentials(passwords: Passwords, mail_requests: AccountEmails) -> Credentials:
    return Credentials(passwords, mail_requests)


@pytest.fixture
def accounts(context: None, passwords: Passwords, confirmations: EmailVerification) -> Accounts:
    return Accounts(passwords, confirmations)


@pytest.fixture
def second_factors(mailbox: Mailbox) -> SecondFactors:
    return SecondFactors(Totp(secrets_from("only for tests"), "Roster"), mailbox)


@pytest.fixture
def make_sign_in(
    context: None, passwords: Passwords, mailbox: Mailbox, second_factors: SecondFactors
) -> Any:
    """Makes what signs people in: `make_sign_in(lifetimes=Lifetimes(...))`."""

    def make(lifetimes: Lifetimes | None = None, **settings: Any) -> SessionService:
        return SessionService(
            passwords,
            lifetimes or Lifetimes(),
            second_factors=second_factors,
            mailer=mailbox,
            logins=LoginLookup(),
            **settings,
        )

    return make


@pytest.fixture
def sign_in(make_sign_in: Any) -> SessionService:
    return make_sign_in()


@pytest.fixture
def register(accounts: Accounts) -> Any:
    """Makes a user by its user name: `register("ada", roles=["admin"])`."""

    def make(username: str, **attributes: Any) -> Any:
        details = {"email": f"{username}@example.com", "password": PASSWORD, **attributes}
        return accounts.register(username=username, **details)

    return make


@pytest.fixture
def ada(register: Any) -> User:
    """Return a regular user."""
    return register("ada")


@pytest.fixture
def lock(sign_in: SessionService) -> Callable[[str], None]:
    """Tries wrong passwords until the account rests: `lock("ada")`."""

    def guess(login: str) -> None:
        for _ in range(FREE_ATTEMPTS):
            with pytest.raises(InvalidCredentials):
                sign_in.open(login, "not the password at all", Client())

    return guess


@pytest.fixture
def at_once(app: Flask) -> Callable[..., list[Any]]:
    """Does everything at the same moment and tells what each returned or raised, in order."""

    def run_all(*actions: Callable[[], Any]) -> list[Any]:
        barrier = threading.Barrier(len(actions), timeout=30)

        def run(action: Callable[[], Any]) -> Any:
            with app.app_context():
                barrier.wait()
                try:
                    return action()
                except Exception as error:
                    return error

        with ThreadPoolExecutor(len(actions)) as pool:
            return list(pool.map(run, actions))

    return run_all
