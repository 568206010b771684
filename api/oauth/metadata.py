"""Metadata for OAuth clients and resource servers (RFC 8414): what there is, and nothing else."""

from typing import Any

from flask import Flask, Response

from api.oauth import introspection, jwks, token
from api.responses import json_response
from api.services import access_tokens
from models import ClientScope

# AWS's authorizers, among others, read the name of OpenID Connect only.
PATHS = ("/.well-known/oauth-authorization-server", "/.well-known/openid-configuration")
_MAX_AGE_SECONDS = 300
_AUTH_METHODS = ["client_secret_basic", "client_secret_post"]


def init_app(app: Flask, *, public_url: str) -> None:
    """Add the endpoints to an app.

    Args:
        app: The app.
        public_url: The public URL of the service; empty if there is none.
    """

    def metadata() -> Response:
        issuer = access_tokens.issuer
        cache = {"Cache-Control": f"public, max-age={_MAX_AGE_SECONDS}"}
        return json_response(_document(issuer, public_url or issuer.rstrip("/")), headers=cache)

    for path in PATHS:
        app.add_url_rule(path, "oauth-metadata", metadata)


def _document(issuer: str, base_url: str) -> dict[str, Any]:
    return {
        "issuer": issuer,
        "jwks_uri": base_url + jwks.PATH,
        "token_endpoint": base_url + token.PATH,
        "token_endpoint_auth_methods_supported": _AUTH_METHODS,
        "introspection_endpoint": base_url + introspection.PATH,
        "introspection_endpoint_auth_methods_supported": _AUTH_METHODS,
        "scopes_supported": [scope.value for scope in ClientScope],
        # Without it the default would be that of an authorization endpoint.
        "response_types_supported": [],
        "grant_types_supported": token.GRANT_TYPES,
    }
