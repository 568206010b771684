"""Errors of requests, as botocore's exceptions, which PynamoDB handles.

BotoCoreError
 ├── ConnectionError
 │    ├── EndpointConnectionError    name resolution or connection failed
 │    ├── ConnectTimeoutError        no connection within the connect timeout
 │    ├── ProxyConnectionError       no connection to or through the proxy
 │    └── SSLError                   invalid certificate or failed handshake
 └── HTTPClientError
      ├── ReadTimeoutError           no complete response within the read timeout or the deadline
      ├── ConnectionClosedError      the connection closed before the response was complete
      └── UnreadableResponse         a complete response that is not DynamoDB's (our own class)
ClientError                          DynamoDB rejected the request
"""

import http.client
from collections.abc import Mapping
from typing import Any, NamedTuple

import pycurl  # type: ignore[import-untyped]
from botocore.exceptions import (
    BotoCoreError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    ProxyConnectionError,
    ReadTimeoutError,
    SSLError,
)

from flask_pynamodb.curl import codec
from flask_pynamodb.curl.endpoint import Endpoint

# libcurl-errors(3): all errors of certificates and handshakes.
_TLS = frozenset(
    {
        pycurl.E_SSL_CONNECT_ERROR,
        pycurl.E_SSL_ENGINE_NOTFOUND,
        pycurl.E_SSL_ENGINE_SETFAILED,
        pycurl.E_SSL_CERTPROBLEM,
        pycurl.E_SSL_CIPHER,
        pycurl.E_PEER_FAILED_VERIFICATION,
        pycurl.E_SSL_ENGINE_INITFAILED,
        pycurl.E_SSL_CACERT_BADFILE,
        pycurl.E_SSL_SHUTDOWN_FAILED,
        pycurl.E_SSL_CRL_BADFILE,
        pycurl.E_SSL_ISSUER_ERROR,
        pycurl.E_SSL_INVALIDCERTSTATUS,
    }
)
_UNREACHABLE = frozenset({pycurl.E_COULDNT_RESOLVE_HOST, pycurl.E_COULDNT_CONNECT})


class Response(NamedTuple):
    """An HTTP response.

    Attributes:
        status: The HTTP status code.
        headers: The headers by lower-case names.
        body: The complete body.
    """

    status: int
    headers: dict[str, str]
    body: bytes


class UnreadableResponse(HTTPClientError):  # type: ignore[misc]
    """A complete response is not DynamoDB's: damaged, or from another server."""

    fmt = 'The response from endpoint URL "{endpoint_url}" is not readable: {error}'


def network_error(code: int, text: str, *, is_sent: bool, endpoint: Endpoint) -> BotoCoreError:
    """Return botocore's exception for an error of curl.

    Args:
        code: The code of curl's error.
        text: The text of curl's error.
        is_sent: Whether at least a part of the request was sent.
        endpoint: The endpoint of the request.
    """
    kwargs: dict[str, Any] = {"endpoint_url": endpoint.url, "error": text}
    if code == pycurl.E_OPERATION_TIMEDOUT:
        return (ReadTimeoutError if is_sent else ConnectTimeoutError)(**kwargs)
    if code in _TLS:
        return SSLError(**kwargs)
    if endpoint.proxy is not None and not is_sent:
        return ProxyConnectionError(proxy_url=endpoint.proxy.masked_url, error=text)
    if code in _UNREACHABLE:
        return EndpointConnectionError(**kwargs)
    return ConnectionClosedError(**kwargs)


def error_response(response: Response) -> dict[str, Any]:
    """Return the response of a ClientError: code, message, all fields of the body, metadata."""
    body = _fields(response)
    return {
        **{name: value for name, value in (body or {}).items() if name != "__type"},
        "Error": {"Code": _code(response, body or {}), "Message": _message(response, body)},
        "ResponseMetadata": metadata(response),
    }


def metadata(response: Response) -> dict[str, Any]:
    """Return botocore's metadata of a response, for success and for errors."""
    values: dict[str, Any] = {"HTTPStatusCode": response.status, "HTTPHeaders": response.headers}
    request_id = response.headers.get("x-amzn-requestid")
    if request_id is not None:
        values["RequestId"] = request_id
    return values


def _fields(response: Response) -> dict[str, Any] | None:
    try:
        body = codec.decode(response.body)
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


def _code(response: Response, body: Mapping[str, Any]) -> str:
    # The code is in one of three places, with an optional namespace before and URI after it.
    # Responses of load balancers have none. Source: Smithy's "AWS JSON 1.0 protocol".
    for found in (body.get("__type"), response.headers.get("x-amzn-errortype"), body.get("code")):
        if isinstance(found, str) and found:
            return found.partition(":")[0].rpartition("#")[2]
    return str(response.status)


def _message(response: Response, body: Mapping[str, Any] | None) -> str:
    if body is not None:
        return str(body.get("message") or body.get("Message") or "")
    text = response.body.decode("utf-8", "replace").strip()
    if response.status >= 500 and (not text or text.startswith("<html>")):
        return http.client.responses.get(response.status, "")
    return text
