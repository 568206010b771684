"""Secret tokens: whose they are and 192 random bits, of which only a digest is ever stored."""

import base64
import hashlib
import secrets
from uuid import UUID

# ASVS 7.2.3 and 11.5.1 ask for 128 bits from a CSPRNG; the user's id, which comes first, does
# not count.
_RANDOM_BYTES = 24
_ID_BYTES = 16
_TOKEN_BYTES = _ID_BYTES + _RANDOM_BYTES


def make(prefix: str, user_id: str) -> str:
    """A fresh token of a user; the prefix says what kind it is."""
    raw = UUID(user_id).bytes + secrets.token_bytes(_RANDOM_BYTES)
    return prefix + base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def digest(token: str) -> str:
    """What is stored of a token, and what it is found by: nothing compares tokens."""
    # A fast hash will do: the token has 192 random bits (ASVS 6.5.2).
    return hashlib.sha256(token.encode()).hexdigest()


def user_id_of(prefix: str, token: str) -> str | None:
    """Whose token it would be, None if it is none of this kind."""
    if not token.startswith(prefix) or not token.isascii():
        return None
    try:
        raw = base64.b64decode(token[len(prefix) :] + "==", altchars=b"-_", validate=True)
    except ValueError:
        return None
    return str(UUID(bytes=raw[:_ID_BYTES])) if len(raw) == _TOKEN_BYTES else None
