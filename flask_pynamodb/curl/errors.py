"""What can go wrong on the wire, in botocore's words, since PynamoDB listens for those.

BotoCoreError
 ├── ConnectionError
 │    ├── EndpointConnectionError    no way to the endpoint: its name, its address, its port
 │    ├── ConnectTimeoutError        no connection within the connect timeout
 │    ├── ProxyConnectionError       no way to or through the proxy
 │    └── SSLError                   the certificate or the handshake
 └── HTTPClientError
      ├── ReadTimeoutError           no whole reply within the read timeout or before the deadline
      ├── ConnectionClosedError      the connection broke before the reply was whole
      └── UnreadableReply            a whole reply, but not one of DynamoDB's (ours)
ClientError                          DynamoDB has refused the request
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
from flask_pynamodb.curl.endpoint import Target

# libcurl-errors(3): everything that has to do with certificates and handshakes.
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


class Reply(NamedTuple):
    """An HTTP reply.

    Attributes:
        status: The HTTP status code.
        headers: By lower-case names.
        body: All of it.
    """

    status: int
    headers: dict[str, str]
    body: bytes


class UnreadableReply(HTTPClientError):  # type: ignore[misc]
    """A whole reply came that DynamoDB cannot have meant: garbage, or damaged on its way."""

    fmt = 'The reply from endpoint URL "{endpoint_url}" cannot be read: {error}'


def network_error(code: int, text: str, *, is_sent: bool, target: Target) -> BotoCoreError:
    """Say in botocore's words what curl has run into.

    Args:
        code: curl's.
        text: curl's.
        is_sent: Whether the request, or a part of it, is on its way.
        target: Where to.
    """
    kwargs: dict[str, Any] = {"endpoint_url": target.url, "error": text}
    if code == pycurl.E_OPERATION_TIMEDOUT:
        return (ReadTimeoutError if is_sent else ConnectTimeoutError)(**kwargs)
    if code in _TLS:
        return SSLError(**kwargs)
    if target.proxy is not None and not is_sent:
        return ProxyConnectionError(proxy_url=target.proxy.masked_url, error=text)
    if code in _UNREACHABLE:
        return EndpointConnectionError(**kwargs)
    return ConnectionClosedError(**kwargs)


def error_response(reply: Reply) -> dict[str, Any]:
    """What a ClientError carries: code, message, all members of the body, and the metadata."""
    body = _members(reply)
    return {
        **{name: value for name, value in (body or {}).items() if name != "__type"},
        "Error": {"Code": _code(reply, body or {}), "Message": _message(reply, body)},
        "ResponseMetadata": metadata(reply),
    }


def metadata(reply: Reply) -> dict[str, Any]:
    """What botocore tells about a reply, whether it is an answer or a refusal."""
    told: dict[str, Any] = {"HTTPStatusCode": reply.status, "HTTPHeaders": reply.headers}
    request_id = reply.headers.get("x-amzn-requestid")
    if request_id is not None:
        told["RequestId"] = request_id
    return told


def _members(reply: Reply) -> dict[str, Any] | None:
    try:
        body = codec.decode(reply.body)
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


def _code(reply: Reply, body: Mapping[str, Any]) -> str:
    # Three spellings are in use, each perhaps with a namespace before and a URI after the name;
    # where there is none, a balancer has spoken. Source: Smithy's "AWS JSON 1.0 protocol".
    for found in (body.get("__type"), reply.headers.get("x-amzn-errortype"), body.get("code")):
        if isinstance(found, str) and found:
            return found.partition(":")[0].rpartition("#")[2]
    return str(reply.status)


def _message(reply: Reply, body: Mapping[str, Any] | None) -> str:
    if body is not None:
        return str(body.get("message") or body.get("Message") or "")
    text = reply.body.decode("utf-8", "replace").strip()
    if reply.status >= 500 and (not text or text.startswith("<html>")):
        return http.client.responses.get(reply.status, "")
    return text
