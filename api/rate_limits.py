"""Rate limits by route and client, for whatever costs a hash or a mail (ASVS 2.4.1, 6.3.1)."""

from collections.abc import Callable
from functools import wraps
from ipaddress import IPv4Address, ip_address, ip_network
from typing import Any

from flask import Flask, Response, current_app, g

from api.auth import client
from api.openapi.annotations import describe, problems
from models import Allowance, Policy, RateLimits
from models.errors import TooManyRequests

View = Callable[..., Any]

# A hash takes some 20 ms: one client can keep a tenth of a core busy, and guess at no account more
# often than its lock allows.
SIGN_INS = Policy("sign-in", quota=300)
SIGN_UPS = Policy("sign-up", quota=300)
PASSWORDS = Policy("passwords", quota=60)
# Mails go to people who may not have asked for them.
MAIL_REQUESTS = Policy("mail-requests", quota=20)
MAILED_TOKENS = Policy("mailed-tokens", quota=60)
# Whoever has one IPv6 address has the network around it (RFC 6177).
_IPV6_PREFIX = 64


def init_app(app: Flask, *, enabled: bool) -> None:
    """Let an app count requests, or not."""
    app.extensions["roster-limits"] = RateLimits() if enabled else None
    app.after_request(_tell)


def limited(policy: Policy, *, spares_admins: bool = False) -> Callable[[View], View]:
    """Refuse a client that has used its quota up.

    Stands below the check of the body, so that nothing that is refused anyway is counted.

    Args:
        policy: How many requests it may make.
        spares_admins: Whether admins may make any number; needs `caller` from a guard above.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def counted(*args: Any, **kwargs: Any) -> Any:
            if not (spares_admins and kwargs["caller"] and kwargs["caller"].is_admin):
                _take(policy)
            return view(*args, **kwargs)

        described = describe(counted, vendor={"limited": True})
        return problems("too-many-requests", "store-unavailable")(described)

    return decorate


def _take(policy: Policy) -> None:
    limits: RateLimits | None = current_app.extensions["roster-limits"]
    if limits is None:
        return
    try:
        g.allowance = limits.take(policy, _bucket(client().ip))
    except TooManyRequests as error:
        g.allowance = Allowance(policy, 0, error.retry_after)
        raise


def _bucket(address: str | None) -> str:
    """Whom an address stands for."""
    if address is None:
        return "unknown"
    if isinstance(ip_address(address), IPv4Address):
        return address
    return str(ip_network(f"{address}/{_IPV6_PREFIX}", strict=False))


def _tell(response: Response) -> Response:
    # draft-ietf-httpapi-ratelimit-headers-11
    allowance: Allowance | None = g.get("allowance")
    # Refusals of other kinds are alike to the byte, whatever they refuse.
    if allowance and (response.status_code < 400 or response.status_code == 429):
        policy = allowance.policy
        name = f'"{policy.name}"'
        response.headers["RateLimit-Policy"] = f"{name};q={policy.quota};w={policy.window}"
        response.headers["RateLimit"] = f"{name};r={allowance.remaining};t={allowance.reset}"
    return response
