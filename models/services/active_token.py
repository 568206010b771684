"""Tokens that authenticate a user or a client now, and the rights that count with them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from models.roles import strongest_role
from models.tables.api_key import ApiKey
from models.tables.oauth_client import OAuthClient
from models.tables.session import Session
from models.tables.user import User


@dataclass(frozen=True)
class SignedToken:
    """The claims of a valid access token.

    Attributes:
        subject_id: The user, or the client that it was issued for.
        audience: The URI of the service that it is meant for.
        client_id: The client that requested it; `roster` or the ID of the API key if the user
            requested it.
        session_id: The ID of the session that it was issued for, None if there is none.
        key_id: The ID of the API key that it was issued for, None if there is none.
        actor_id: The client that requested it in exchange for a token of the user, None if there
            is none.
        roles: The roles in it.
        scopes: The words of its scope: those of a client, or the roles again.
        issued_at: When it was issued.
        expires_at: When it ends.
        id: Its own ID.
    """

    subject_id: str
    audience: str
    client_id: str
    session_id: str | None
    key_id: str | None
    actor_id: str | None
    roles: Sequence[str]
    scopes: Sequence[str]
    issued_at: datetime
    expires_at: datetime
    id: str

    @property
    def is_of_client(self) -> bool:
        """Whether a client requested it for itself."""
        return self.client_id == self.subject_id


@dataclass(frozen=True)
class ActiveClientToken:
    """An access token that a client has requested for itself.

    Attributes:
        client: The client.
        scopes: The scopes in it that the client still has.
        signed: The claims.
    """

    client: OAuthClient
    scopes: list[str]
    signed: SignedToken


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
    def sees_all_users(self) -> bool:
        """Whether one of the roles that count shows every user."""
        return strongest_role(self.roles) is not None

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
