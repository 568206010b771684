"""Where requests go, and under which conditions, as botocore has made it out."""

import socket
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urlsplit, urlunsplit

from botocore.httpsession import get_cert_path

_DEFAULT_PORTS = {"http": 80, "https": 443}
_KEEPALIVE = (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy between here and DynamoDB.

    Attributes:
        url: With its credentials, if it has any.
        ca_bundle: Certificates that vouch for it if it speaks TLS itself.
        client_cert: Certificate and key file that it wants to see.
    """

    url: str
    ca_bundle: str | None
    client_cert: tuple[str, str | None] | None

    @property
    def masked_url(self) -> str:
        """The URL as it may be logged."""
        parts = urlsplit(self.url)
        return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


@dataclass(frozen=True, slots=True)
class Target:
    """An endpoint and how to talk to it.

    Attributes:
        url: With a path, without credentials in it.
        host: What the Host header says.
        path: The path part of the URL.
        query: The query part, without the question mark.
        ca_bundle: Certificates that vouch for the endpoint; None: any certificate will do.
        client_cert: Certificate and key file that the endpoint wants to see.
        proxy: None: straight to the endpoint.
        connect_timeout: Seconds until a connection is ready, TLS included; None: five minutes.
        read_timeout: Seconds for a whole reply; None: no limit.
        kept_alive: Connections that are kept open while nobody needs them.
        probes_idle: Whether TCP keep-alive probes are sent.
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
    kept_alive: int
    probes_idle: bool


def target_of(client: Any) -> Target:
    """Read a botocore client's target; its own rules for environment and profile have decided.

    Raises:
        ValueError: The client is set up for something that this transport cannot do.
    """
    config = client.meta.config
    _refuse_what_is_missing(config)
    parts = urlsplit(client.meta.endpoint_url)
    session = client._endpoint.http_session
    return Target(
        url=urlunsplit((parts.scheme, _host(parts), parts.path or "/", parts.query, "")),
        host=_host(parts),
        path=parts.path or "/",
        query=parts.query,
        ca_bundle=get_cert_path(session._verify) or None,
        client_cert=_pair(config.client_cert),
        proxy=_proxy(session._proxy_config, client.meta.endpoint_url),
        connect_timeout=config.connect_timeout,
        read_timeout=config.read_timeout,
        kept_alive=config.max_pool_connections,
        probes_idle=_KEEPALIVE in session._socket_options,
    )


def _refuse_what_is_missing(config: Any) -> None:
    if config.account_id_endpoint_mode == "required":
        raise ValueError(
            "The lean transport uses the endpoint of the region, but account_id_endpoint_mode is"
            " `required`: use the botocore transport."
        )
    if (config.proxies_config or {}).get("proxy_use_forwarding_for_https"):
        raise ValueError(
            "The lean transport reaches https through a tunnel, but the setting"
            " proxy_use_forwarding_for_https forbids one: use the botocore transport."
        )


def _host(parts: SplitResult) -> str:
    # As it is signed: lower case, no default port. An IPv6 address wants its brackets back.
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
