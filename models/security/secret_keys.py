"""Secret keys: derive a key for each use, and seal values so that they name their key.

The only module that imports `cryptography`.
"""

import base64
import binascii
import re
import secrets
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from models.errors import UnreadableSecret

_KEY_BYTES = 32
_ID_BYTES = 4
# NIST SP 800-38D, 8.2.2: random nonces have 96 bits, and one key seals at most 2^32 values.
_NONCE_BYTES = 12
# The first part names the algorithm, so that another one can be added later (ASVS 11.2.2).
_VERSION = "v1"
_SEALED = re.compile(rf"{_VERSION}\.([0-9a-f]{{{2 * _ID_BYTES}}})\.([A-Za-z0-9_-]+)")


class SecretKeys:
    """The secret keys of the service. No key is used itself: each use has a derived one.

    Args:
        keys: The first key is current: it signs and seals. The others still verify and open.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        self._keys = [key.encode() for key in keys]

    @property
    def ids(self) -> list[str]:
        """The public IDs of the keys, the current one first."""
        return [key[:_ID_BYTES].hex() for key in self.derive("key id")]

    def derive(self, label: str) -> list[bytes]:
        """Return the keys of one use, the current one first (HKDF, RFC 5869).

        Args:
            label: The use. Keys of different labels reveal nothing about each other.
        """
        info = f"roster {label}".encode()
        return [HKDF(SHA256(), _KEY_BYTES, salt=None, info=info).derive(key) for key in self._keys]


def derive_bytes(secret: bytes, label: str, *, salt: str, size: int) -> bytes:
    """Return bytes that only a holder of a secret can compute, the same ones each time.

    Args:
        secret: Random bytes.
        label: The use. Bytes of different labels reveal nothing about each other.
        salt: What else has to be known.
        size: The number of bytes.
    """
    return HKDF(SHA256(), size, salt=salt.encode(), info=f"roster {label}".encode()).derive(secret)


class Sealer:
    """Encrypts and authenticates values at rest with AES-256-GCM.

    A sealed value is `v1.<key ID>.<nonce, ciphertext and tag in base64url>`. It is bound to its
    owner as associated data: copied to another row it cannot be opened.

    Args:
        keys: The current key seals, all of them open.
        label: The use of the values.
    """

    def __init__(self, keys: SecretKeys, label: str) -> None:
        self.key_ids = keys.ids
        self._ciphers = dict(zip(self.key_ids, map(AESGCM, keys.derive(label)), strict=True))

    def seal(self, value: bytes, owner: str) -> str:
        """Return a value that only a holder of the current key can read or write."""
        current = self.key_ids[0]
        nonce = secrets.token_bytes(_NONCE_BYTES)
        ciphertext = self._ciphers[current].encrypt(nonce, value, owner.encode())
        encoded = base64.urlsafe_b64encode(nonce + ciphertext).decode().rstrip("=")
        return f"{_VERSION}.{current}.{encoded}"

    def open(self, sealed: str, owner: str) -> bytes:
        """Return the value that was sealed for this owner.

        Raises:
            UnreadableSecret: It was sealed with another key or for another owner, or was changed.
        """
        key_id = key_id_of(sealed)
        if key_id not in self._ciphers:
            raise UnreadableSecret(
                f"it is sealed with the secret key {key_id}, which is not configured"
                if key_id
                else "it has no known form"
            )
        encoded = sealed.rpartition(".")[2]
        try:
            data = base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
            nonce, ciphertext = data[:_NONCE_BYTES], data[_NONCE_BYTES:]
            return self._ciphers[key_id].decrypt(nonce, ciphertext, owner.encode())
        except (InvalidTag, ValueError, binascii.Error):
            raise UnreadableSecret(
                f"it was not sealed with the secret key {key_id} for this owner, or was changed"
            ) from None


def key_id_of(sealed: str) -> str | None:
    """Return the ID of the key that a value names, None if it is not a sealed value."""
    match = _SEALED.fullmatch(sealed)
    return match and match[1]
