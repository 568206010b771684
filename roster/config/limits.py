"""The settings of rate limits."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from api.rate_limits import (
    CLIENT_AUTHENTICATIONS,
    EMAIL_REQUESTS,
    EMAILED_TOKENS,
    INVITATIONS,
    NAME_CHANGES,
    PASSWORDS,
    SECOND_FACTOR_CONFIRMATIONS,
    SIGN_INS,
    SIGN_UPS,
)
from api.write_limits import WRITES
from models import EMAIL_QUOTA, RateLimit
from roster.config.parsing import networks, rate
from roster.config.setting import declared_in, read_all, setting


def _limit(variable: str, default: RateLimit, example: str, meaning: str) -> Any:
    return setting(variable, rate(default), default, example=example, meaning=meaning)


@dataclass(frozen=True)
class LimitSettings:
    """How many requests of each kind are accepted. A client is an address, or an IPv6 network."""

    sign_ins: RateLimit = _limit(
        "ROSTER_LIMIT_SIGN_INS",
        SIGN_INS,
        "3000/1m",
        "Sign-ins of one client. The lockout of an account is not affected.",
    )
    sign_ups: RateLimit = _limit(
        "ROSTER_LIMIT_SIGN_UPS",
        SIGN_UPS,
        "20/1h",
        "Sign-ups of one client; admins are not limited.",
    )
    passwords: RateLimit = _limit(
        "ROSTER_LIMIT_PASSWORDS",
        PASSWORDS,
        "600/1m",
        "Password changes and reauthentications of one client.",
    )
    email_requests: RateLimit = _limit(
        "ROSTER_LIMIT_EMAIL_REQUESTS",
        EMAIL_REQUESTS,
        "100/1m",
        "Requests of one client that send an email, including new API keys.",
    )
    emailed_tokens: RateLimit = _limit(
        "ROSTER_LIMIT_EMAILED_TOKENS",
        EMAILED_TOKENS,
        "300/1m",
        "Emailed tokens from one client.",
    )
    second_factor_confirmations: RateLimit = _limit(
        "ROSTER_LIMIT_SECOND_FACTOR_CONFIRMATIONS",
        SECOND_FACTOR_CONFIRMATIONS,
        "300/1m",
        "Confirmations of a second factor from one client.",
    )
    client_authentications: RateLimit = _limit(
        "ROSTER_LIMIT_CLIENT_AUTHENTICATIONS",
        CLIENT_AUTHENTICATIONS,
        "10/1m",
        "Wrong secrets of clients from one address; correct ones are not limited.",
    )
    name_changes: RateLimit = _limit(
        "ROSTER_LIMIT_NAME_CHANGES",
        NAME_CHANGES,
        "10/1d",
        "Requests of one user to change username or email address, and those of one client for all"
        " of its users; admins are not limited.",
    )
    invitations: RateLimit = _limit(
        "ROSTER_LIMIT_INVITATIONS",
        INVITATIONS,
        "2000/1d",
        "Invitations that one admin sends, first ones and repeated ones; the command line is not"
        " limited.",
    )
    writes: RateLimit = _limit(
        "ROSTER_LIMIT_WRITES",
        WRITES,
        "600/1m",
        "Changes by one user or by one program in each worker; admins are not limited.",
    )
    emails: RateLimit = _limit(
        "ROSTER_LIMIT_EMAILS",
        EMAIL_QUOTA,
        "10/1d",
        "Emails with a token to one account, of each kind; those to reset a password have a limit"
        " of their own, which follows the lifetime of their tokens.",
    )
    exempt: tuple[str, ...] = setting(
        "ROSTER_LIMIT_EXEMPT",
        networks(narrowest=8),
        (),
        example="203.0.113.0/24,2001:db8:77::/48",
        meaning="Addresses and networks of clients without the limits by client, separated by"
        " commas: {allowed}. The limits by account stay. See"
        " [offices behind one address](#offices-behind-one-address).",
    )

    def by_name(self) -> Mapping[str, RateLimit]:
        """Return the limits by the names that responses have for them."""
        values = (getattr(self, name) for name in declared_in(LimitSettings) if name != "exempt")
        return {limit.name: limit for limit in values}


def read_limits(errors: list[str]) -> LimitSettings:
    """Read the settings of rate limits.

    Args:
        errors: The texts of errors are appended to it.
    """
    return replace(LimitSettings(), **read_all(declared_in(LimitSettings), errors))
