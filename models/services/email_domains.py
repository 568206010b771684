"""Which domains the email addresses of users may have."""

from collections.abc import Collection
from dataclasses import dataclass

from models.errors import InvalidEmail
from models.tables.identifier import SPECIAL_USE_DOMAINS, domain_of

_SPECIAL = (
    "The part after the @-sign is a special-use or reserved name that cannot be used with email."
)
_CLOSED = "Email addresses of this domain cannot be used to sign up here. Use another one."
# An entry that begins with this means the subdomains of the rest.
SUBDOMAINS = "*."


@dataclass(frozen=True)
class EmailDomains:
    """The rules for domains, which are compared in ASCII and in lower case.

    Attributes:
        special_use: Special-use domains (RFC 6761) that may be used, with their subdomains.
        allowed: The only domains that users may sign up with; empty for all. `*.example.com` are
            the subdomains of example.com, example.com is that domain alone.
        blocked: Domains that users may not sign up with, with their subdomains.
    """

    special_use: Collection[str] = ()
    allowed: Collection[str] = ()
    blocked: Collection[str] = ()

    def require_usable(self, email: str) -> None:
        """Reject an address of a special-use domain, unless it may be used.

        Args:
            email: An address as stored.

        Raises:
            InvalidEmail: The domain cannot be used.
        """
        domain = domain_of(email)
        if _is_below(domain, SPECIAL_USE_DOMAINS) and not _is_below(domain, self.special_use):
            raise InvalidEmail("email", _SPECIAL)

    def require_open(self, email: str) -> None:
        """Reject an address whose domain is not open to users who sign up.

        Args:
            email: An address as stored.

        Raises:
            InvalidEmail: The domain is not allowed, or blocked.
        """
        domain = domain_of(email)
        is_closed = bool(self.allowed) and not self._is_allowed(domain)
        if is_closed or _is_below(domain, self.blocked):
            raise InvalidEmail("email", _CLOSED)

    def _is_allowed(self, domain: str) -> bool:
        labels = domain.split(".")
        parents = (".".join(labels[first:]) for first in range(1, len(labels)))
        return domain in self.allowed or any(SUBDOMAINS + one in self.allowed for one in parents)


def _is_below(domain: str, parents: Collection[str]) -> bool:
    """Return whether a domain is one of these, or a subdomain of one."""
    return any(domain == parent or domain.endswith(f".{parent}") for parent in parents)


# Without lists, and without special-use domains.
ALL_DOMAINS = EmailDomains()
