"""Keys of access tokens: kept in memory, rotated by the clock, revoked."""

import logging
import threading
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from flask_pynamodb import is_unavailable
from models.clock import now
from models.errors import SigningKeyNotFound, TooManyConflicts
from models.security.token_signing import KeyPair, TokenAlgorithm
from models.services.background import Background
from models.services.signing_key_ring import ADVANCE, Ring, SigningKeyState, SigningKeyStatus
from models.services.signing_key_store import ResealedKeys, SigningKeyStore

log = logging.getLogger(__name__)

# A process reads the keys at most this often.
REREAD = timedelta(seconds=60)
# And this often where a token names an unknown key.
_UNKNOWN_REREAD = timedelta(seconds=5)
# Attempts to create a key while other processes create some.
_MAX_ATTEMPTS = 5


class SigningKeys:
    """The keys of access tokens, kept in memory and read again after `REREAD`.

    Args:
        secret_keys: The first one seals new keys, all of them open.
        algorithm: How new keys sign.
        background: Creates keys outside of requests.
        clock: Returns the time that decides which key signs.
    """

    def __init__(
        self,
        secret_keys: Sequence[str],
        algorithm: TokenAlgorithm,
        background: Background,
        *,
        clock: Callable[[], datetime] = now,
    ) -> None:
        self._store = SigningKeyStore(secret_keys, algorithm)
        self._algorithm = algorithm
        self._background = background
        self._clock = clock
        self._lock = threading.Lock()
        self._ring: Ring | None = None
        self._published: tuple[Ring, int, list[KeyPair]] | None = None

    def signer(self) -> KeyPair:
        """Return the key that signs now; the first one is created."""
        at = self._clock()
        key = self._current().signer(at) or self._create_first().signer(at)
        assert key is not None and key.pair is not None  # nosec B101 - for the type checker
        return key.pair

    def published(self) -> list[KeyPair]:
        """Return the keys that verify tokens now, and those that will sign."""
        at, ring = self._clock(), self._current()
        known = self._published
        # Which keys these are changes with the keys as read, and at full seconds.
        if known is None or known[0] is not ring or known[1] != int(at.timestamp()):
            self.signer()
            ring = self._current()
            self._published = known = (ring, int(at.timestamp()), ring.published(at))
        return known[2]

    def find(self, kid: str) -> KeyPair | None:
        """Return the published key with this ID.

        For an unknown ID the keys are read again: another process may have created the first key,
        or replaced a revoked one. Requests with invented IDs cause a read in `_UNKNOWN_REREAD`.
        """
        found = _with_id(kid, self._current().published(self._clock()))
        if found is None:
            found = _with_id(kid, self._current(_UNKNOWN_REREAD).published(self._clock()))
        return found

    def status(self) -> list[SigningKeyStatus]:
        """Return all keys, the oldest first; strongly consistent."""
        return self._read().status(self._clock())

    def signer_created_at(self) -> datetime | None:
        """Return when the key that signs was created, as last read; None if no key was."""
        ring = self._ring
        key = ring and ring.signer(self._clock())
        return key.row.created_at if key else None

    def rotate(self) -> SigningKeyStatus:
        """Create a key that signs after `ADVANCE`, unless one is waiting already.

        Returns:
            The waiting key.

        Raises:
            TooManyConflicts: Other processes kept changing the keys.
        """
        self.signer()
        for _ in range(_MAX_ATTEMPTS):
            waiting = [each for each in self.status() if each.state is SigningKeyState.WAITING]
            if waiting:
                return waiting[-1]
            self._create(self._read(), delay=ADVANCE)
        raise TooManyConflicts

    def revoke(self, kid: str) -> None:
        """Revoke a key: it is no longer published, and signs nothing after `REREAD`.

        If it signs, another key takes its place at once.

        Args:
            kid: The ID of the key.

        Raises:
            SigningKeyNotFound: There is no key with this ID.
            TooManyConflicts: Other processes kept changing the keys.
        """
        for _ in range(_MAX_ATTEMPTS):
            ring, at = self._read(), self._clock()
            found = [key for key in ring.keys if key.row.kid == kid]
            if not found:
                raise SigningKeyNotFound
            valid = [key for key in found if key.row.revoked_at is None]
            if not valid:
                return
            is_signing = any(key is ring.signer(at) for key in valid)
            self._store.write(ring, at, revoked=valid, creates=is_signing)
            self._read()
        raise TooManyConflicts

    def forget(self) -> None:
        """Read the keys again at their next use."""
        self._ring = None

    def sealed_with(self) -> list[str]:
        """Return the ID of the secret key for each key that is not revoked."""
        return self._store.sealed_with(self._read().keys)

    def reseal(self) -> ResealedKeys:
        """Seal the keys that are not revoked with the current secret key."""
        return self._store.reseal(self._read().keys)

    def _current(self, max_age: timedelta = REREAD) -> Ring:
        ring = self._ring
        # The clock can be set back.
        if ring is not None and abs(self._clock() - ring.read_at) < max_age:
            return ring
        # While one thread reads, the others use the keys of before.
        if not self._lock.acquire(blocking=ring is None):
            assert ring is not None  # nosec B101 - for the type checker
            return ring
        try:
            if self._ring is not ring and self._ring is not None:
                return self._ring
            return self._reread(ring)
        finally:
            self._lock.release()

    def _reread(self, ring: Ring | None) -> Ring:
        try:
            ring = self._read()
        except Exception as error:
            if ring is None or not is_unavailable(error):
                raise
            log.warning("the signing keys could not be read again: %s", error)
            self._ring = ring = Ring(self._clock(), ring.keys)
        if ring.needs_rotation(self._clock(), self._algorithm):
            self._background.submit(
                "signing keys", lambda _: self._rotate_if_needed(), is_essential=True
            )
        return ring

    def _read(self) -> Ring:
        """Read the keys, strongly consistent, and keep them in memory."""
        known = self._ring.keys if self._ring else ()
        keys = self._store.read(known)
        self._ring = ring = Ring(self._clock(), keys)
        return ring

    def _create_first(self) -> Ring:
        with self._lock:
            for _ in range(_MAX_ATTEMPTS):
                ring = self._ring or self._read()
                if ring.usable():
                    return ring
                self._create(ring, delay=timedelta(0))
        raise TooManyConflicts

    def _rotate_if_needed(self) -> None:
        ring = self._read()
        if ring.needs_rotation(self._clock(), self._algorithm):
            self._create(ring, delay=ADVANCE)

    def _create(self, ring: Ring, *, delay: timedelta) -> None:
        """Create the next key unless another process has, and read the keys again."""
        self._store.write(ring, self._clock(), delay=delay)
        self._read()


def _with_id(kid: str, pairs: Sequence[KeyPair]) -> KeyPair | None:
    return next((pair for pair in pairs if pair.kid == kid), None)
