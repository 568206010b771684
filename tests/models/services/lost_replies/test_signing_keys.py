"""The keys of access tokens when DynamoDB or the connection to it fails."""

import pytest

from models import SigningKeys, TokenAlgorithm
from models.services.signing_key_ring import ROTATION
from models.services.signing_keys import REREAD
from models.tables.signing_key import ACCESS_TOKENS, SigningKey
from tests.support.clock import Clock
from tests.support.faulty_proxy import (
    conflicted,
    failed,
    failed_afterwards,
    lost_reply,
    lost_request,
    over_capacity,
    throttled,
)
from tests.support.signing_keys import signing_keys

WRITE = "TransactWriteItems"
SECRET = "only for tests"
FAULTS = [lost_reply, lost_request, failed, failed_afterwards, throttled, over_capacity]


@pytest.fixture
def keys(context: None) -> SigningKeys:
    return signing_keys(SECRET)


def seqs() -> list[int]:
    return [row.number for row in SigningKey.query(ACCESS_TOKENS)]


@pytest.mark.parametrize("fault", [*FAULTS, conflicted])
class TestOnce:
    """Each write is executed once although its first attempt has failed."""

    def test_first(self, proxy, keys, fault):
        """One key exists, and signs."""
        proxy.next(WRITE, fault)
        signer = keys.signer()

        assert seqs() == [1]
        assert signing_keys(SECRET).signer() == signer

    def test_rotate(self, proxy, keys, fault):
        """One key waits."""
        keys.signer()
        proxy.next(WRITE, fault)
        keys.rotate()

        assert seqs() == [1, 2]

    def test_revoke(self, proxy, keys, fault):
        """The key is revoked, and one other signs."""
        kid = keys.signer().kid
        proxy.next(WRITE, fault)
        keys.revoke(kid)

        assert [each.state for each in keys.status()] == ["revoked", "signing"]

    def test_by_itself(self, proxy, context, background, fault):
        """A process that finds the newest key too old creates one other."""
        clock = Clock()
        keys = SigningKeys((SECRET,), TokenAlgorithm.ES256, background, clock=clock)
        keys.signer()
        clock.time += ROTATION
        proxy.next(WRITE, fault)
        keys.signer()

        assert background.drain(10)
        assert seqs() == [1, 2]

    def test_reseal(self, proxy, keys, fault):
        """A key that is sealed again stays the same key, under the new secret key."""
        signer = keys.signer()
        renewed = signing_keys("another secret", SECRET)
        proxy.next(WRITE, fault)
        renewed.reseal()

        assert signing_keys("another secret").signer() == signer
        assert seqs() == [1]


class TestUnavailable:
    def test_keys_in_memory(self, proxy, context, caplog):
        """While the database does not respond, the keys in memory sign and are published."""
        clock = Clock()
        keys = signing_keys(SECRET, clock=clock)
        pair = keys.signer()
        clock.time += REREAD
        proxy.always("Query", lost_request)

        assert keys.signer() == pair
        assert keys.published() == [pair]
        assert "could not be read again" in caplog.text


class TestReads:
    def test_invented_ids(self, proxy, context):
        """Tokens with invented IDs of keys cause one read in 5 seconds."""
        clock = Clock()
        keys = signing_keys(SECRET, clock=clock)
        keys.signer()
        clock.move(seconds=5)
        before = proxy.count("Query")
        found = [keys.find(f"invented-{number}") for number in range(20)]

        assert found == [None] * 20
        assert proxy.count("Query") - before == 1
