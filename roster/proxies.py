"""Header fields of trusted proxies: the address of the client, the scheme and the path prefix.

Only a proxy in ROSTER_TRUSTED_PROXIES is believed (ASVS 4.1.3, 15.3.4).
"""

import logging
import re
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any

from api.rate_limits import FROM_TRUSTED_PROXY

log = logging.getLogger("roster")

_App = Callable[[dict[str, Any], Any], Iterable[bytes]]
_Address = IPv4Address | IPv6Address

# 192.0.2.7:51234, [2001:db8::1]:51234, [2001:db8::1]
_WITH_PORT = re.compile(r"\[(?P<v6>[^\]]+)\](:\d+)?|(?P<v4>\d+\.\d+\.\d+\.\d+):\d+")
# A path of unreserved characters; one that begins with two slashes would be a host in a link.
_PREFIX = re.compile(r"(/[A-Za-z0-9._~-]+)+/?")
_MAX_CACHED = 4096


def parse_address(text: str) -> _Address | None:
    """Return an IP address without port, brackets, quotes and scope; None if it is not one.

    IPv4 addresses that a dual-stack listener reports as `::ffff:192.0.2.7` are IPv4 addresses.
    """
    text = text.strip().strip('"')
    if found := _WITH_PORT.fullmatch(text):
        text = found["v6"] or found["v4"]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


class ProxyHeaders:
    """WSGI middleware that applies the header fields of trusted proxies.

    Args:
        app: The WSGI app.
        trusted: Addresses and networks of the proxies.
    """

    def __init__(self, app: _App, trusted: Sequence[str]) -> None:
        self._app = app
        self._networks = [ip_network(network) for network in trusted]
        # The addresses of proxies, and chains of clients, repeat from request to request.
        self._peer = lru_cache(_MAX_CACHED)(self._find_peer)
        self._client = lru_cache(_MAX_CACHED)(self._find_client)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Correct the environment, and call the app."""
        address, is_trusted = self._peer(environ.get("REMOTE_ADDR", ""))
        environ["REMOTE_ADDR"] = address
        if is_trusted:
            environ[FROM_TRUSTED_PROXY] = True
            self._apply(environ)
        return self._app(environ, start_response)

    def _apply(self, environ: dict[str, Any]) -> None:
        if chain := environ.get("HTTP_X_FORWARDED_FOR"):
            environ["REMOTE_ADDR"] = self._client(chain, environ["REMOTE_ADDR"])
        # The nearest proxy writes the last one of several.
        scheme = environ.get("HTTP_X_FORWARDED_PROTO", "").rpartition(",")[2].strip().lower()
        if scheme in ("http", "https"):
            environ["wsgi.url_scheme"] = scheme
        prefix = environ.get("HTTP_X_FORWARDED_PREFIX", "").rpartition(",")[2].strip()
        if _PREFIX.fullmatch(prefix):
            environ["SCRIPT_NAME"] = prefix.rstrip("/")

    def _find_peer(self, text: str) -> tuple[str, bool]:
        address = parse_address(text)
        return (text, False) if address is None else (str(address), self._is_trusted(address))

    def _find_client(self, chain: str, peer: str) -> str:
        """Return the last address in the chain that is not a trusted proxy's.

        An entry that is not an address still identifies its client: a trusted proxy wrote it.
        """
        client = peer
        for text in reversed(chain.split(",")):
            address = parse_address(text)
            if address is None:
                log.warning("X-Forwarded-For of %s has no address: %.64r", peer, text.strip())
                return text.strip() or peer
            client = str(address)
            if not self._is_trusted(address):
                break
        return client

    def _is_trusted(self, address: _Address) -> bool:
        return any(address in network for network in self._networks)
