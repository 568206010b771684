"""`POST /oauth/introspect`: whether a token is active, and whose it is (RFC 7662)."""

from datetime import datetime
from typing import Any

from flask import Flask, Response

from api.oauth.client_authentication import authenticate_client, require_scope
from api.oauth.forms import read_form, required
from api.responses import json_response
from api.services import introspection
from models import ActiveToken, ClientScope, OAuthClient

PATH = "/oauth/introspect"
_INACTIVE = {"active": False}


def init_app(app: Flask) -> None:
    """Add the endpoint to an app."""
    app.add_url_rule(PATH, "introspect", _introspect, methods=["POST"])


def _introspect() -> Response:
    client = authenticate_client()
    require_scope(client, ClientScope.INTROSPECT)
    token = required(read_form(), "token")
    found = introspection.introspect(token, audience=client.audience)
    # RFC 7662, 2.2: the reason is not told.
    return json_response(_body(found, client) if found else _INACTIVE)


def _body(token: ActiveToken, client: OAuthClient) -> dict[str, Any]:
    user = token.user
    body = {
        "active": True,
        "token_type": "Bearer",
        "iss": introspection.issuer,
        "sub": user.id,
        "username": user.username,
        "exp": _seconds(token.expires_at),
        "iat": _seconds(token.issued_at),
        "roles": token.roles,
    }
    if token.roles:
        # Gateways ask routes for scopes (RFC 6749, 3.3: there is no empty one).
        body["scope"] = " ".join(token.roles)
    if token.session:
        body |= {
            "sid": token.session.id,
            "auth_time": _seconds(token.session.authenticated_at or token.session.created_at),
            "amr": token.session.methods,
        }
    else:
        body["key_id"] = token.key and token.key.id
    if token.signed:
        body |= {
            "aud": token.signed.audience,
            "client_id": token.signed.client_id,
            "jti": token.signed.id,
        }
    if ClientScope.EMAIL in client.scopes:
        body |= {"email": user.email, "email_verified": user.email_verified}
    return body


def _seconds(time: datetime) -> int:
    return int(time.timestamp())
