"""Introspection: whether a token is active, whose it is, and which rights count with it."""

from dataclasses import replace

from models.errors import Unauthenticated
from models.roles import BUILT_IN_ROLES, KnownRoles, unprivileged
from models.services.access_tokens import AccessTokens
from models.services.active_token import ActiveClientToken, ActiveToken, SignedToken
from models.services.api_keys import ApiKeys
from models.services.oauth_clients import OAuthClients
from models.services.sessions import SessionService
from models.tables.api_key import API_KEY_PREFIX, ApiKey
from models.tables.session import Session
from models.tables.user import User


class Introspection:
    """Operations on tokens that other services present.

    Args:
        sessions: Finds sessions.
        api_keys: Finds API keys.
        access_tokens: Verifies access tokens.
        clients: Finds clients.
        requires_second_factor: Whether the rights of admins require a second factor.
        roles: The roles that users can have.
    """

    def __init__(
        self,
        sessions: SessionService,
        api_keys: ApiKeys,
        access_tokens: AccessTokens,
        clients: OAuthClients,
        *,
        requires_second_factor: bool = False,
        roles: KnownRoles = BUILT_IN_ROLES,
    ) -> None:
        self._sessions = sessions
        self._api_keys = api_keys
        self._access_tokens = access_tokens
        self._clients = clients
        self.issuer = access_tokens.issuer
        self._requires_second_factor = requires_second_factor
        self._roles = roles

    def introspect(
        self, token: str, *, audience: str | None = None
    ) -> ActiveToken | ActiveClientToken | None:
        """Return whose a token is, and its rights; None if it is not active for whatever reason.

        Args:
            token: The token of a session or an API key, or an access token.
            audience: The audience of the service that asks: access tokens for others, and all of
                them if it has none, are not active.
        """
        if audience is None or "." not in token:
            return self.authenticate(token)
        signed = self._access_tokens.verify(token, audience)
        if signed is None or not self._requester_lives(signed):
            return None
        return self._client_token(signed) if signed.is_of_client else self._user_token(signed)

    def authenticate(self, token: str) -> ActiveToken | None:
        """Return the user and the roles of a token, None if it is not active for whatever reason.

        The use is recorded like a use at this service, so that a session that only other services
        see does not end as idle.

        Args:
            token: The token of a session or an API key.
        """
        try:
            if token.startswith(API_KEY_PREFIX):
                key = self._api_keys.authenticate(token)
                return self.active(key.user, key=key.key)
            session = self._sessions.authenticate(token)
        except Unauthenticated:
            return None
        return self.active(session.user, session=session.session)

    def active(
        self, user: User, *, session: Session | None = None, key: ApiKey | None = None
    ) -> ActiveToken:
        """Return an authenticated session or key with the roles that count for it.

        Args:
            user: The user.
            session: The session, None for an API key.
            key: The key, None for a session.
        """
        roles = self._roles.counting(key.roles_for(user) if key else user.roles)
        active = ActiveToken(user, roles, session, key)
        has_rights = not self._requires_second_factor or (
            user.has_second_factor and active.used_second_factor
        )
        if not has_rights:
            # Here the token has no rights over others, so it must not have them elsewhere.
            return replace(active, roles=unprivileged(roles))
        return active

    def _requester_lives(self, signed: SignedToken) -> bool:
        """Return whether the client that acts for the user, if there is one, is not disabled."""
        return signed.actor_id is None or self._clients.find_enabled(signed.actor_id) is not None

    def _client_token(self, signed: SignedToken) -> ActiveClientToken | None:
        client = self._clients.find_enabled(signed.client_id)
        if client is None:
            return None
        scopes = [scope for scope in client.scopes if scope in signed.scopes]
        return ActiveClientToken(client, scopes, signed)

    def _user_token(self, signed: SignedToken) -> ActiveToken | None:
        """Return an access token with the roles in it that still count."""
        try:
            if signed.session_id is not None:
                session = self._sessions.authenticate_id(signed.subject_id, signed.session_id)
                active = self.active(session.user, session=session.session)
            else:
                key = self._api_keys.authenticate_id(signed.subject_id, signed.key_id or "")
                active = self.active(key.user, key=key.key)
        except Unauthenticated:
            return None
        roles = [role for role in active.roles if role in signed.roles]
        return replace(active, roles=roles, signed=signed)
