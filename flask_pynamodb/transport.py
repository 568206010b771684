"""The HTTP client of an app's requests: curl where it is safe, else botocore's."""

import contextlib
import logging
import os
import sys
from collections.abc import Mapping
from importlib import import_module
from typing import Any

from flask_pynamodb.errors import ConfigurationError
from flask_pynamodb.listeners import Listeners

CurlClient: Any = None
if hasattr(os, "register_at_fork"):
    # pycurl, orjson and certifi are an extra of the extension's own distribution.
    with contextlib.suppress(ImportError):
        from flask_pynamodb.curl import CurlClient

log = logging.getLogger("flask_pynamodb")

TRANSPORTS = ("auto", "curl", "botocore")
DEFAULT_TRANSPORT = "auto"
# Accepted for one more release; see the changelog.
FORMER_NAMES = {"lean": "curl"}
_OPENTELEMETRY = "opentelemetry.instrumentation.botocore"
_logged: set[str] = set()


def client_for(
    transport: str,
    client: Any,
    *,
    extra_headers: Mapping[str, str] | None,
    deadline_seconds: float | None,
    is_traced: bool = False,
) -> Any:
    """Return the client that sends PynamoDB's requests.

    Args:
        transport: One of `TRANSPORTS`.
        client: A botocore client, for the operations that the curl client does not have.
        extra_headers: Sent with each request.
        deadline_seconds: The deadline of one call with all its attempts; the curl client has one.
        is_traced: Whether calls by curl have OpenTelemetry spans.

    Raises:
        ConfigurationError: The transport is `curl` and is not installed.
    """
    if transport == "botocore":
        return client
    if transport == "auto":
        obstacle = _obstacle()
        if obstacle:
            _log_once(obstacle)
            return client
    if CurlClient is None:
        raise ConfigurationError(
            'DYNAMODB_TRANSPORT is "curl", which needs pycurl, orjson and certifi:'
            " pip install flask-pynamodb-models[curl]. It is not available on Windows."
        )
    try:
        curl = CurlClient(client, extra_headers=extra_headers, deadline_seconds=deadline_seconds)
    except ValueError as error:
        # A configuration of botocore, or a header, that this client does not support.
        if transport == "curl":
            raise ConfigurationError(str(error)) from error
        _log_once(str(error))
        return client
    if is_traced:
        # Imported here: opentelemetry-api is an extra, and takes a while.
        curl = import_module("flask_pynamodb.curl.tracing").TracedClient(curl)
    if transport == "curl":
        return curl
    # The instrumentation of botocore would make the same spans.
    return AutoClient(curl, client, ignored=(_OPENTELEMETRY,) if is_traced else ())


class AutoClient:
    """Sends each call by curl, or by botocore while someone follows botocore's requests.

    Everything else is delegated to the botocore client.

    Args:
        curl: The curl client.
        client: The botocore client.
        ignored: Modules that may follow botocore's requests nevertheless.
    """

    def __init__(self, curl: Any, client: Any, *, ignored: tuple[str, ...] = ()) -> None:
        self._curl = curl
        self._client = client
        self._listeners = Listeners(client, curl.operations, ignored)

    def __getattr__(self, name: str) -> Any:
        # A copy under construction has no client yet; looking it up would recurse forever.
        if name in ("_curl", "_client"):
            raise AttributeError(name)
        return getattr(self._curl, name)

    def __repr__(self) -> str:
        return f"<AutoClient of {self._curl!r}>"

    def _make_api_call(self, operation_name: str, kwargs: dict[str, Any]) -> Any:
        """Send one request. The method has botocore's name, under which PynamoDB calls it."""
        listener = self._listeners.find()
        if listener is None:
            return self._curl._make_api_call(operation_name, kwargs)
        _log_once(f"{listener} follows its requests")
        return self._client._make_api_call(operation_name, kwargs)


def _obstacle() -> str | None:
    """Return why curl cannot be used in this process, None if it can."""
    if CurlClient is None:
        return "pycurl, orjson and certifi are not installed, or this is Windows"
    gevent = sys.modules.get("gevent.monkey")
    if gevent and gevent.is_module_patched("socket"):
        return "gevent has patched the sockets, and curl would block all greenlets"
    eventlet = sys.modules.get("eventlet.patcher")
    if eventlet and eventlet.is_monkey_patched("socket"):
        return "eventlet has patched the sockets, and curl would block all green threads"
    return None


def _log_once(reason: str) -> None:
    if reason not in _logged:
        _logged.add(reason)
        log.info("DynamoDB calls are sent by botocore instead of curl: %s", reason)
