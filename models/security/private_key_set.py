"""Private key sets (JWKS, RFC 7517) that an operator keeps in a file."""

import re
from collections.abc import Mapping
from typing import Any

import orjson

from models.security.token_signing import KeyPair

# Every key is in each copy of the published keys.
_MAX_KEYS = 10
# It is in the header of each token.
_KEY_ID = re.compile(r"[!#-\[\]-~]{1,100}")


class InvalidKeySet(ValueError):
    """A text is not a private key set that can sign. Its own text has no part of the keys."""


def parse_private_keys(text: bytes | str) -> tuple[KeyPair, ...]:
    """Return the key pairs of a private key set, in their order.

    Raises:
        InvalidKeySet: It is not one, or a key in it is not accepted.
    """
    try:
        document = orjson.loads(text)
    except ValueError:
        # From None: the error has the text.
        raise InvalidKeySet("it is not JSON") from None
    found = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise InvalidKeySet('it is not a JWKS, as in {"keys": [...]}')
    if not 1 <= len(found) <= _MAX_KEYS:
        raise InvalidKeySet(f"it has {len(found)} keys instead of 1 to {_MAX_KEYS}")
    pairs = tuple(_parse_key(number, each) for number, each in enumerate(found, 1))
    for number, pair in enumerate(pairs):
        for other, earlier in enumerate(pairs[:number], 1):
            if pair.kid == earlier.kid:
                raise InvalidKeySet(f"key {number + 1} has the `kid` of key {other}")
            if pair.thumbprint == earlier.thumbprint:
                raise InvalidKeySet(f"key {number + 1} is the same as key {other}")
    return pairs


def _parse_key(number: int, values: Mapping[str, Any]) -> KeyPair:
    kid = values.get("kid")
    if kid is not None and not (isinstance(kid, str) and _KEY_ID.fullmatch(kid)):
        raise InvalidKeySet(
            f"the `kid` of key {number} is not 1 to 100 visible ASCII characters without quotes"
            " and backslashes"
        )
    if values.get("use", "sig") != "sig":
        raise InvalidKeySet(f"key {number} is not for signatures: its `use` is not sig")
    try:
        return KeyPair.from_jwk(values)
    except ValueError as error:
        raise InvalidKeySet(f"key {number} {error}") from None
