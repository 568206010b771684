"""Authenticate the client of an OAuth request by its secret."""

import base64
from urllib.parse import unquote_plus

from flask import request

from api import security_log
from api.oauth.forms import FORM, read_form
from api.oauth_errors import OAuthError
from api.problems import PROBLEMS
from api.rate_limits import CLIENT_AUTHENTICATIONS, limit_client
from api.services import clients
from models import ClientScope, OAuthClient
from models.errors import InvalidClient

_CREDENTIALS_IN_FORM = {"client_secret", "client_assertion"}
# No ID and secret are longer.
_MAX_LENGTH = 1024


def authenticate_request() -> tuple[OAuthClient, dict[str, str]]:
    """Return the client of the current request, and the parameters of its form.

    It authenticates with HTTP Basic authentication, with `client_id` and `client_secret` in the
    form, or with its secret as a bearer token, and never in two ways (RFC 6749, section 2.3).
    Failed attempts are limited by address, successful ones are not.

    Raises:
        OAuthError: No client that is not disabled has these credentials, or the form is not valid.
        TooManyRequests: The address has failed too often.
    """
    if "Authorization" in request.headers:
        client = _authenticate(*_credentials_in_header())
        parameters = read_form()
        if parameters.keys() & _CREDENTIALS_IN_FORM:
            raise OAuthError("invalid_request", "Authenticate in one way only.")
        if parameters.get("client_id", client.id).lower() != client.id:
            raise _rejected(InvalidClient())
        return client, parameters
    # Without a form there are no credentials.
    parameters = read_form() if request.mimetype == FORM else {}
    id = parameters.get("client_id", "").lower()
    return _authenticate(id, parameters.get("client_secret", "")), parameters


def _authenticate(client_id: str | None, secret: str) -> OAuthClient:
    try:
        return clients.authenticate(secret, client_id=client_id)
    except InvalidClient as error:
        raise _rejected(error) from None


def _rejected(error: InvalidClient) -> OAuthError:
    """Count and log a failed attempt, and return its error.

    Raises:
        TooManyRequests: The address has failed too often.
    """
    limit_client(CLIENT_AUTHENTICATIONS)
    security_log.rejected(PROBLEMS["unauthenticated"], error)
    return OAuthError("invalid_client", str(error))


def require_scope(client: OAuthClient, scope: ClientScope) -> None:
    """Reject the request of a client that lacks a scope.

    Raises:
        OAuthError: The client lacks the scope.
    """
    if scope not in client.scopes:
        raise OAuthError("insufficient_scope", f"The client needs the scope {scope}.")


def _credentials_in_header() -> tuple[str | None, str]:
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
