"""The service of the keys that sign access tokens, for tests that are not about requests."""

from collections.abc import Callable
from datetime import datetime

from models import Background, SigningKeys, TokenAlgorithm
from models.clock import now


def signing_keys(*secret_keys: str, clock: Callable[[], datetime] = now) -> SigningKeys:
    """Return the service with secret keys, the current one first."""
    return SigningKeys(secret_keys, TokenAlgorithm.ES256, Background(), clock=clock)
