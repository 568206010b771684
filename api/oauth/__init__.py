"""OAuth endpoints: form-encoded requests, JSON responses, errors as in RFC 6749, section 5.2."""

from flask import Flask

from api.oauth import introspection


def init_app(app: Flask) -> None:
    """Add the endpoints to an app."""
    introspection.init_app(app)
