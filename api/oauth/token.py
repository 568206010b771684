"""`POST /oauth/token`: access tokens for clients (RFC 6749, 4.4) and in exchange (RFC 8693)."""

from collections.abc import Callable
from typing import Any

from flask import Response
from flask_restx import Resource

from api.oauth.client_authentication import authenticate_request
from api.oauth.forms import required
from api.oauth.schemas import (
    ACCESS_TOKEN_TYPE,
    CLIENT_CREDENTIALS,
    TOKEN_EXCHANGE,
    TOKEN_FIELDS,
    oauth,
    token_response,
)
from api.oauth_errors import OAuthError
from api.openapi.annotations import oauth_errors
from api.responses import json_response
from api.services import access_tokens, introspection, rules
from models import AccessToken, ActiveToken, ClientScope, OAuthClient
from models.errors import RolesNotHeld, ScopesNotHeld, UnknownAudience

PATH = "/oauth/token"
_Parameters = dict[str, str]


@oauth.route("/token")
class Token(Resource):
    @oauth.doc("create_oauth_token", params=TOKEN_FIELDS)
    @oauth_errors(
        "invalid_request",
        "unsupported_grant_type",
        "unauthorized_client",
        "invalid_scope",
        "invalid_target",
    )
    @oauth.response(200, "The access token", token_response)
    def post(self) -> Response:
        """Create an access token for a client

        For clients with the scope `tokens`. With `client_credentials` the token is the client's
        own. With token exchange it is that of the user whose session or API key is the
        `subject_token`: it has no role that the user's token has not, ends with it at the latest,
        and names the client as `act`. Nothing is stored: the token cannot be revoked.
        """
        client, parameters = authenticate_request()
        grant = _GRANTS.get(required(parameters, "grant_type"))
        if grant is None:
            raise OAuthError("unsupported_grant_type", f"The grants are {', '.join(_GRANTS)}.")
        if ClientScope.TOKENS not in client.scopes:
            raise OAuthError("unauthorized_client", f"The client needs the scope {_SCOPE}.")
        if "resource" in parameters:
            raise OAuthError("invalid_target", "Name the service with `audience`.")
        try:
            return json_response(grant(client, parameters))
        except UnknownAudience as error:
            raise OAuthError("invalid_target", str(error)) from None
        except RolesNotHeld:
            # The roles in the message are text of the request.
            raise OAuthError("invalid_scope", "The subject token lacks some of these.") from None
        except ScopesNotHeld as error:
            raise OAuthError("invalid_scope", str(error)) from None


_SCOPE = ClientScope.TOKENS.value


def _for_client(client: OAuthClient, parameters: _Parameters) -> dict[str, Any]:
    audience = required(parameters, "audience")
    return _body(access_tokens.issue_to_client(client, audience, _scopes(parameters)))


def _in_exchange(client: OAuthClient, parameters: _Parameters) -> dict[str, Any]:
    found = _subject(parameters)
    if parameters.get("requested_token_type", ACCESS_TOKEN_TYPE) != ACCESS_TOKEN_TYPE:
        raise OAuthError("invalid_request", f"The only token type is {ACCESS_TOKEN_TYPE}.")
    if "actor_token" in parameters:
        raise OAuthError("invalid_request", "The actor is the client: leave out `actor_token`.")
    audience = required(parameters, "audience")
    issued = access_tokens.issue(found, audience, _scopes(parameters), by_client=client)
    return {**_body(issued), "issued_token_type": ACCESS_TOKEN_TYPE}


def _subject(parameters: _Parameters) -> ActiveToken:
    """Return the token of the user that is exchanged.

    Raises:
        OAuthError: It is missing, of another type, or does not count.
    """
    if required(parameters, "subject_token_type") != ACCESS_TOKEN_TYPE:
        raise OAuthError("invalid_request", f"The only token type is {ACCESS_TOKEN_TYPE}.")
    found = introspection.authenticate(required(parameters, "subject_token"))
    if found is None:
        # RFC 8693, 2.2.2: the reason is not told.
        raise OAuthError("invalid_request", "The subject token is not active.")
    if found.key and not rules.roles.counting(found.key.roles_for(found.user)):
        # As for `POST /v1/tokens`: such a key can only read here.
        raise OAuthError("invalid_request", "The API key has no roles: it can only read.")
    return found


def _scopes(parameters: _Parameters) -> list[str] | None:
    return parameters["scope"].split(" ") if "scope" in parameters else None


def _body(issued: AccessToken) -> dict[str, Any]:
    scope = {"scope": issued.scope} if issued.scope else {}
    return {
        "access_token": issued.token,
        "token_type": "Bearer",
        "expires_in": issued.expires_in,
        **scope,
    }


_GRANTS: dict[str, Callable[[OAuthClient, _Parameters], dict[str, Any]]] = {
    CLIENT_CREDENTIALS: _for_client,
    TOKEN_EXCHANGE: _in_exchange,
}
# The grants by the names that metadata list.
GRANT_TYPES = list(_GRANTS)
