"""Signing of access tokens: key pairs, JWT and JWK (RFC 7515, 7517, 7519, 7638, 9068).

The only module that imports `joserfc`.
"""

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import orjson
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

# RFC 9068, 2.1: no other kind of JWT counts as an access token.
_TYPE = "at+jwt"
_RSA_BITS = 2048
# A token of this service has 1 KB at most.
_MAX_TOKEN_LENGTH = 4096
_MAX_HEADER_LENGTH = 256
_SEGMENTS = re.compile(r"([A-Za-z0-9_-]+)\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")


class TokenAlgorithm(StrEnum):
    """How access tokens are signed."""

    RS256 = "RS256"
    ES256 = "ES256"


@dataclass(frozen=True)
class KeyPair:
    """A key pair that signs access tokens.

    Attributes:
        kid: The ID of the key: its thumbprint (RFC 7638).
        algorithm: The algorithm, which no token can choose.
    """

    kid: str
    algorithm: TokenAlgorithm
    _key: RSAKey | ECKey = field(repr=False, compare=False)

    @classmethod
    def generate(cls, algorithm: TokenAlgorithm) -> "KeyPair":
        """Return a new key pair. RSA takes up to a second of processor time."""
        if algorithm is TokenAlgorithm.ES256:
            return cls._of(ECKey.generate_key("P-256"), algorithm)
        return cls._of(RSAKey.generate_key(_RSA_BITS), algorithm)

    @classmethod
    def load(cls, secret: bytes) -> "KeyPair":
        """Return the key pair that `secret` has returned."""
        values = orjson.loads(secret)
        algorithm = TokenAlgorithm(values.pop("alg"))
        kind = ECKey if algorithm is TokenAlgorithm.ES256 else RSAKey
        return cls._of(kind.import_key(values), algorithm)

    @classmethod
    def _of(cls, key: Any, algorithm: TokenAlgorithm) -> "KeyPair":
        return cls(key.thumbprint(), algorithm, key)

    def secret(self) -> bytes:
        """Return the private key, to be sealed."""
        return orjson.dumps({**self._key.as_dict(private=True), "alg": self.algorithm})

    def public_jwk(self) -> dict[str, Any]:
        """Return the public key for a JWKS."""
        public = self._key.as_dict(private=False)
        return {**public, "kid": self.kid, "use": "sig", "alg": self.algorithm.value}

    def sign(self, claims: Mapping[str, Any]) -> str:
        """Return an access token with these claims."""
        header = {"alg": self.algorithm.value, "typ": _TYPE, "kid": self.kid}
        return jwt.encode(header, dict(claims), self._key, [self.algorithm.value])

    def verify(self, token: str) -> dict[str, Any] | None:
        """Return the claims of a token that this key has signed, None for any other text."""
        if _header_of(token) != {"alg": self.algorithm.value, "typ": _TYPE, "kid": self.kid}:
            return None
        try:
            return jwt.decode(token, self._key, [self.algorithm.value]).claims
        except (JoseError, ValueError):
            return None


def signed_with(token: str) -> str | None:
    """Return the ID of the key that a token names, None for a text that is no access token."""
    header = _header_of(token)
    kid = header.get("kid") if header else None
    return kid if isinstance(kid, str) else None


def _header_of(token: str) -> dict[str, Any] | None:
    match = _SEGMENTS.fullmatch(token) if len(token) <= _MAX_TOKEN_LENGTH else None
    if match is None or len(match[1]) > _MAX_HEADER_LENGTH:
        return None
    try:
        header = orjson.loads(base64.urlsafe_b64decode(match[1] + "=" * (-len(match[1]) % 4)))
    except ValueError:
        return None
    return header if isinstance(header, dict) else None
