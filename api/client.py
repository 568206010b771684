"""The origin of a request: the address of the client, and its user agent."""

from ipaddress import ip_address

from flask import request

from models import Client


def client() -> Client:
    """Return the origin of the current request."""
    return Client(ip=_address(), user_agent=request.headers.get("User-Agent"))


def _address() -> str | None:
    """Return the address of the client; None if the trusted proxy sends none."""
    try:
        address = ip_address((request.remote_addr or "").partition("%")[0])
    except ValueError:
        return None
    # A dual-stack socket reports 192.0.2.7 as ::ffff:192.0.2.7: one client, one name.
    return str(getattr(address, "ipv4_mapped", None) or address)
