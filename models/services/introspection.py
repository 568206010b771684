"""Introspection: whether a token is active, whose it is, and which roles count with it."""

from dataclasses import dataclass
from datetime import datetime

from models.errors import Unauthenticated
from models.services.api_keys import ApiKeys
from models.services.sessions import SessionService
from models.tables.api_key import API_KEY_PREFIX, ApiKey
from models.tables.session import Session
from models.tables.user import Role, User


@dataclass(frozen=True)
class ActiveToken:
    """A token that authenticates a user now.

    Attributes:
        user: The user.
        session: The session of the token, None for an API key.
        key: The API key, None for a session.
        roles: The roles that count for a request with this token.
    """

    user: User
    roles: list[str]
    session: Session | None = None
    key: ApiKey | None = None

    @property
    def is_admin(self) -> bool:
        """Whether `admin` is one of the roles that count."""
        return Role.ADMIN in self.roles

    @property
    def issued_at(self) -> datetime:
        """When the session or the key was created."""
        return self._credential.created_at

    @property
    def expires_at(self) -> datetime:
        """When the token ends unless it is used: the earlier of the idle and the total end."""
        if self.session:
            return min(self.session.expires_at, self.session.ends_at)
        return self._credential.expires_at

    @property
    def used_second_factor(self) -> bool:
        """Whether a second factor was verified for the session, or that which made the key."""
        return self._credential.used_second_factor

    @property
    def _credential(self) -> Session | ApiKey:
        credential = self.session or self.key
        assert credential is not None  # nosec B101 - for the type checker
        return credential


class Introspection:
    """Operations on tokens that other services present.

    Args:
        sessions: Finds sessions.
        api_keys: Finds API keys.
        issuer: The URL of the service.
        requires_second_factor: Whether the rights of admins require a second factor.
    """

    def __init__(
        self,
        sessions: SessionService,
        api_keys: ApiKeys,
        *,
        issuer: str,
        requires_second_factor: bool = False,
    ) -> None:
        self._sessions = sessions
        self._api_keys = api_keys
        self.issuer = issuer
        self._requires_second_factor = requires_second_factor

    def introspect(self, token: str) -> ActiveToken | None:
        """Return the user and the roles of a token, None if it is not active for whatever reason.

        The use is recorded like a use at this service, so that a session that only other services
        see does not end as idle.

        Args:
            token: The token of a session or an API key.
        """
        try:
            if token.startswith(API_KEY_PREFIX):
                key = self._api_keys.authenticate(token)
                return self._active(key.user, key.key.roles_for(key.user), key=key.key)
            session = self._sessions.authenticate(token)
        except Unauthenticated:
            return None
        return self._active(session.user, session.user.roles, session=session.session)

    def _active(
        self,
        user: User,
        roles: list[str],
        *,
        session: Session | None = None,
        key: ApiKey | None = None,
    ) -> ActiveToken:
        active = ActiveToken(user, list(roles), session, key)
        has_admin_rights = not self._requires_second_factor or (
            user.has_second_factor and active.used_second_factor
        )
        if not has_admin_rights:
            # Here the token has no rights of an admin, so it must not have them elsewhere.
            return ActiveToken(user, [role for role in roles if role != Role.ADMIN], session, key)
        return active
