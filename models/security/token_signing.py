"""Signing of access tokens: key pairs, JWT and JWK (RFC 7515, 7517, 7519, 7638, 9068).

The only module that imports `joserfc`.
"""

import base64
import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any

import orjson
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey
from joserfc.jws import default_registry

# RFC 9068, 2.1: no other kind of JWT counts as an access token.
_TYPE = "at+jwt"
_RSA_BITS = 2048
# NIST SP 800-57, part 1, 5.6.1; with more bits a signature takes many times as long.
_ACCEPTED_RSA_BITS = range(2048, 4097)
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
        kid: The ID of the key: its thumbprint (RFC 7638), unless it was given another one.
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
    def from_jwk(cls, values: Mapping[str, Any]) -> "KeyPair":
        """Return the key pair of a private JWK (RFC 7517).

        Raises:
            ValueError: It is not one that this service signs with. The text has no part of it.
        """
        if values.get("kty") not in list(_KINDS):
            raise ValueError("is neither an RSA nor an EC key")
        kind, algorithm, parameters = _KINDS[values["kty"]]
        if values.get("alg", algorithm) != algorithm:
            raise ValueError(f"has another algorithm than {algorithm}, which keys of its kind have")
        if "d" not in values:
            raise ValueError("is a public key; the private one is needed")
        try:
            # joserfc warns of the RSA keys that are rejected below.
            with warnings.catch_warnings(action="ignore"):
                key = kind.import_key({name: values[name] for name in parameters if name in values})
        except (JoseError, ValueError, TypeError, KeyError, AttributeError):
            # From None: the error may show a parameter.
            raise ValueError("is damaged: its parameters do not belong together") from None
        if isinstance(key, ECKey) and key.curve_name != "P-256":
            raise ValueError("is on another curve than P-256")
        if isinstance(key, RSAKey) and key.raw_value.key_size not in _ACCEPTED_RSA_BITS:
            raise ValueError(f"has {key.raw_value.key_size} bits instead of 2048 to 4096")
        pair = cls(values.get("kid", key.thumbprint()), algorithm, key)
        if not pair._is_consistent():
            raise ValueError("is damaged: its public and private parts do not belong together")
        return pair

    @property
    def thumbprint(self) -> str:
        """The thumbprint of the public key (RFC 7638)."""
        return self._key.thumbprint()

    @classmethod
    def _of(cls, key: Any, algorithm: TokenAlgorithm) -> "KeyPair":
        return cls(key.thumbprint(), algorithm, key)

    def secret(self) -> bytes:
        """Return the private key as a JWK, to be sealed or written into a file."""
        return orjson.dumps({**self._key.as_dict(private=True), "alg": self.algorithm})

    def public_jwk(self) -> dict[str, Any]:
        """Return the public key for a JWKS."""
        public = self._key.as_dict(private=False)
        return {**public, "kid": self.kid, "use": "sig", "alg": self.algorithm.value}

    def sign(self, claims: Mapping[str, Any]) -> str:
        """Return an access token with these claims."""
        # RFC 7515, 7.1. `jwt.encode` checks and encodes the header again for each token.
        signed = self._header + b"." + _encoded(orjson.dumps(claims))
        signature = default_registry.get_alg(self.algorithm.value).sign(signed, self._key)
        return (signed + b"." + _encoded(signature)).decode()

    @cached_property
    def _header(self) -> bytes:
        """The header of all tokens of this key."""
        header = {"alg": self.algorithm.value, "typ": _TYPE, "kid": self.kid}
        return _encoded(orjson.dumps(header))

    def _is_consistent(self) -> bool:
        """Return whether the public part, which verifiers get, verifies what the private signs."""
        public = type(self._key).import_key(self._key.as_dict(private=False))
        return KeyPair(self.kid, self.algorithm, public).verify(self.sign({})) == {}

    def verify(self, token: str) -> dict[str, Any] | None:
        """Return the claims of a token that this key has signed, None for any other text."""
        if _header_of(token) != {"alg": self.algorithm.value, "typ": _TYPE, "kid": self.kid}:
            return None
        try:
            return jwt.decode(token, self._key, [self.algorithm.value]).claims
        except (JoseError, ValueError):
            return None


# By `kty`: the class, the algorithm, and the parameters that make the key.
_KINDS: Mapping[str, tuple[type[RSAKey] | type[ECKey], TokenAlgorithm, Sequence[str]]] = {
    "RSA": (RSAKey, TokenAlgorithm.RS256, ("kty", "n", "e", "d", "p", "q", "dp", "dq", "qi")),
    "EC": (ECKey, TokenAlgorithm.ES256, ("kty", "crv", "x", "y", "d")),
}


def _encoded(value: bytes) -> bytes:
    return base64.urlsafe_b64encode(value).rstrip(b"=")


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
