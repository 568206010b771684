"""Count sealed values by key, and seal them with the current one."""

from collections.abc import Callable
from typing import Any

import pytest

from models import KeyRotation, SecretKeys, Totp
from models.clock import now
from models.security.totp import key_of
from models.tables import second_factor
from models.tables.second_factor import SecondFactor
from tests.support.authenticator import Authenticator, Clock
from tests.support.legacy_totp import encrypt
from tests.support.signing_keys import signing_keys

OLD, NEW, GONE = "the key of yesterday", "the key of today", "the key of last year"
NEW_ID, OLD_ID, GONE_ID = SecretKeys([NEW, OLD, GONE]).ids
TAGS = {"2026": "k" * 16}


@pytest.fixture
def enroll(context, clock: Clock) -> Callable[..., Authenticator]:
    """Return a function that stores a second factor under a key, and returns its authenticator."""

    def store(user_id: str, sealed_with: str, **legacy: Any) -> Authenticator:
        made = Totp([sealed_with], clock=clock).new("ada", user_id)
        stored = encrypt(made.secret, **legacy) if legacy else made.stored
        SecondFactor(user_id, secret=stored, created_at=now()).save()
        return Authenticator(made.secret, clock)

    return store


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def rotation(context) -> KeyRotation:
    """The service on the new key, with the old one still there."""
    return KeyRotation(Totp([NEW, OLD], legacy_secrets=TAGS), signing_keys(NEW, OLD))


def stored_keys() -> dict[str, str | None]:
    """Return the key of each stored second factor."""
    return {row.user_id: key_of(row.secret) for row in SecondFactor.scan()}


def counts(rotation: KeyRotation) -> dict[tuple[str, str], int]:
    return {(use.key, use.state): use.second_factors for use in rotation.status()}


class TestStatus:
    def test_every_kind(self, rotation, enroll):
        """M3, ASVS 11.1.2: each key is counted: current, older, of 0.6, and missing ones."""
        enroll("ada", NEW)
        enroll("eve", OLD)
        enroll("joan", OLD)
        enroll("mary", OLD, tag="2026", key=TAGS["2026"])
        enroll("jane", OLD, secret_key=OLD)
        enroll("john", GONE)
        enroll("hedy", OLD, tag="2025", key="x" * 16)
        SecondFactor("radia", secret="nonsense", created_at=now()).save()

        assert counts(rotation) == {
            (NEW_ID, "current"): 1,
            (OLD_ID, "older"): 2,
            ("tag 2026", "legacy"): 1,
            ("tag 0", "legacy"): 1,
            (GONE_ID, "unknown"): 1,
            ("tag 2025", "unknown"): 1,
            ("unknown form", "unknown"): 1,
        }
        assert rotation.status()[0].key == NEW_ID

    def test_nothing(self, rotation):
        """Configured keys are shown with 0, so that an operator sees which can be removed."""
        assert counts(rotation) == {
            (NEW_ID, "current"): 0,
            (OLD_ID, "older"): 0,
            ("tag 2026", "legacy"): 0,
        }


class TestRekey:
    def test_every_kind(self, rotation, enroll, clock):
        """M3: afterwards the current key is all that is needed, and every authenticator works."""
        authenticators = {
            "ada": enroll("ada", NEW),
            "eve": enroll("eve", OLD),
            "jane": enroll("jane", OLD, secret_key=OLD),
            "joan": enroll("joan", OLD, secret_key=NEW),
            "mary": enroll("mary", OLD, tag="2026", key=TAGS["2026"]),
        }
        outcome = rotation.rekey()
        totp = Totp([NEW], clock=clock)

        assert (outcome.resealed, outcome.current, outcome.changed) == (4, 1, 0)
        assert (outcome.unreadable, outcome.after) == ([], None)
        assert set(stored_keys().values()) == {NEW_ID}
        for user_id, authenticator in authenticators.items():
            row = SecondFactor.get(user_id)
            assert totp.match(row.secret, authenticator.code(), user_id=user_id)

    def test_again(self, rotation, enroll):
        """M3: repeating it writes nothing."""
        enroll("eve", OLD)
        rotation.rekey()
        before = SecondFactor.get("eve").secret
        outcome = rotation.rekey()

        assert (outcome.resealed, outcome.current) == (0, 1)
        assert SecondFactor.get("eve").secret == before

    def test_unreadable(self, rotation, enroll):
        """A secret whose key is missing is reported with user and key, and stays as it is."""
        enroll("john", GONE)
        enroll("eve", OLD)
        before = SecondFactor.get("john").secret
        outcome = rotation.rekey()

        assert outcome.resealed == 1
        assert [GONE_ID in reason and "john" in reason for reason in outcome.unreadable] == [True]
        assert SecondFactor.get("john").secret == before

    @pytest.mark.parametrize("limit", [1, 3, 7, 8])
    def test_pages(self, rotation, enroll, limit):
        """M3: a page has a bound, and the next one begins after it, until all have been read."""
        users = {f"user {number}" for number in range(7)}
        for user in users:
            enroll(user, OLD)
        after, pages = None, []
        while not pages or after:
            pages.append(rotation.rekey(after, limit=limit))
            after = pages[-1].after

        assert max(page.resealed for page in pages) <= limit
        assert sum(page.resealed for page in pages) == 7
        assert set(stored_keys().values()) == {NEW_ID}

    def test_continue_after_a_deleted_user(self, rotation, enroll):
        """M3: an interrupted run continues although the last user is gone."""
        for number in range(5):
            enroll(f"user {number}", OLD)
        first = rotation.rekey(limit=2)
        SecondFactor(first.after).delete()
        second = rotation.rekey(first.after)

        assert (first.resealed, second.resealed) == (2, 3)

    def test_changed_meanwhile(self, rotation, enroll, monkeypatch):
        """M3: a second factor that is replaced or deleted meanwhile keeps its new state."""
        for user in ("ada", "eve", "joan"):
            enroll(user, OLD)
        rows = list(SecondFactor.scan())
        enroll("ada", NEW)
        replaced = SecondFactor.get("ada").secret
        SecondFactor("eve").delete()
        monkeypatch.setattr(second_factor, "scan", lambda *_, **__: iter(rows))
        outcome = rotation.rekey()

        assert (outcome.resealed, outcome.changed) == (1, 2)
        assert SecondFactor.get("ada").secret == replaced
        assert stored_keys() == {"ada": NEW_ID, "joan": NEW_ID}

    def test_only_the_secret(self, rotation, enroll):
        """The other attributes of the row are kept."""
        enroll("ada", OLD)
        row = SecondFactor.get("ada")
        row.last_counter, row.recovery_digests = 7, {"a digest"}
        row.save()
        rotation.rekey()
        after = SecondFactor.get("ada")

        assert (after.last_counter, after.recovery_digests) == (7, {"a digest"})
        assert (after.created_at, after.enrollment_id) == (row.created_at, None)


class TestSigningKeys:
    def test_resealed(self, rotation):
        """M3: a key of access tokens needs the current secret key only, and stays the same."""
        pair = signing_keys(OLD).signer()
        before = [use.signing_keys for use in rotation.status()]
        outcome = rotation.rekey()
        again = rotation.rekey()

        assert before[:2] == [0, 1]
        assert (outcome.resealed, again.resealed, again.current) == (1, 0, 1)
        assert [use.signing_keys for use in rotation.status()][:2] == [1, 0]
        assert signing_keys(NEW).signer() == pair

    def test_missing_key(self, rotation):
        """A key whose secret key is missing is reported until it is revoked."""
        pair = signing_keys(GONE).signer()
        outcome = rotation.rekey()
        before = [(use.key, use.signing_keys) for use in rotation.status()]
        rotation.signing_keys.revoke(pair.kid)

        assert [pair.kid in reason for reason in outcome.unreadable] == [True]
        assert (GONE_ID, 1) in before
        assert [use.signing_keys for use in rotation.status()] == [0, 0, 0]
