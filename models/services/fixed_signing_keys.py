"""Keys of access tokens that an operator keeps in a file: neither the clock nor a table decides."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from models.errors import FixedSigningKeysChange
from models.security.token_signing import KeyPair
from models.services.signing_key_ring import SigningKeyState, SigningKeyStatus
from models.services.signing_key_store import ResealedKeys


class SigningKeySource(Protocol):
    """Where the keys of access tokens are from."""

    def signer(self) -> KeyPair:
        """Return the key that signs now."""

    def published(self) -> Sequence[KeyPair]:
        """Return the keys that verify tokens now, and those that will sign."""

    def find(self, kid: str) -> KeyPair | None:
        """Return the published key with this ID."""

    def status(self) -> list[SigningKeyStatus]:
        """Return all keys."""

    def signer_created_at(self) -> datetime | None:
        """Return when the key that signs was created, None if that is not known."""

    def rotate(self) -> SigningKeyStatus:
        """Create the next key, and return it."""

    def revoke(self, kid: str) -> None:
        """Revoke a key."""

    def forget(self) -> None:
        """Drop what is kept in memory of stored keys."""

    def sealed_with(self) -> list[str]:
        """Return the ID of the secret key for each key that is stored."""

    def reseal(self) -> ResealedKeys:
        """Seal the keys that are stored with the current secret key."""


class FixedSigningKeys:
    """Keys that do not change while the process runs, and are never stored.

    Args:
        pairs: The first one signs, all of them are published.
    """

    def __init__(self, pairs: Sequence[KeyPair]) -> None:
        self._pairs = tuple(pairs)
        self._by_id = {pair.kid: pair for pair in pairs}

    def signer(self) -> KeyPair:
        """Return the first key."""
        return self._pairs[0]

    def published(self) -> Sequence[KeyPair]:
        """Return all keys."""
        return self._pairs

    def find(self, kid: str) -> KeyPair | None:
        """Return the key with this ID."""
        return self._by_id.get(kid)

    def status(self) -> list[SigningKeyStatus]:
        """Return all keys; whether the other ones have signed or will sign is not known."""
        return [
            SigningKeyStatus(
                pair.kid,
                pair.algorithm,
                SigningKeyState.PUBLISHED if number else SigningKeyState.SIGNING,
                None,
                None,
            )
            for number, pair in enumerate(self._pairs)
        ]

    def signer_created_at(self) -> datetime | None:
        """Return None: the file does not say when its keys were created."""
        return None

    def rotate(self) -> SigningKeyStatus:
        """Reject it: only the file is changed.

        Raises:
            FixedSigningKeysChange: Always.
        """
        raise FixedSigningKeysChange(
            "put a new key at the end of the file on every host and restart them, then move it to"
            " the front after 10 minutes, and remove the old one after 2 hours, with a restart each"
        )

    def revoke(self, kid: str) -> None:
        """Reject it: only the file is changed.

        Raises:
            FixedSigningKeysChange: Always.
        """
        raise FixedSigningKeysChange(
            "remove the key from the file on every host and restart them; verifiers follow within"
            " 5 minutes"
        )

    def forget(self) -> None:
        """Do nothing: the file is read when the process starts."""

    def sealed_with(self) -> list[str]:
        """Return nothing: no key is stored."""
        return []

    def reseal(self) -> ResealedKeys:
        """Do nothing: no key is stored."""
        return ResealedKeys()
