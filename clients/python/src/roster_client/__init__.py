"""Client of Roster: typed functions for each operation, generated from its OpenAPI document.

The operations are in `roster_client.api`, their bodies in `roster_client.models`. Each takes a
client; `expect` returns its result or raises, and `each` reads all pages of a list.
"""

from .client import AuthenticatedClient, Client
from .errors import UnexpectedStatus
from .pages import each, each_async
from .results import ProblemError, expect
from .retries import Retries

__all__ = [
    "AuthenticatedClient",
    "Client",
    "ProblemError",
    "Retries",
    "UnexpectedStatus",
    "each",
    "each_async",
    "expect",
]
