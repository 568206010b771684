"""Which wire carries the requests: the lean one where its HTTP client is installed."""

from collections.abc import Mapping
from typing import Any

from flask_pynamodb.errors import ConfigurationError

try:
    from flask_pynamodb.curl import LeanClient
except ImportError:
    # pycurl, orjson and certifi are an extra of the extension's own distribution.
    LeanClient = None  # type: ignore[assignment,misc]

TRANSPORTS = ("lean", "botocore")
DEFAULT_TRANSPORT = "lean" if LeanClient is not None else "botocore"


def client_for(
    transport: str,
    client: Any,
    *,
    extra_headers: Mapping[str, str] | None,
    deadline_seconds: float | None,
) -> Any:
    """The client that sends what PynamoDB asks for.

    Args:
        transport: One of `TRANSPORTS`.
        client: A botocore client; it makes the calls that the lean one does not.
        extra_headers: Sent with each request.
        deadline_seconds: What one call may take with all its tries; the lean transport keeps it.

    Raises:
        ConfigurationError: The lean transport was asked for and is not installed.
    """
    if transport == "botocore":
        return client
    if LeanClient is None:
        raise ConfigurationError(
            'DYNAMODB_TRANSPORT is "lean", which needs pycurl, orjson and certifi:'
            " pip install flask-pynamodb-models[lean]."
        )
    return LeanClient(client, extra_headers=extra_headers, deadline_seconds=deadline_seconds)
