"""The endpoint of requests with its proxy, certificates and timeouts, read from botocore."""

import socket
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urlsplit, urlunsplit

from botocore.httpsession import get_cert_path

_DEFAULT_PORTS = {"http": 80, "https": 443}
_KEEPALIVE = (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy between the client and DynamoDB.

    Attributes:
        url: The URL, with credentials if it has any.
        ca_bundle: The CA certificates for a proxy with TLS.
        client_cert: The files of a client certificate and its key.
    """

    url: str
    ca_bundle: str | None
    client_cert: tuple[str, str | None] | None

    @property
    def masked_url(self) -> str:
        """The URL without credentials, for logs."""
        parts = urlsplit(self.url)
        return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An endpoint and its connection settings.

    Attributes:
        url: The URL with a path, without credentials.
        host: The value of the Host header.
        path: The path of the URL.
        query: The query of the URL, without the question mark.
        ca_bundle: The CA certificates; None to accept any certificate.
        client_cert: The files of a client certificate and its key.
        proxy: The proxy; None for a direct connection.
        connect_timeout: Seconds until a connection is ready, including TLS; None: five minutes.
        read_timeout: Seconds for a complete response; None for no limit.
        pool_size: The number of idle connections that are kept open.
        tcp_keepalive: Whether TCP keep-alive probes are sent.
    """

    url: str
    host: str
    path: str
    query: str
    ca_bundle: str | None
    client_cert: tuple[str, str | None] | None
    proxy: Proxy | None
    connect_timeout: float | None
    read_timeout: float | None
    pool_size: int
    tcp_keepalive: bool


def read_endpoint(client: Any, url: str) -> Endpoint:
    """Return an endpoint of a botocore client, which has read environment and profile.

    Args:
        client: The botocore client.
        url: The URL of the endpoint.

    Raises:
        ValueError: The client's configuration is not supported by this transport.
    """
    config = client.meta.config
    _reject_unsupported(config)
    parts = urlsplit(url)
    session = client._endpoint.http_session
    return Endpoint(
        url=urlunsplit((parts.scheme, _host(parts), parts.path or "/", parts.query, "")),
        host=_host(parts),
        path=parts.path or "/",
        query=parts.query,
        ca_bundle=get_cert_path(session._verify) or None,
        client_cert=_pair(config.client_cert),
        proxy=_proxy(session._proxy_config, url),
        connect_timeout=config.connect_timeout,
        read_timeout=config.read_timeout,
        pool_size=config.max_pool_connections,
        tcp_keepalive=_KEEPALIVE in session._socket_options,
    )


def _reject_unsupported(config: Any) -> None:
    if (config.proxies_config or {}).get("proxy_use_forwarding_for_https"):
        raise ValueError(
            "The curl transport tunnels https through a proxy, but the setting"
            " proxy_use_forwarding_for_https forbids tunnels: use the botocore transport."
        )


def _host(parts: SplitResult) -> str:
    # As in the signature: lower case, no default port. urlsplit removes the brackets of IPv6.
    host = parts.hostname or ""
    if ":" in host:
        host = f"[{host}]"
    if parts.port is not None and parts.port != _DEFAULT_PORTS.get(parts.scheme):
        host = f"{host}:{parts.port}"
    return host


def _proxy(proxies: Any, endpoint_url: str) -> Proxy | None:
    url = proxies.proxy_url_for(endpoint_url)
    if not url:
        return None
    return Proxy(
        url=url,
        ca_bundle=proxies.settings.get("proxy_ca_bundle"),
        client_cert=_pair(proxies.settings.get("proxy_client_cert")),
    )


def _pair(certificate: str | tuple[str, str] | None) -> tuple[str, str | None] | None:
    return (certificate, None) if isinstance(certificate, str) else certificate
