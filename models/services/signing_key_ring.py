"""Which key of access tokens signs and which ones verify, decided by the clock alone.

All processes agree without messages to each other: a new key is published a day before it signs, so
that every process and every verifier has it by then.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from models.security.token_signing import KeyPair, TokenAlgorithm
from models.tables.signing_key import SigningKey

# The age of the newest key at which another one is created.
ROTATION = timedelta(days=89)
# How long a new key is published before it signs.
ADVANCE = timedelta(hours=24)
MAX_TOKEN_LIFETIME = timedelta(hours=1)
# How long a key is published after the last token that it can have signed has expired. Other
# processes may sign with it for a minute after a revocation, and clocks differ.
_MARGIN = timedelta(hours=1)


class SigningKeyState(StrEnum):
    """The use of a key."""

    # Published; signs later.
    WAITING = "waiting"
    SIGNING = "signing"
    # Published; a key of a file, which does not say whether it has signed or will sign.
    PUBLISHED = "published"
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


@dataclass(frozen=True)
class RingKey:
    """A row, and the key pair that was sealed in it; None if it cannot be opened."""

    row: SigningKey
    pair: KeyPair | None

    @property
    def is_usable(self) -> bool:
        """Whether it can sign, now or later."""
        return self.pair is not None and self.row.revoked_at is None

    @property
    def is_in_turn(self) -> bool:
        """Whether older keys stop signing when this one begins: not if it was revoked before."""
        revoked_at = self.row.revoked_at
        return self.pair is not None and (revoked_at is None or revoked_at > self.row.signs_from)


@dataclass(frozen=True)
class Ring:
    """All keys as read at one time, the oldest first."""

    read_at: datetime
    keys: Sequence[RingKey]

    @property
    def next_number(self) -> int:
        """The number of the next key: the first free one after the newest key of this service."""
        taken = {key.row.number for key in self.keys}
        number = max((key.row.number for key in self.keys if key.pair), default=0) + 1
        while number in taken:
            number += 1
        return number

    def usable(self) -> list[RingKey]:
        """Return the keys that can sign, now or later."""
        return [key for key in self.keys if key.is_usable]

    def signer(self, at: datetime) -> RingKey | None:
        """Return the newest key whose time to sign has come."""
        usable = self.usable()
        begun = [key for key in usable if key.row.signs_from <= at]
        # Without one, the clock of this host is behind that of the host that created the first.
        return begun[-1] if begun else min(usable, key=_start, default=None)

    def state(self, key: RingKey, at: datetime) -> SigningKeyState:
        """Return the use of a key at a time."""
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

    def is_obsolete(self, key: RingKey, at: datetime) -> bool:
        """Return whether a key has left for good, or was revoked long ago."""
        revoked_at = key.row.revoked_at
        if revoked_at is not None:
            return bool(at - revoked_at >= ROTATION)
        return self.state(key, at) is SigningKeyState.RETIRED

    def published(self, at: datetime) -> list[KeyPair]:
        """Return the keys that verify tokens at a time, and those that will sign."""
        hidden = (SigningKeyState.REVOKED, SigningKeyState.UNREADABLE, SigningKeyState.RETIRED)
        return [key.pair for key in self.keys if key.pair and self.state(key, at) not in hidden]

    def status(self, at: datetime) -> list[SigningKeyStatus]:
        """Return all keys and their use at a time, the oldest first."""
        return [
            SigningKeyStatus(
                key.row.kid,
                key.row.alg,
                self.state(key, at),
                key.row.created_at,
                key.row.signs_from,
            )
            for key in self.keys
        ]

    def needs_rotation(self, at: datetime, algorithm: TokenAlgorithm) -> bool:
        """Return whether the newest key is too old, or signs and has another algorithm."""
        newest = self.usable()[-1:]
        return any(
            at - key.row.created_at >= ROTATION
            or (key.row.alg != algorithm and key.row.signs_from <= at)
            for key in newest
        )


def _start(key: RingKey) -> datetime:
    return key.row.signs_from
