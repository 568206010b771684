"""Keys of access tokens: which one signs, which ones verify, rotation and revocation.

All processes agree by the clock, without messages to each other: a new key is published a day
before it signs, so that every process and every verifier has it by then.
"""

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from flask_pynamodb import is_unavailable
from models.clock import now
from models.db import db
from models.errors import SigningKeyNotFound, TooManyConflicts, UnreadableSecret
from models.security.secret_keys import Sealer, SecretKeys, key_id_of
from models.security.token_signing import KeyPair, TokenAlgorithm
from models.services.background import Background
from models.tables.signing_key import ACCESS_TOKENS, SigningKey, keys_in, seq_of

log = logging.getLogger(__name__)

# A process reads the keys at most this often.
REREAD = timedelta(seconds=60)
# And this often where a token names an unknown key.
_UNKNOWN_REREAD = timedelta(seconds=5)
# The age of the newest key at which another one is created.
ROTATION = timedelta(days=89)
# How long a new key is published before it signs.
ADVANCE = timedelta(hours=24)
MAX_TOKEN_LIFETIME = timedelta(hours=1)
# How long a key is published after the last token that it can have signed has expired. Other
# processes may sign with it for `REREAD` after a revocation, and clocks differ.
_MARGIN = timedelta(hours=1)
# Attempts to create a key while other processes create some.
_MAX_ATTEMPTS = 5
# Deletions of keys in one transaction.
_MAX_DELETIONS = 20


class SigningKeyState(StrEnum):
    """The use of a key."""

    # Published; signs later.
    WAITING = "waiting"
    SIGNING = "signing"
    # Published until the tokens that it has signed have expired.
    VERIFYING = "verifying"
    # No longer published.
    RETIRED = "retired"
    REVOKED = "revoked"
    # Sealed with a secret key that is not configured, or not written by this service.
    UNREADABLE = "unreadable"


@dataclass(frozen=True)
class SigningKeyStatus:
    """A key and its use now.

    Attributes:
        kid: The ID of the key.
        algorithm: How it signs.
        state: Its use.
        created_at: When it was created.
        signs_from: From when it signs.
    """

    kid: str | None
    algorithm: str | None
    state: SigningKeyState
    created_at: datetime | None
    signs_from: datetime | None


@dataclass
class ResealedKeys:
    """The outcome of sealing the keys again.

    Attributes:
        resealed: How many were sealed again.
        current: How many the current secret key had sealed already.
        changed: How many changed meanwhile.
        unreadable: The reason for each that could not be opened.
    """

    resealed: int = 0
    current: int = 0
    changed: int = 0
    unreadable: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Key:
    """A row, and the key pair that was sealed in it; None if it cannot be opened."""

    row: SigningKey
    pair: KeyPair | None

    @property
    def is_usable(self) -> bool:
        return self.pair is not None and self.row.revoked_at is None

    @property
    def is_in_turn(self) -> bool:
        """Whether older keys stop signing when this one begins: not if it was revoked before."""
        revoked_at = self.row.revoked_at
        return self.pair is not None and (revoked_at is None or revoked_at > self.row.signs_from)


@dataclass(frozen=True)
class _Ring:
    """All keys as read at one time, the oldest first."""

    read_at: datetime
    keys: Sequence[_Key]

    @property
    def next_number(self) -> int:
        """The number of the next key: the first free one after the newest key of this service."""
        taken = {key.row.number for key in self.keys}
        number = max((key.row.number for key in self.keys if key.pair), default=0) + 1
        while number in taken:
            number += 1
        return number

    def usable(self) -> list[_Key]:
        return [key for key in self.keys if key.is_usable]

    def signer(self, at: datetime) -> _Key | None:
        """Return the newest key whose time to sign has come."""
        usable = self.usable()
        begun = [key for key in usable if key.row.signs_from <= at]
        # Without one, the clock of this host is behind that of the host that created the first.
        return begun[-1] if begun else min(usable, key=_start, default=None)

    def state(self, key: _Key, at: datetime) -> SigningKeyState:
        if key.row.revoked_at is not None:
            return SigningKeyState.REVOKED
        if key.pair is None:
            return SigningKeyState.UNREADABLE
        if key is self.signer(at):
            return SigningKeyState.SIGNING
        newer = [each for each in self.keys if each.row.number > key.row.number and each.is_in_turn]
        ends_at = min((each.row.signs_from for each in newer), default=None)
        if ends_at is None or ends_at > at:
            return SigningKeyState.WAITING
        is_needed = at < ends_at + MAX_TOKEN_LIFETIME + _MARGIN
        return SigningKeyState.VERIFYING if is_needed else SigningKeyState.RETIRED

    def is_obsolete(self, key: _Key, at: datetime) -> bool:
        """Return whether a key has left for good, or was revoked long ago."""
        revoked_at = key.row.revoked_at
        if revoked_at is not None:
            return bool(at - revoked_at >= ROTATION)
        return self.state(key, at) is SigningKeyState.RETIRED

    def published(self, at: datetime) -> list[KeyPair]:
        hidden = (SigningKeyState.REVOKED, SigningKeyState.UNREADABLE, SigningKeyState.RETIRED)
        return [key.pair for key in self.keys if key.pair and self.state(key, at) not in hidden]

    def needs_rotation(self, at: datetime, algorithm: TokenAlgorithm) -> bool:
        """Return whether the newest key is too old, or signs and has another algorithm."""
        newest = self.usable()[-1:]
        return any(
            at - key.row.created_at >= ROTATION
            or (key.row.alg != algorithm and key.row.signs_from <= at)
            for key in newest
        )


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
        self._sealer = Sealer(SecretKeys(secret_keys), "signing keys")
        self._algorithm = algorithm
        self._background = background
        self._clock = clock
        self._lock = threading.Lock()
        self._ring: _Ring | None = None

    def signer(self) -> KeyPair:
        """Return the key that signs now; the first one is created."""
        at = self._clock()
        key = self._current().signer(at) or self._create_first().signer(at)
        assert key is not None and key.pair is not None  # nosec B101 - for the type checker
        return key.pair

    def published(self) -> list[KeyPair]:
        """Return the keys that verify tokens now, and those that will sign."""
        self.signer()
        return self._current().published(self._clock())

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
        ring, at = self._read(), self._clock()
        return [
            SigningKeyStatus(
                key.row.kid,
                key.row.alg,
                ring.state(key, at),
                key.row.created_at,
                key.row.signs_from,
            )
            for key in ring.keys
        ]

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
            self._add(self._read(), delay=ADVANCE)
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
            self._add(ring, revoked=valid, creates=is_signing)
        raise TooManyConflicts

    def forget(self) -> None:
        """Read the keys again at their next use."""
        self._ring = None

    def sealed_with(self) -> list[str]:
        """Return the ID of the secret key for each key that is not revoked."""
        return [
            key_id_of(key.row.sealed or "") or "unknown form"
            for key in self._read().keys
            if key.row.revoked_at is None
        ]

    def reseal(self) -> ResealedKeys:
        """Seal the keys that are not revoked with the current secret key."""
        outcome = ResealedKeys()
        for key in self._read().keys:
            if key.row.revoked_at is not None:
                continue
            if key.pair is None:
                outcome.unreadable.append(
                    f"the signing key {key.row.kid} is unreadable; `roster keys revoke` it"
                )
            elif key_id_of(key.row.sealed) == self._sealer.key_ids[0]:
                outcome.current += 1
            elif self._reseal(key.row, key.pair):
                outcome.resealed += 1
            else:
                outcome.changed += 1
        return outcome

    def _reseal(self, row: SigningKey, pair: KeyPair) -> bool:
        """Store a key that was sealed again; return whether the stored one was still the same."""
        sealed = self._sealer.seal(pair.secret(), row.owner)
        try:
            with db.transaction() as transaction:
                transaction.update(
                    row,
                    [SigningKey.sealed.set(sealed)],
                    SigningKey.sealed == row.sealed,
                    otherwise=_Taken(),
                )
        except _Taken:
            return False
        return True

    def _current(self, max_age: timedelta = REREAD) -> _Ring:
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

    def _reread(self, ring: _Ring | None) -> _Ring:
        try:
            ring = self._read()
        except Exception as error:
            if ring is None or not is_unavailable(error):
                raise
            log.warning("the signing keys could not be read again: %s", error)
            self._ring = ring = _Ring(self._clock(), ring.keys)
        if ring.needs_rotation(self._clock(), self._algorithm):
            self._background.submit(
                "signing keys", lambda _: self._rotate_if_needed(), is_essential=True
            )
        return ring

    def _read(self) -> _Ring:
        """Read the keys, strongly consistent, and keep them in memory."""
        before = self._ring.keys if self._ring else ()
        # Opening a key takes a millisecond, and its row does not change but for `revoked_at`.
        known = {_place(key.row): key.pair for key in before}
        keys = []
        for row in keys_in(ACCESS_TOKENS):
            place = _place(row)
            keys.append(_Key(row, known[place] if place in known else self._open(row)))
        self._ring = ring = _Ring(self._clock(), keys)
        return ring

    def _open(self, row: SigningKey) -> KeyPair | None:
        try:
            if not row.is_complete:
                raise UnreadableSecret("it lacks fields")
            return KeyPair.load(self._sealer.open(row.sealed, row.owner))
        except (UnreadableSecret, ValueError) as error:
            # A value error: a later version has sealed it, with an algorithm that is unknown here.
            log.error("the signing key %s is not used: %s", row.kid, error)
            return None

    def _create_first(self) -> _Ring:
        with self._lock:
            for _ in range(_MAX_ATTEMPTS):
                ring = self._ring or self._read()
                if ring.usable():
                    return ring
                self._add(ring, delay=timedelta(0))
        raise TooManyConflicts

    def _rotate_if_needed(self) -> None:
        ring = self._read()
        if ring.needs_rotation(self._clock(), self._algorithm):
            self._add(ring, delay=ADVANCE)

    def _add(
        self,
        ring: _Ring,
        *,
        delay: timedelta = timedelta(0),
        revoked: Sequence[_Key] = (),
        creates: bool = True,
    ) -> None:
        """Write a new key with the next number unless another process has, and revoke others.

        Nothing is written if the number is taken. The keys are read again in any case.

        Args:
            ring: The keys as read.
            delay: How long the new key waits before it signs.
            revoked: Keys to revoke.
            creates: Whether a key is created.
        """
        at = self._clock()
        obsolete = [key for key in ring.keys if ring.is_obsolete(key, at)]
        try:
            with db.transaction() as transaction:
                for key in revoked:
                    transaction.update(
                        key.row,
                        [SigningKey.revoked_at.set(at)],
                        SigningKey.revoked_at.does_not_exist() & SigningKey.seq.exists(),
                        otherwise=_Taken(),
                    )
                if creates:
                    row = self._new_row(ring.next_number, at, at + delay)
                    transaction.save(row, SigningKey.seq.does_not_exist(), otherwise=_Taken())
                    for key in obsolete[:_MAX_DELETIONS]:
                        if key not in revoked:
                            transaction.delete(key.row)
        except _Taken:
            log.info("another process has changed the signing keys")
        self._read()

    def _new_row(self, number: int, created_at: datetime, signs_from: datetime) -> SigningKey:
        pair = KeyPair.generate(self._algorithm)
        row = SigningKey(
            ring=ACCESS_TOKENS,
            seq=seq_of(number),
            kid=pair.kid,
            alg=pair.algorithm,
            created_at=created_at,
            signs_from=signs_from,
        )
        row.sealed = self._sealer.seal(pair.secret(), row.owner)
        return row


class _Taken(Exception):
    """Another process has changed the keys since they were read."""


def _place(row: SigningKey) -> tuple[str, str] | None:
    """Return what a sealed key is bound to, and the sealed key; None for an incomplete row."""
    return (row.owner, row.sealed) if row.is_complete else None


def _with_id(kid: str, pairs: Sequence[KeyPair]) -> KeyPair | None:
    return next((pair for pair in pairs if pair.kid == kid), None)


def _start(key: _Key) -> datetime:
    return key.row.signs_from
