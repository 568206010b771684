"""The secret key is replaced while the service has users with second factors."""

import base64
import hashlib
import logging
from collections.abc import Callable

import pytest
from itsdangerous import BadSignature, URLSafeSerializer
from werkzeug.test import TestResponse

from models import SecretKeys
from models.tables.second_factor import SecondFactor
from tests.support.authenticator import Authenticator, Clock
from tests.support.legacy_totp import encrypt
from tests.support.person import PASSWORD, Person
from tests.support.secret_key import SECRET_KEY as GOOD

PATH = "/v1/users/me/second-factor"
OLD, NEW = "the secret key of yesterday", "the secret key of today"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def serve(app, make_app, clock, monkeypatch):
    """Return a function that starts the service with other settings; it returns a client."""

    def start(**settings):
        started = make_app(**settings)
        monkeypatch.setattr(started.extensions["roster"].second_factors.totp, "clock", clock)
        return started.test_client()

    return start


@pytest.fixture
def authenticator(serve, jane: Person, clock: Clock) -> Authenticator:
    """Enable jane's second factor under the old key, and return her authenticator."""
    jane.client = serve(secret_keys=(OLD,))
    authenticator = Authenticator(jane.post(PATH).json["secret"], clock)
    assert jane.post(f"{PATH}/confirm", json={"otp": authenticator.code()}).status_code == 200
    return authenticator


@pytest.fixture
def sign_in(serve, authenticator, clock) -> Callable[..., TestResponse]:
    """Return a function that signs jane in with the next code, at a service with settings."""

    def attempt(**settings) -> TestResponse:
        clock.move(1)
        body = {"login": "jane", "password": PASSWORD, "otp": authenticator.code()}
        return serve(**settings).post("/v1/sessions", json=body)

    return attempt


class TestKeyIsGone:
    def test_server_fault(self, sign_in, caplog):
        """M3: a key that was taken away is a failure of the service, and no wrong code."""
        assert sign_in(secret_keys=(OLD,)).status_code == 201

        with caplog.at_level(logging.WARNING):
            answer = sign_in(secret_keys=(NEW,))
        [record] = [each for each in caplog.records if each.name == "roster"]

        assert (answer.status_code, answer.json["type"]) == (500, "/problems/internal-error")
        assert record.levelno == logging.ERROR
        assert answer.json["request_id"] in record.getMessage()
        assert SecretKeys([OLD]).ids[0] in record.getMessage()
        assert OLD not in caplog.text

    def test_key_is_back(self, sign_in):
        """M3: nothing is lost when a key was taken away too early."""
        assert sign_in(secret_keys=(NEW,)).status_code == 500
        assert sign_in(secret_keys=(OLD,)).status_code == 201


class TestReplaceTheKey:
    def test_steps_of_the_finding(self, sign_in):
        """M3: enrolled under the old key, then ROSTER_TOTP_SECRETS, then a new key: 201 each."""
        tags = {"2026": "k3yThatNobodyGuesses"}

        assert sign_in(secret_keys=(OLD,)).status_code == 201
        assert sign_in(secret_keys=(OLD,), totp_secrets=tags).status_code == 201
        assert sign_in(secret_keys=(NEW, OLD), totp_secrets=tags).status_code == 201
        assert sign_in(secret_keys=(NEW,)).status_code == 201

    def test_steps_of_the_finding_after_0_6(self, app, jane, sign_in, authenticator):
        """M3: the same for a second factor that 0.6 has encrypted, under the secret key."""
        with app.app_context():
            secret = base64.b32encode(authenticator._key).decode()
            stored = encrypt(secret, secret_key=OLD)
            SecondFactor.get(jane.id).update([SecondFactor.secret.set(stored)])
        tags = {"2026": "k3yThatNobodyGuesses"}

        assert sign_in(secret_keys=(NEW, OLD), totp_secrets=tags).status_code == 201
        assert sign_in(secret_keys=(NEW,)).status_code == 201


class TestCursors:
    @pytest.fixture
    def page(self, serve, john, jane) -> Callable[..., TestResponse]:
        """Return a function that reads a page of users at a service with settings."""

        def read(cursor: str = "", **settings) -> TestResponse:
            john.client = serve(**settings)
            return john.get(f"/v1/users?limit=1{cursor and f'&cursor={cursor}'}")

        return read

    def test_older_key(self, page):
        """M3: a list that was begun under the old key is read on while that key is listed."""
        cursor = page(secret_keys=(GOOD,)).json["next_cursor"]

        assert page(cursor, secret_keys=(NEW, GOOD)).status_code == 200
        assert page(cursor, secret_keys=(NEW,)).json["type"] == "/problems/invalid-cursor"

    def test_new_key_signs(self, page):
        """M3: a new cursor needs the new key only."""
        cursor = page(secret_keys=(NEW, GOOD)).json["next_cursor"]

        assert page(cursor, secret_keys=(NEW,)).status_code == 200
        assert page(cursor, secret_keys=(GOOD,)).json["type"] == "/problems/invalid-cursor"

    def test_weak_key(self, page):
        """L1: a weak key that was replaced, and may have been guessed, verifies no cursors."""
        cursor = page(secret_keys=("changeme",)).json["next_cursor"]

        assert page(cursor, secret_keys=(NEW, "changeme")).status_code == 400

    def test_key_of_this_use(self, page):
        """L1: a cursor is not signed with the secret key itself, but with the key of this use."""
        cursor = page(secret_keys=(OLD,)).json["next_cursor"]
        [derived] = SecretKeys([OLD]).derive("cursors")

        assert _serializer(derived).loads(cursor)
        with pytest.raises(BadSignature):
            _serializer(OLD).loads(cursor)


def _serializer(key: str | bytes) -> URLSafeSerializer:
    """Return what signs the cursors of the list of users with a key."""
    options = {"key_derivation": "hmac", "digest_method": hashlib.sha256}
    return URLSafeSerializer(key, salt="flask-pynamodb-cursor| /v1/users?", signer_kwargs=options)
