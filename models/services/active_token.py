"""Tokens that authenticate a user now, and the roles that count with them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from models.tables.api_key import ApiKey
from models.tables.session import Session
from models.tables.user import Role, User


@dataclass(frozen=True)
class SignedToken:
    """The claims of a valid access token.

    Attributes:
        user_id: The user.
        audience: The URI of the service that it is meant for.
        client_id: `roster`, or the ID of the API key that it was issued for.
        session_id: The ID of the session that it was issued for, None for an API key.
        roles: The roles in it.
        issued_at: When it was issued.
        expires_at: When it ends.
        id: Its own ID.
    """

    user_id: str
    audience: str
    client_id: str
    session_id: str | None
    roles: Sequence[str]
    issued_at: datetime
    expires_at: datetime
    id: str


@dataclass(frozen=True)
class ActiveToken:
    """A token that authenticates a user now.

    Attributes:
        user: The user.
        session: The session of the token, None for an API key.
        key: The API key, None for a session.
        roles: The roles that count for a request with this token.
        signed: The claims of an access token, None for the token of the session or key itself.
    """

    user: User
    roles: list[str]
    session: Session | None = None
    key: ApiKey | None = None
    signed: SignedToken | None = None

    @property
    def is_admin(self) -> bool:
        """Whether `admin` is one of the roles that count."""
        return Role.ADMIN in self.roles

    @property
    def issued_at(self) -> datetime:
        """When the token was created."""
        return self.signed.issued_at if self.signed else self._credential.created_at

    @property
    def expires_at(self) -> datetime:
        """When the token ends unless it is used: the earlier of the idle and the total end."""
        ends = [self.ends_at]
        if self.session:
            ends.append(self.session.expires_at)
        if self.signed:
            ends.append(self.signed.expires_at)
        return min(ends)

    @property
    def ends_at(self) -> datetime:
        """When the session or the key ends, however much it is used."""
        return self.session.ends_at if self.session else self._credential.expires_at

    @property
    def used_second_factor(self) -> bool:
        """Whether a second factor was verified for the session, or that which made the key."""
        return self._credential.used_second_factor

    @property
    def _credential(self) -> Session | ApiKey:
        credential = self.session or self.key
        assert credential is not None  # nosec B101 - for the type checker
        return credential
