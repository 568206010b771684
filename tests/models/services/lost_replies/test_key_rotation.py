"""Sealing second factors again when DynamoDB or the way to it misbehaves."""

import pytest
from pynamodb.exceptions import UpdateError

from flask_pynamodb import is_unavailable
from models import KeyRotation, SecretKeys, Totp
from models.clock import now
from models.security.totp import key_of
from models.tables.second_factor import SecondFactor
from tests.support.faulty_proxy import failed_afterwards, lost_reply, lost_request, throttled
from tests.support.signing_keys import signing_keys

OLD, NEW = "the key of yesterday", "the key of today"
USERS = [f"user {number}" for number in range(5)]


@pytest.fixture
def rotation(context) -> KeyRotation:
    """The service with a new key in front, and five second factors of the old one."""
    for user in USERS:
        secret = Totp([OLD]).new("ada", user).stored
        SecondFactor(user, secret=secret, created_at=now()).save()
    return KeyRotation(Totp([NEW, OLD]), signing_keys(NEW, OLD))


def secrets() -> dict[str, str]:
    return {row.user_id: row.secret for row in SecondFactor.scan()}


@pytest.mark.parametrize("fault", [lost_reply, lost_request, failed_afterwards, throttled])
class TestOneWrite:
    def test_nothing_is_lost(self, proxy, rotation, fault):
        """M3: a write whose reply is lost is sealed once, and a second run finds all current."""
        proxy.next("UpdateItem", fault)
        first = rotation.rekey()
        sealed = secrets()
        second = rotation.rekey()

        assert first.resealed + first.changed == 5
        assert (second.resealed, second.current) == (0, 5)
        assert {key_of(secret) for secret in sealed.values()} == set(SecretKeys([NEW]).ids)
        assert secrets() == sealed


class TestAllWrites:
    def test_continues(self, proxy, rotation):
        """M3: a run that the database interrupts leaves every second factor readable."""
        proxy.always("UpdateItem", lost_request)
        with pytest.raises(UpdateError) as caught:
            rotation.rekey()
        assert is_unavailable(caught.value)
        proxy.behave()

        assert rotation.rekey().unreadable == []
        assert rotation.rekey().current == 5
