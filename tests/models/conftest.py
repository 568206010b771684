"""The domain without HTTP and without a web app: services on the tables of this process."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from flask_pynamodb import Standalone
from flask_pynamodb.local import Engine
from models import (
    CHEAPEST_PROFILE,
    AccountEmails,
    Accounts,
    Background,
    Client,
    Email,
    EmailVerification,
    Lifetimes,
    LoginLookup,
    MergedEvents,
    PasswordHasher,
    PasswordPolicy,
    PasswordService,
    SecondFactors,
    SessionService,
    Totp,
    User,
    db,
)
from models.errors import InvalidCredentials
from models.tables.login_attempts import FREE_ATTEMPTS
from roster.config import Config
from tests.support.person import PASSWORD
from tests.support.shared_tables import empty, shared_config


@pytest.fixture(scope="session")
def domain_config(dynamodb_engine: Engine, transport: str) -> Config:
    """Settings for the tables that the tests of this process share."""
    return shared_config(dynamodb_engine, transport, "tests-of-the-domain-")


@pytest.fixture
def config(domain_config: Config) -> Config:
    """Settings for the database of a test, which may reach the shared tables in another way."""
    return domain_config


@pytest.fixture(scope="session")
def shared_database(domain_config: Config) -> Standalone:
    """The shared tables."""
    database = db.standalone(domain_config.for_database())
    with database.context():
        db.create_all()
    return database


@pytest.fixture
def database(
    shared_database: Standalone, config: Config, domain_config: Config
) -> Iterator[Standalone]:
    """The shared tables, emptied after the test."""
    is_shared = config is domain_config
    yield shared_database if is_shared else db.standalone(config.for_database())
    empty(shared_database.context)


@pytest.fixture
def context(database: Standalone) -> Iterator[None]:
    """Binds the models to the database of the test."""
    with database.context():
        yield


class Mailbox(list[Email]):
    """A mailer that stores its emails, and apart from them the decoys, which are not delivered."""

    is_configured = True

    def __init__(self) -> None:
        super().__init__()
        self.decoys: list[Email] = []

    def send(self, mail: Email) -> None:
        (self.decoys if mail.is_decoy else self).append(mail)

    def drain(self, seconds: float) -> bool:
        return True


@pytest.fixture
def mailbox() -> Mailbox:
    """Every mail that was sent."""
    return Mailbox()


@pytest.fixture
def hasher() -> PasswordHasher:
    # Room for every thread of a test; the limit of the queue has tests of its own.
    return PasswordHasher(CHEAPEST_PROFILE, queue_size=100)


@pytest.fixture
def policy() -> PasswordPolicy:
    return PasswordPolicy()


@pytest.fixture
def background(database: Standalone) -> Iterator[Background]:
    """Background work that begins when it is drained, at the latest after the test."""
    background = Background(seconds=3600)
    yield background
    assert background.drain(10)


@pytest.fixture
def mail_requests(mailbox: Mailbox, background: Background) -> AccountEmails:
    return AccountEmails(mailbox, LoginLookup(), MergedEvents(background))


@pytest.fixture
def confirmations(mail_requests: AccountEmails, hasher: PasswordHasher) -> EmailVerification:
    return EmailVerification(mail_requests, hasher)


@pytest.fixture
def credentials(
    hasher: PasswordHasher,
    policy: PasswordPolicy,
    mail_requests: AccountEmails,
    sign_in: SessionService,
) -> PasswordService:
    return PasswordService(hasher, policy, mail_requests, sign_in)


@pytest.fixture
def accounts(
    context: None,
    hasher: PasswordHasher,
    policy: PasswordPolicy,
    confirmations: EmailVerification,
) -> Accounts:
    return Accounts(hasher, policy, confirmations)


@pytest.fixture
def second_factors(mailbox: Mailbox) -> SecondFactors:
    return SecondFactors(Totp(["only for tests"]), mailbox)


@pytest.fixture
def make_sign_in(
    context: None,
    hasher: PasswordHasher,
    mailbox: Mailbox,
    second_factors: SecondFactors,
) -> Any:
    """Makes what signs people in: `make_sign_in(lifetimes=Lifetimes(...))`."""

    def make(lifetimes: Lifetimes | None = None, **settings: Any) -> SessionService:
        return SessionService(
            hasher,
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
    """Makes a user by its user name: `register("ada", roles=["admin"])`.

    `username=None` makes one without it, whose address begins with the name.
    """

    def make(name: str, **attributes: Any) -> Any:
        details = {"username": name, "email": f"{name}@example.com", "password": PASSWORD}
        return accounts.register(**{**details, **attributes})

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
                sign_in.sign_in(login, "not the password at all", Client())

    return guess


@pytest.fixture
def run_concurrently(database: Standalone) -> Callable[..., list[Any]]:
    """Does everything at the same moment and tells what each returned or raised, in order."""

    def run_all(*actions: Callable[[], Any]) -> list[Any]:
        barrier = threading.Barrier(len(actions), timeout=30)

        def run(action: Callable[[], Any]) -> Any:
            with database.context():
                barrier.wait()
                try:
                    return action()
                except Exception as error:
                    return error

        with ThreadPoolExecutor(len(actions)) as pool:
            return list(pool.map(run, actions))

    return run_all
