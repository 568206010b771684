"""OAuth endpoints: form-encoded requests, JSON responses, errors as in RFC 6749, section 5.2."""

from flask import Flask

# Importing the endpoints adds them to the namespace.
from api.oauth import introspection, jwks, metadata, token
from api.oauth.schemas import oauth

__all__ = ["init_app", "introspection", "oauth", "token"]


def init_app(app: Flask, *, public_url: str) -> None:
    """Add the documents to an app; the endpoints are a namespace of the REST API.

    Args:
        app: The app.
        public_url: The public URL of the service; empty if there is none.
    """
    jwks.init_app(app)
    metadata.init_app(app, public_url=public_url)
