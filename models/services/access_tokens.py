"""Access tokens: signed tokens for one audience, which services verify without asking (RFC 9068).

Nothing about a token is stored: it is valid until it expires, whatever happens to its session.
"""

import secrets
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from models.clock import from_seconds, now
from models.errors import RolesNotHeld, ScopesNotHeld, UnknownAudience
from models.security.token_signing import signed_with
from models.services.active_token import ActiveToken, SignedToken
from models.services.fixed_signing_keys import SigningKeySource
from models.services.oauth_clients import OAuthClients
from models.tables.oauth_client import ClientScope, OAuthClient
from models.tables.user import is_user_id

# The `client_id` of tokens for a session: RFC 9068, 2.2, requires one.
OWN_CLIENT_ID = "roster"
# 128 bits.
_ID_BYTES = 16
# A token of another host may be this much in the future.
_MAX_CLOCK_DIFFERENCE = timedelta(seconds=60)


@dataclass(frozen=True)
class AccessToken:
    """A new access token.

    Attributes:
        token: The token.
        expires_in: After how many seconds it expires.
        audience: The URI of the service that it is meant for.
        scope: Its scope; empty if it has none.
    """

    token: str = field(repr=False)
    expires_in: int
    audience: str
    scope: str = ""


class AccessTokens:
    """Issues and verifies access tokens.

    Args:
        keys: Sign and verify.
        clients: Have the audiences.
        issuer: The URL of the service, which verifiers compare to the letter.
        lifetime: How long a token is valid.
        clock: Returns the time by which tokens expire.
    """

    def __init__(
        self,
        keys: SigningKeySource,
        clients: OAuthClients,
        *,
        issuer: str,
        lifetime: timedelta = timedelta(minutes=5),
        clock: Callable[[], datetime] = now,
    ) -> None:
        self.issuer = issuer
        self._keys = keys
        self._clients = clients
        self._lifetime = lifetime
        self._clock = clock

    def issue(
        self,
        active: ActiveToken,
        audience: str,
        roles: Collection[str] | None = None,
        *,
        by_client: OAuthClient | None = None,
    ) -> AccessToken:
        """Return an access token for a session or an API key.

        It does not outlive the end of the session or the key that is known now.

        Args:
            active: The session or the key, and the roles that count for it.
            audience: The URI of the service that it is meant for.
            roles: The roles in it; by default all that count.
            by_client: The client that acts for the user, None if the user requests it.

        Raises:
            UnknownAudience: No client that is not disabled has this audience.
            RolesNotHeld: Some of the roles do not count for the session or the key.
        """
        recipient = self._recipient(audience)
        if missing := sorted(set(roles or ()) - set(active.roles)):
            raise RolesNotHeld(missing)
        granted = [role for role in active.roles if roles is None or role in roles]
        claims = {"sub": active.user.id, **_claims_of(active, by_client), "roles": granted}
        if ClientScope.EMAIL in recipient.scopes:
            user = active.user
            claims |= {"email": user.email, "email_verified": user.email_verified}
            if user.username is not None:
                claims["username"] = user.username
        return self._sign(audience, claims, granted, ends_at=active.ends_at)

    def issue_to_client(
        self, client: OAuthClient, audience: str, scopes: Collection[str] | None = None
    ) -> AccessToken:
        """Return an access token for a client itself.

        Args:
            client: The client, which is authenticated.
            audience: The URI of the service that it is meant for.
            scopes: The scopes in it; by default all of the client.

        Raises:
            UnknownAudience: No client that is not disabled has this audience.
            ScopesNotHeld: The client does not have some of the scopes.
        """
        self._recipient(audience)
        if set(scopes or ()) - set(client.scopes):
            raise ScopesNotHeld
        granted = [scope for scope in client.scopes if scopes is None or scope in scopes]
        # Services that expect the tokens of users read roles.
        claims = {"sub": client.id, "client_id": client.id, "roles": []}
        return self._sign(audience, claims, granted)

    def _recipient(self, audience: str) -> OAuthClient:
        client = self._clients.find_by_audience(audience)
        if client is None:
            raise UnknownAudience
        return client

    def _sign(
        self,
        audience: str,
        claims: Mapping[str, Any],
        scopes: Sequence[str],
        *,
        ends_at: datetime | None = None,
    ) -> AccessToken:
        issued_at = int(self._clock().timestamp())
        expires_at = issued_at + int(self._lifetime.total_seconds())
        if ends_at is not None:
            expires_at = min(expires_at, int(ends_at.timestamp()))
        all_claims = {
            "iss": self.issuer,
            "aud": audience,
            "exp": expires_at,
            "iat": issued_at,
            "jti": secrets.token_hex(_ID_BYTES),
            **claims,
        }
        scope = " ".join(scopes)
        if scope:
            # Gateways ask routes for scopes (RFC 6749, 3.3: there is no empty one).
            all_claims["scope"] = scope
        token = self._keys.signer().sign(all_claims)
        return AccessToken(token, expires_at - issued_at, audience, scope)

    def verify(self, token: str, audience: str) -> SignedToken | None:
        """Return the claims of an access token of this service, None if it is not valid now.

        Whether its session, key or client lives is not considered.

        Args:
            token: The token.
            audience: The URI that it must be meant for.
        """
        kid = signed_with(token)
        pair = self._keys.find(kid) if kid else None
        claims = pair.verify(token) if pair else None
        if claims is None or not self._are_valid(claims, audience):
            return None
        session_id, key_id = claims.get("sid"), claims.get("key_id")
        is_of_key = session_id is None and claims["client_id"] != claims["sub"]
        return SignedToken(
            subject_id=claims["sub"],
            audience=audience,
            client_id=claims["client_id"],
            session_id=session_id,
            key_id=key_id or (claims["client_id"] if is_of_key else None),
            actor_id=claims.get("act", {}).get("sub"),
            roles=claims["roles"],
            scopes=claims.get("scope", "").split(),
            issued_at=from_seconds(claims["iat"]),
            expires_at=from_seconds(claims["exp"]),
            id=claims["jti"],
        )

    def _are_valid(self, claims: dict[str, Any], audience: str) -> bool:
        """Return whether signed claims are those of a token that is valid now."""
        time = self._clock().timestamp()
        latest = time + _MAX_CLOCK_DIFFERENCE.total_seconds()
        return (
            claims.get("iss") == self.issuer
            and claims.get("aud") == audience
            and is_user_id(claims["sub"])
            and time < claims["exp"]
            and max(claims["iat"], claims.get("nbf", 0)) <= latest
        )


def _claims_of(active: ActiveToken, by_client: OAuthClient | None) -> dict[str, Any]:
    """Return the claims about the session or the key, and about who requests the token."""
    claims: dict[str, Any] = {"client_id": OWN_CLIENT_ID}
    if active.key:
        claims = {"client_id": active.key.id}
    if by_client:
        # RFC 8693, 4.1: the token is of the user, and the client acts for it.
        claims = {"client_id": by_client.id, "act": {"sub": by_client.id}}
        if active.key:
            claims["key_id"] = active.key.id
    if session := active.session:
        authenticated_at = session.authenticated_at or session.created_at
        claims |= {
            "sid": session.id,
            "auth_time": int(authenticated_at.timestamp()),
            "amr": session.methods,
        }
    return claims
