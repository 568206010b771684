"""Tell this computer's own addresses from others."""

from ipaddress import IPv6Address, ip_address
from urllib.parse import urlsplit

from flask import request

_PROXY_HEADERS = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP", "Via")


def is_loopback(host: str) -> bool:
    """Return whether a host, by IP address or as `localhost`, is this computer only."""
    if host == "localhost":
        return True
    try:
        address = ip_address(host)
    except ValueError:
        return False
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return address.is_loopback


def is_local_request() -> bool:
    """Return whether the current request is from this computer, to one of its own names."""
    # A remote page with a host name that resolves to this computer (DNS rebinding) connects from
    # here, but under its own name. A proxy on this computer forwards remote requests.
    names_us = is_loopback(urlsplit(f"//{request.host}").hostname or "")
    is_forwarded = any(name in request.headers for name in _PROXY_HEADERS)
    return names_us and is_loopback(request.remote_addr or "") and not is_forwarded
