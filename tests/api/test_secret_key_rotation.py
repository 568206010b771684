"""The secret key is replaced while the service has users with second factors."""

import logging
from collections.abc import Callable

import pytest
from werkzeug.test import TestResponse

from models import SecretKeys
from tests.support.authenticator import Authenticator, Clock
from tests.support.person import PASSWORD, Person

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
    jane.client = serve(secret_key=OLD)
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
        assert sign_in(secret_key=OLD).status_code == 201

        with caplog.at_level(logging.WARNING):
            answer = sign_in(secret_key=NEW)
        [record] = [each for each in caplog.records if each.name == "roster"]

        assert (answer.status_code, answer.json["type"]) == (500, "/problems/internal-error")
        assert record.levelno == logging.ERROR
        assert answer.json["request_id"] in record.getMessage()
        assert SecretKeys([OLD]).ids[0] in record.getMessage()
        assert OLD not in caplog.text

    def test_key_is_back(self, sign_in):
        """M3: nothing is lost when a key was taken away too early."""
        assert sign_in(secret_key=NEW).status_code == 500
        assert sign_in(secret_key=OLD).status_code == 201
