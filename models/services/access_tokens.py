"""Access tokens: signed tokens for one audience, which services verify without asking (RFC 9068).

Nothing about a token is stored: it is valid until it expires, whatever happens to its session.
"""

import secrets
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from models.clock import from_seconds, now
from models.errors import RolesNotHeld, UnknownAudience
from models.security.token_signing import signed_with
from models.services.active_token import ActiveToken, SignedToken
from models.services.fixed_signing_keys import SigningKeySource
from models.services.oauth_clients import OAuthClients
from models.tables.oauth_client import ClientScope
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
    """

    token: str = field(repr=False)
    expires_in: int
    audience: str


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
        self, active: ActiveToken, audience: str, roles: Collection[str] | None = None
    ) -> AccessToken:
        """Return an access token for a session or an API key.

        It does not outlive the end of the session or the key that is known now.

        Args:
            active: The session or the key, and the roles that count for it.
            audience: The URI of the service that it is meant for.
            roles: The roles in it; by default all that count.

        Raises:
            UnknownAudience: No client that is not disabled has this audience.
            RolesNotHeld: Some of the roles do not count for the session or the key.
        """
        client = self._clients.find_by_audience(audience)
        if client is None:
            raise UnknownAudience
        if missing := sorted(set(roles or ()) - set(active.roles)):
            raise RolesNotHeld(missing)
        granted = [role for role in active.roles if roles is None or role in roles]
        issued_at = int(self._clock().timestamp())
        ends_at = int(active.ends_at.timestamp())
        expires_at = min(issued_at + int(self._lifetime.total_seconds()), ends_at)
        claims = {
            "iss": self.issuer,
            "sub": active.user.id,
            "aud": audience,
            "exp": expires_at,
            "iat": issued_at,
            "jti": secrets.token_hex(_ID_BYTES),
            **_claims_of(active),
            "roles": granted,
        }
        if granted:
            # Gateways ask routes for scopes (RFC 6749, 3.3: there is no empty one).
            claims["scope"] = " ".join(granted)
        if ClientScope.EMAIL in client.scopes:
            user = active.user
            claims |= {
                "email": user.email,
                "email_verified": user.email_verified,
                "username": user.username,
            }
        return AccessToken(self._keys.signer().sign(claims), expires_at - issued_at, audience)

    def verify(self, token: str, audience: str) -> SignedToken | None:
        """Return the claims of an access token of this service, None if it is not valid now.

        Whether its session or key lives is not considered.

        Args:
            token: The token.
            audience: The URI that it must be meant for.
        """
        kid = signed_with(token)
        pair = self._keys.find(kid) if kid else None
        claims = pair.verify(token) if pair else None
        if claims is None or not self._are_valid(claims, audience):
            return None
        return SignedToken(
            user_id=claims["sub"],
            audience=audience,
            client_id=claims["client_id"],
            session_id=claims.get("sid"),
            roles=claims["roles"],
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


def _claims_of(active: ActiveToken) -> dict[str, Any]:
    """Return the claims about the session or the key."""
    session = active.session
    if session is None:
        return {"client_id": active.key and active.key.id}
    authenticated_at = session.authenticated_at or session.created_at
    return {
        "client_id": OWN_CLIENT_ID,
        "sid": session.id,
        "auth_time": int(authenticated_at.timestamp()),
        "amr": session.methods,
    }
