"""OAuth endpoints: form-encoded requests, JSON responses, errors as in RFC 6749, section 5.2."""

from flask import Flask

from api.oauth import introspection, jwks, metadata


def init_app(app: Flask, *, public_url: str) -> None:
    """Add the endpoints to an app.

    Args:
        app: The app.
        public_url: The public URL of the service; empty if there is none.
    """
    introspection.init_app(app)
    jwks.init_app(app)
    metadata.init_app(app, public_url=public_url)
