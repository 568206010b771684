"""Idempotency keys: recognize a repeated request, and derive the secret that it shows again.

No secret is stored. It follows from a key of the service, from the request with the key that its
client chose, and from random bytes that are stored for as long as a repeat is recognized.
"""

import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from models.security.secret_keys import SecretKeys


@dataclass
class IdempotentRequest:
    """A request whose client may send it again.

    Attributes:
        key: The key that the client chose.
        operation: The ID of the operation.
        caller_id: The user or the client that makes it, None for a caller who is not signed in.
        target: The ID of what it changes, empty if it changes nothing that exists.
        body: The fields of the body.
        is_replayed: Set once an earlier request turns out to have done it.
    """

    key: str = field(repr=False)
    operation: str
    caller_id: str | None
    body: Mapping[str, Any] = field(repr=False)
    target: str = ""
    is_replayed: bool = False


@dataclass(frozen=True)
class RequestDigests:
    """The stored digests of a request, which reveal neither its key nor its body.

    Attributes:
        key_id: The ID of the secret key that the digests are made with.
        request: Identifies the request.
        body: Equal for the same body only.
    """

    key_id: str
    request: str
    body: str


class IdempotencyKeys:
    """Makes digests of requests and the secrets that they create.

    Args:
        secret_keys: The first key makes new secrets; requests are recognized by each of them.
    """

    def __init__(self, secret_keys: SecretKeys) -> None:
        keys = secret_keys.derive("idempotency")
        self._keys = dict(zip(secret_keys.ids, keys, strict=True))

    @property
    def current_id(self) -> str:
        """The ID of the key that makes new secrets."""
        return next(iter(self._keys))

    def digests(self, request: IdempotentRequest) -> list[RequestDigests]:
        """Return the digests of a request with each key, those of the current key first."""
        return [
            RequestDigests(
                id,
                _mac(key, "request", *_identity(request)).hex(),
                # The key of the client is part of it: it is not stored, so that not even a holder
                # of the secret key can guess passwords by this digest.
                _mac(key, "body", *_identity(request), request.body).hex(),
            )
            for id, key in self._keys.items()
        ]

    def secret(
        self, request: IdempotentRequest, nonce: str, key_id: str, size: int
    ) -> bytes | None:
        """Return the random bytes of the secret that a request creates, the same ones each time.

        Args:
            request: The request.
            nonce: The stored random bytes, as text: with others the secret is another one.
            key_id: The ID of the key that made the secret.
            size: The number of bytes, at most 32.

        Returns:
            None if the key is no longer configured.
        """
        if key_id not in self._keys:
            return None
        return _mac(self._keys[key_id], "secret", *_identity(request), nonce)[:size]


def _identity(request: IdempotentRequest) -> tuple[Any, ...]:
    """Return what tells a request from others.

    Callers who are not signed in cannot be told apart. For them the body is part of it, so that
    none is affected by the key of another.
    """
    body = request.body if request.caller_id is None else None
    return (request.operation, request.caller_id, request.target, request.key, body)


def _mac(key: bytes, use: str, *values: Any) -> bytes:
    """Return the HMAC of values in one unambiguous form: JSON with sorted names."""
    message = json.dumps([use, *values], sort_keys=True, separators=(",", ":"))
    return hmac.digest(key, message.encode(), "sha256")
