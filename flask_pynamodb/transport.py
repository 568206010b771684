"""The HTTP client of an app's requests: curl if it is installed, else botocore's."""

from collections.abc import Mapping
from typing import Any

from flask_pynamodb.errors import ConfigurationError

try:
    from flask_pynamodb.curl import CurlClient
except ImportError:
    # pycurl, orjson and certifi are an extra of the extension's own distribution.
    CurlClient = None  # type: ignore[assignment,misc]

TRANSPORTS = ("curl", "botocore")
DEFAULT_TRANSPORT = "curl" if CurlClient is not None else "botocore"
# Accepted for one more release; see the changelog.
_FORMER_NAMES = {"lean": "curl"}


def current_name(transport: str) -> str:
    """Return the current name of a transport; 0.4 called `curl` `lean`."""
    return _FORMER_NAMES.get(transport, transport)


def client_for(
    transport: str,
    client: Any,
    *,
    extra_headers: Mapping[str, str] | None,
    deadline_seconds: float | None,
) -> Any:
    """Return the client that sends PynamoDB's requests.

    Args:
        transport: One of `TRANSPORTS`.
        client: A botocore client, for the operations that the curl client does not have.
        extra_headers: Sent with each request.
        deadline_seconds: The deadline of one call with all its attempts; the curl client has one.

    Raises:
        ConfigurationError: The transport is `curl` and is not installed.
    """
    if transport == "botocore":
        return client
    if CurlClient is None:
        raise ConfigurationError(
            'DYNAMODB_TRANSPORT is "curl", which needs pycurl, orjson and certifi:'
            " pip install flask-pynamodb-models[curl]."
        )
    return CurlClient(client, extra_headers=extra_headers, deadline_seconds=deadline_seconds)
