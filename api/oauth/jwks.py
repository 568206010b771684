"""`/.well-known/jwks.json`: the keys that verify access tokens (RFC 7517)."""

import hashlib

import orjson
from flask import Flask, Response, request

from api.services import signing_keys

PATH = "/.well-known/jwks.json"
# A new key is published a day before it signs, so a copy may be older than this, too. A revoked
# key is trusted by verifiers for this time.
_MAX_AGE_SECONDS = 300


def init_app(app: Flask) -> None:
    """Add the endpoint to an app."""
    app.add_url_rule(PATH, "jwks", _jwks)


def _jwks() -> Response:
    keys = [pair.public_jwk() for pair in signing_keys.published()]
    body = orjson.dumps({"keys": keys})
    response = Response(body, mimetype="application/json")
    response.headers["Cache-Control"] = f"public, max-age={_MAX_AGE_SECONDS}"
    response.set_etag(hashlib.sha256(body).hexdigest()[:32])
    response.make_conditional(request)
    return response
