"""Secret tokens: the user's ID and 192 random bits, of which only a digest is stored."""

import base64
import hashlib
import secrets
from uuid import UUID

# ASVS 7.2.3 and 11.5.1 require 128 bits from a CSPRNG; the user's ID in front does not count.
RANDOM_BYTES = 24
_ID_BYTES = 16
_TOKEN_BYTES = _ID_BYTES + RANDOM_BYTES


def make(prefix: str, user_id: str, random: bytes | None = None) -> str:
    """Return a new token of a user.

    Args:
        prefix: Names its kind.
        user_id: The user.
        random: `RANDOM_BYTES` bytes that cannot be guessed, for a token that can be made again;
            None for new ones.
    """
    raw = UUID(user_id).bytes + (random or secrets.token_bytes(RANDOM_BYTES))
    return prefix + base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def digest(token: str) -> str:
    """Return the digest that a token is stored and looked up by: tokens are never compared."""
    # A fast hash is enough for 192 random bits (ASVS 6.5.2).
    return hashlib.sha256(token.encode()).hexdigest()


def user_id_of(prefix: str, token: str) -> str | None:
    """Return the ID of the user in a token, or None if it is no token of this kind."""
    if not token.startswith(prefix) or not token.isascii():
        return None
    try:
        raw = base64.b64decode(token[len(prefix) :] + "==", altchars=b"-_", validate=True)
    except ValueError:
        return None
    return str(UUID(bytes=raw[:_ID_BYTES])) if len(raw) == _TOKEN_BYTES else None
