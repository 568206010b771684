"""`POST /oauth/introspect`: whether a token is active, and whose it is (RFC 7662)."""

from datetime import datetime
from typing import Any

from flask import Response
from flask_restx import Resource

from api.oauth.client_authentication import authenticate_request, require_scope
from api.oauth.forms import required
from api.oauth.schemas import INTROSPECTION_FIELDS, introspection_response, oauth
from api.openapi.annotations import oauth_errors
from api.responses import json_response
from api.services import introspection
from models import ActiveClientToken, ActiveToken, ClientScope, OAuthClient

PATH = "/oauth/introspect"
_INACTIVE = {"active": False}


@oauth.route("/introspect")
class Introspect(Resource):
    @oauth.doc("introspect_token", params=INTROSPECTION_FIELDS)
    @oauth_errors("invalid_request", "insufficient_scope")
    @oauth.response(200, "Whether the token is active, and whose it is", introspection_response)
    def post(self) -> Response:
        """Introspect a token

        For clients with the scope `introspect`. Whatever is not active is `{"active": false}`,
        whether it is unknown, expired, revoked, or meant for another service.
        """
        client, parameters = authenticate_request()
        require_scope(client, ClientScope.INTROSPECT)
        token = required(parameters, "token")
        found = introspection.introspect(token, audience=client.audience)
        # RFC 7662, 2.2: the reason is not told.
        return json_response(_body(found, client) if found else _INACTIVE)


def _body(token: ActiveToken | ActiveClientToken, client: OAuthClient) -> dict[str, Any]:
    body = {"active": True, "token_type": "Bearer", "iss": introspection.issuer}
    if isinstance(token, ActiveClientToken):
        body |= _of_client(token)
    else:
        body |= _of_user(token, client)
    if token.signed:
        body |= {
            "aud": token.signed.audience,
            "client_id": token.signed.client_id,
            "jti": token.signed.id,
        }
    return body


def _of_client(token: ActiveClientToken) -> dict[str, Any]:
    return {
        "sub": token.client.id,
        "exp": _seconds(token.signed.expires_at),
        "iat": _seconds(token.signed.issued_at),
        "roles": [],
        **_scope(token.scopes),
    }


def _of_user(token: ActiveToken, client: OAuthClient) -> dict[str, Any]:
    user = token.user
    body = {
        "sub": user.id,
        "exp": _seconds(token.expires_at),
        "iat": _seconds(token.issued_at),
        "roles": token.roles,
        **_scope(token.roles),
    }
    if user.username is not None:
        body["username"] = user.username
    if token.session:
        body |= {
            "sid": token.session.id,
            "auth_time": _seconds(token.session.authenticated_at or token.session.created_at),
            "amr": token.session.methods,
        }
    else:
        body["key_id"] = token.key and token.key.id
    if token.signed and token.signed.actor_id:
        body["act"] = {"sub": token.signed.actor_id}
    if ClientScope.EMAIL in client.scopes:
        body |= {"email": user.email, "email_verified": user.email_verified}
    return body


def _scope(words: list[str]) -> dict[str, str]:
    # Gateways ask routes for scopes (RFC 6749, 3.3: there is no empty one).
    return {"scope": " ".join(words)} if words else {}


def _seconds(time: datetime) -> int:
    return int(time.timestamp())
