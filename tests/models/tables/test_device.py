"""Known devices: what races with a sign-in on one."""

from contextlib import suppress

import pytest

from models import ANONYMOUS, OpenedSession
from models.errors import InvalidCredentials, InvalidToken, TooManyAttempts
from models.tables.device import MAX_DEVICES, Device
from models.tables.login_attempts import FREE_ATTEMPTS
from models.tables.session import Session
from tests.support.person import CLIENT, NEW_PASSWORD, PASSWORD

WRONG = "not the password at all"


@pytest.fixture
def device_token(sign_in, ada):
    """The token of a device that ada has signed in on."""
    return sign_in.sign_in("ada", PASSWORD, CLIENT).device_token


def kinds(outcomes):
    return [type(outcome) for outcome in outcomes]


class TestAttempts:
    def test_fifty_guesses_at_once(self, run_concurrently, sign_in, ada, device_token):
        """ASVS 6.3.1: parallel guesses on a stolen device token do not exceed the limit."""
        outcomes = run_concurrently(
            *[lambda: sign_in.sign_in("ada", WRONG, CLIENT, device_token=device_token)] * 50
        )

        assert kinds(outcomes).count(InvalidCredentials) <= FREE_ATTEMPTS
        assert set(kinds(outcomes)) == {InvalidCredentials, TooManyAttempts}

    def test_guesses_do_not_reset_each_other(self, sign_in, ada, device_token):
        """A success on a device leaves the count of all others, and the reverse."""
        for _ in range(FREE_ATTEMPTS - 1):
            with suppress(InvalidCredentials):
                sign_in.sign_in("ada", WRONG, CLIENT)
        sign_in.sign_in("ada", PASSWORD, CLIENT, device_token=device_token)
        with pytest.raises(InvalidCredentials):
            sign_in.sign_in("ada", WRONG, CLIENT)

        with pytest.raises(TooManyAttempts):
            sign_in.sign_in("ada", PASSWORD, CLIENT)


class TestAtOnce:
    def test_sign_ins(self, run_concurrently, sign_in, ada, device_token):
        """Twenty sign-ins on one device at the same moment all succeed."""
        outcomes = run_concurrently(
            *[lambda: sign_in.sign_in("ada", PASSWORD, CLIENT, device_token=device_token)] * 20
        )

        assert kinds(outcomes) == [OpenedSession] * 20
        assert len(list(Device.query(ada.id))) == 1

    def test_new_devices(self, run_concurrently, sign_in, ada):
        """However many sign in at the same moment, the slots are not exceeded."""
        outcomes = run_concurrently(
            *[lambda: sign_in.sign_in("ada", PASSWORD, CLIENT)] * (MAX_DEVICES + 5)
        )

        assert kinds(outcomes) == [OpenedSession] * (MAX_DEVICES + 5)
        assert 1 <= len(list(Device.query(ada.id))) <= MAX_DEVICES

    def test_reset(self, run_concurrently, credentials, sign_in, ada, mailbox):
        """ASVS 6.5.1: of twenty resets with one token, one signs in."""
        credentials.send_reset(ada, by=ANONYMOUS)
        token = mailbox[-1].token
        outcomes = run_concurrently(
            *[lambda: credentials.reset_password(token, NEW_PASSWORD, sign_in=CLIENT)] * 20
        )

        assert sorted(kinds(outcomes), key=str) == sorted(
            [OpenedSession, *[InvalidToken] * 19], key=str
        )
        assert len(list(Session.query(ada.id))) == 1
