"""Whether users have usernames, and which ones they cannot choose: those of roles, for example."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

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


class UsernameMode(StrEnum):
    """Whether accounts have a username beside the email address."""

    REQUIRED = "required"
    OPTIONAL = "optional"
    OFF = "off"


@dataclass(frozen=True)
class UsernameRules:
    """The rules for usernames that users choose. Admins may assign any username.

    Attributes:
        reserved: Further reserved usernames.
        quarantine: How long a username that was given up is not available to other users.
        mode: Whether accounts have a username. It applies to new values only: users without one
            stay valid where it is required, and users keep theirs where usernames are off.
    """

    reserved: Iterable[str] = ()
    quarantine: timedelta = timedelta(days=90)
    mode: UsernameMode = UsernameMode.OPTIONAL

    @property
    def are_on(self) -> bool:
        """Whether users can have a new username."""
        return self.mode is not UsernameMode.OFF

    @property
    def are_required(self) -> bool:
        """Whether every new user has a username, and none can be removed."""
        return self.mode is UsernameMode.REQUIRED

    def normalize(self, username: str | None, *, any_username: bool = False) -> str | None:
        """Return a new username as stored, None for a user without one.

        Args:
            username: In any case.
            any_username: Whether it may be a reserved one.

        Raises:
            InvalidField: It is missing, not valid or reserved, or usernames are off.
        """
        self.require_mode(username)
        if username is None:
            return None
        normalized = normalize_username(username)
        if not any_username:
            self.require_allowed(normalized)
        return normalized

    def require_mode(self, username: str | None) -> None:
        """Reject a new username where usernames are off, and its absence where it is required.

        Raises:
            InvalidField: It is missing, or usernames are off.
        """
        if username is None and self.are_required:
            raise InvalidField("username", "It is missing.")
        if username is not None and not self.are_on:
            raise InvalidField("username", "Usernames are off in this service. Leave it out.")

    def require_allowed(self, username: str | None) -> None:
        """Reject a reserved username, also with separators in it or digits at its end.

        Raises:
            InvalidField: The username is reserved.
        """
        if username is None:
            return
        name = _skeleton(username)
        if name in _RESERVED or name in map(_skeleton, self.reserved):
            raise InvalidField("username", "This username is reserved. Choose another one.")


def _skeleton(username: str) -> str:
    """Return a username in lower case, without separators and without digits at its end."""
    name = "".join(char for char in username.lower() if char not in "._-")
    return name.rstrip("0123456789") or name
