"""Usernames that users cannot choose: those of roles, and for a time those that others gave up."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from models.errors import InvalidField
from models.tables.identifier import normalize_username

# RFC 2142; the addresses that prove the control of a domain to certificate authorities (CA/Browser
# Forum Baseline Requirements, 3.2.2.4.4); names that sound like the operator or like the service.
_RESERVED = frozenset(
    {
        *("abuse", "ftp", "hostmaster", "info", "marketing", "news", "noc", "postmaster", "sales"),
        *("auditor", "security", "support", "usenet", "uucp", "webmaster", "www"),
        *("admin", "administrator", "ssladmin", "ssladministrator", "sslwebmaster", "sysadmin"),
        *("account", "accounts", "anonymous", "api", "billing", "contact", "daemon", "donotreply"),
        *("everyone", "help", "helpdesk", "localhost", "mail", "mailerdaemon", "me", "moderator"),
        *("nobody", "noreply", "null", "official", "operator", "owner", "root", "roster"),
        *("service", "staff", "superuser", "sysop", "system", "team", "undefined"),
    }
)


@dataclass(frozen=True)
class UsernameRules:
    """The rules for usernames that users choose. Admins may assign any username.

    Attributes:
        reserved: Further reserved usernames.
        quarantine: How long a username that was given up is not available to other users.
    """

    reserved: Iterable[str] = ()
    quarantine: timedelta = timedelta(days=90)

    def normalize(self, username: str) -> str:
        """Return a username that a user chooses, as stored.

        Raises:
            InvalidField: It is not valid, or reserved.
        """
        normalized = normalize_username(username)
        self.require_allowed(normalized)
        return normalized

    def require_allowed(self, username: str) -> None:
        """Reject a reserved username, also with separators in it or digits at its end.

        Raises:
            InvalidField: The username is reserved.
        """
        name = _skeleton(username)
        if name in _RESERVED or name in map(_skeleton, self.reserved):
            raise InvalidField("username", "This username is reserved. Choose another one.")


def _skeleton(username: str) -> str:
    """Return a username in lower case, without separators and without digits at its end."""
    name = "".join(char for char in username.lower() if char not in "._-")
    return name.rstrip("0123456789") or name
