"""Keys of access tokens in the database: read and open them, write new ones, seal them again."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from models.db import db
from models.errors import UnreadableSecret
from models.security.secret_keys import Sealer, SecretKeys, key_id_of
from models.security.token_signing import KeyPair, TokenAlgorithm
from models.services.signing_key_ring import Ring, RingKey
from models.tables.signing_key import ACCESS_TOKENS, SigningKey, keys_in, seq_of

log = logging.getLogger(__name__)

# Deletions of keys in one transaction.
_MAX_DELETIONS = 20


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


class SigningKeyStore:
    """The rows of the keys, and the key pairs that are sealed in them.

    Args:
        secret_keys: The first one seals new keys, all of them open.
        algorithm: How new keys sign.
    """

    def __init__(self, secret_keys: Sequence[str], algorithm: TokenAlgorithm) -> None:
        self._sealer = Sealer(SecretKeys(secret_keys), "signing keys")
        self._algorithm = algorithm

    def read(self, known: Sequence[RingKey] = ()) -> list[RingKey]:
        """Return the keys, the oldest first; strongly consistent.

        Args:
            known: The keys as read before, which are not opened again.
        """
        # Opening a key takes a millisecond, and its row does not change but for `revoked_at`.
        opened = {_place(key.row): key.pair for key in known}
        keys = []
        for row in keys_in(ACCESS_TOKENS):
            place = _place(row)
            keys.append(RingKey(row, opened[place] if place in opened else self._open(row)))
        return keys

    def write(
        self,
        ring: Ring,
        at: datetime,
        *,
        delay: timedelta = timedelta(0),
        revoked: Sequence[RingKey] = (),
        creates: bool = True,
    ) -> None:
        """Write a new key with the next number unless another process has, and revoke others.

        Nothing is written if the number is taken.

        Args:
            ring: The keys as read.
            at: The time now.
            delay: How long the new key waits before it signs.
            revoked: Keys to revoke.
            creates: Whether a key is created.
        """
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

    def sealed_with(self, keys: Sequence[RingKey]) -> list[str]:
        """Return the ID of the secret key for each key that is not revoked."""
        return [
            key_id_of(key.row.sealed or "") or "unknown form"
            for key in keys
            if key.row.revoked_at is None
        ]

    def reseal(self, keys: Sequence[RingKey]) -> ResealedKeys:
        """Seal the keys that are not revoked with the current secret key."""
        outcome = ResealedKeys()
        for key in keys:
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

    def _open(self, row: SigningKey) -> KeyPair | None:
        try:
            if not row.is_complete:
                raise UnreadableSecret("it lacks fields")
            return KeyPair.load(self._sealer.open(row.sealed, row.owner))
        except (UnreadableSecret, ValueError) as error:
            # A value error: a later version has sealed it, with an algorithm that is unknown here.
            log.error("the signing key %s is not used: %s", row.kid, error)
            return None

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
