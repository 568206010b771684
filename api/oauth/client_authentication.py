"""Authenticate the client of an OAuth request by its secret."""

import base64
from urllib.parse import unquote_plus

from flask import request

from api import security_log
from api.oauth_errors import OAuthError
from api.problems import PROBLEMS
from api.rate_limits import CLIENT_AUTHENTICATIONS, limit_client
from api.services import clients
from models import ClientScope, OAuthClient
from models.errors import InvalidClient

# No ID and secret are longer.
_MAX_LENGTH = 1024


def authenticate_client() -> OAuthClient:
    """Return the client of the current request, by HTTP Basic authentication or a bearer token.

    Failed attempts are limited by address, successful ones are not.

    Raises:
        OAuthError: No client that is not disabled has these credentials.
        TooManyRequests: The address has failed too often.
    """
    client_id, secret = _credentials()
    try:
        return clients.authenticate(secret, client_id=client_id)
    except InvalidClient as error:
        limit_client(CLIENT_AUTHENTICATIONS)
        security_log.rejected(PROBLEMS["unauthenticated"], error)
        raise OAuthError("invalid_client", str(error)) from None


def require_scope(client: OAuthClient, scope: ClientScope) -> None:
    """Reject the request of a client that lacks a scope.

    Raises:
        OAuthError: The client lacks the scope.
    """
    if scope not in client.scopes:
        raise OAuthError("insufficient_scope", f"The client needs the scope {scope}.")


def _credentials() -> tuple[str | None, str]:
    """Return the ID, if it was sent, and the secret; both empty if there are none."""
    scheme, _, text = request.headers.get("Authorization", "").partition(" ")
    text = text.strip()
    if len(text) > _MAX_LENGTH:
        return None, ""
    if scheme.lower() == "bearer":
        return None, text
    if scheme.lower() != "basic":
        return None, ""
    try:
        decoded = base64.b64decode(text, validate=True).decode()
    except ValueError:
        return None, ""
    id, _, secret = decoded.partition(":")
    # RFC 6749, section 2.3.1: both are form-encoded before they are encoded in base64.
    return unquote_plus(id).lower(), unquote_plus(secret)
