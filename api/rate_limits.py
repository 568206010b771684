"""Rate limits by route and client, for whatever costs a hash or an email (ASVS 2.4.1, 6.3.1)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import wraps
from hashlib import sha256
from ipaddress import IPv4Address, IPv4Network, IPv6Network, ip_address, ip_network
from typing import Any

from flask import Flask, Response, current_app, g, request

from api.client import client
from api.openapi.annotations import describe, error_responses
from models import Allowance, RateLimit, RateLimiter
from models.errors import TooManyRequests

View = Callable[..., Any]

# A hash takes about 20 ms: one client can keep a tenth of a core busy. Guessing at one account is
# bounded by its lockout.
SIGN_INS = RateLimit("sign-in", quota=300)
SIGN_UPS = RateLimit("sign-up", quota=300)
PASSWORDS = RateLimit("passwords", quota=60)
# The recipients of these emails may not have requested them.
EMAIL_REQUESTS = RateLimit("mail-requests", quota=20)
EMAILED_TOKENS = RateLimit("mailed-tokens", quota=60)
# The owner of a stolen session must not guess a code (ASVS 6.6.3).
SECOND_FACTOR_CONFIRMATIONS = RateLimit("second-factor-confirmations", quota=60)
# Programs that present the wrong secret of a client; those with the right one are not limited.
CLIENT_AUTHENTICATIONS = RateLimit("client-authentication", quota=60)
# A username or an address that is rejected reveals that it is taken. Each user has this quota, and
# each client for all of its users.
NAME_CHANGES = RateLimit("name-changes", quota=30, window=3600)
# Invitations that one admin sends, first ones and repeated ones: fewer than the queue of emails
# holds, so that the thief of a session, or a loop, does not fill it.
INVITATIONS = RateLimit("invitations", quota=500, window=3600)
# Set in the environment of a request that a trusted proxy has forwarded.
FROM_TRUSTED_PROXY = "roster.from_trusted_proxy"
# A client with one IPv6 address has the network around it (RFC 6177).
_IPV6_PREFIX = 64


@dataclass(frozen=True)
class LimitRules:
    """What the settings say about limits.

    Attributes:
        limits: The limits in force, by their names; others are as declared here.
        exempt: The networks of clients without limits by client.
    """

    limits: Mapping[str, RateLimit] = field(default_factory=dict)
    exempt: Sequence[IPv4Network | IPv6Network] = ()


def init_app(
    app: Flask,
    *,
    enabled: bool,
    limits: Mapping[str, RateLimit] | None = None,
    exempt_networks: Sequence[str] = (),
) -> None:
    """Enable or disable the counting of requests.

    Args:
        app: The app.
        enabled: Whether requests are counted.
        limits: The limits that take the place of those declared here, by their names.
        exempt_networks: The networks of clients without limits by client.
    """
    app.extensions["roster-limits"] = RateLimiter() if enabled else None
    exempt = [ip_network(network) for network in exempt_networks]
    app.extensions["roster-limit-rules"] = LimitRules(limits or {}, exempt)
    app.after_request(_add_headers)


def rate_limited(limit: RateLimit, *, spares_admins: bool = False) -> Callable[[View], View]:
    """Reject a client whose quota is exhausted.

    Belongs below the check of the body, so that requests rejected for their body do not count.

    Args:
        limit: How many requests the client may make.
        spares_admins: Whether admins are exempt; needs `caller` from a guard above.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def counted(*args: Any, **kwargs: Any) -> Any:
            if not (spares_admins and kwargs["caller"] and kwargs["caller"].is_admin):
                limit_client(limit)
            return view(*args, **kwargs)

        described = describe(counted, vendor={"limited": True})
        return error_responses("too-many-requests", "busy", "store-unavailable")(described)

    return decorate


def limit_user_and_client(limit: RateLimit, user_id: str) -> None:
    """Reject a signed-in user whose quota is exhausted, or whose client's is.

    Args:
        limit: How many requests the user and the client may make.
        user_id: The user.

    Raises:
        TooManyRequests: A quota is exhausted.
    """
    limiter: RateLimiter | None = current_app.extensions["roster-limits"]
    if limiter is None:
        return
    limit = _in_force(limit)
    limiter.take(limit, user_id)
    if not _is_exempt():
        limiter.take(limit, _client_bucket())


def limit_user(limit: RateLimit, user_id: str) -> None:
    """Reject a signed-in user whose quota is exhausted, wherever the requests come from.

    Args:
        limit: How many requests the user may make.
        user_id: The user.

    Raises:
        TooManyRequests: The quota is exhausted.
    """
    limiter: RateLimiter | None = current_app.extensions["roster-limits"]
    if limiter is not None:
        limiter.take(_in_force(limit), user_id)


def limit_client(limit: RateLimit) -> None:
    """Reject a client whose quota is exhausted.

    Raises:
        TooManyRequests: It is.
    """
    limiter: RateLimiter | None = current_app.extensions["roster-limits"]
    if limiter is None or _is_exempt():
        return
    limit = _in_force(limit)
    try:
        g.allowance = limiter.take(limit, _client_bucket())
    except TooManyRequests as error:
        g.allowance = Allowance(limit, 0, error.retry_after)
        raise


def _in_force(limit: RateLimit) -> RateLimit:
    """Return the limit of the settings in place of a declared one."""
    rules: LimitRules = current_app.extensions["roster-limit-rules"]
    return rules.limits.get(limit.name, limit)


def _is_exempt() -> bool:
    """Return whether the client is in a network without limits by client.

    A proxy that is not trusted must not exempt all its clients: its address would be theirs.
    """
    rules: LimitRules = current_app.extensions["roster-limit-rules"]
    address = client().ip
    if not rules.exempt or address is None:
        return False
    is_forwarded = "X-Forwarded-For" in request.headers or "Forwarded" in request.headers
    if is_forwarded and not request.environ.get(FROM_TRUSTED_PROXY):
        return False
    return any(ip_address(address) in network for network in rules.exempt)


def _client_bucket() -> str:
    return bucket(client().ip, request.remote_addr)


def bucket(address: str | None, text: str | None) -> str:
    """Return the key under which the requests of a client are counted.

    Args:
        address: The IP address.
        text: What a trusted proxy calls a client without an IP address.
    """
    if address is None:
        return f"name:{sha256((text or '').encode()).hexdigest()[:32]}"
    if isinstance(ip_address(address), IPv4Address):
        return address
    return str(ip_network(f"{address}/{_IPV6_PREFIX}", strict=False))


def _add_headers(response: Response) -> Response:
    # draft-ietf-httpapi-ratelimit-headers-11
    allowance: Allowance | None = g.get("allowance")
    # Other errors must be identical to the byte, whatever they reject.
    if allowance and (response.status_code < 400 or response.status_code == 429):
        limit = allowance.limit
        name = f'"{limit.name}"'
        response.headers["RateLimit-Policy"] = f"{name};q={limit.quota};w={limit.window}"
        response.headers["RateLimit"] = f"{name};r={allowance.remaining};t={allowance.reset}"
    return response
