"""`/.well-known/jwks.json`: the keys that verify access tokens (RFC 7517)."""

import hashlib
from functools import lru_cache

import orjson
from flask import Flask, Response, request

from api.services import signing_keys
from models import KeyPair

PATH = "/.well-known/jwks.json"
# A new key is published a day before it signs, so a copy may be older than this, too. A revoked
# key is trusted by verifiers for this time.
_MAX_AGE_SECONDS = 300


def init_app(app: Flask) -> None:
    """Add the endpoint to an app."""
    app.add_url_rule(PATH, "jwks", _jwks)


def _jwks() -> Response:
    body, tag = _document(tuple(signing_keys.published()))
    response = Response(body, mimetype="application/json")
    response.headers["Cache-Control"] = f"public, max-age={_MAX_AGE_SECONDS}"
    response.set_etag(tag)
    response.make_conditional(request)
    return response


@lru_cache(maxsize=8)
def _document(keys: tuple[KeyPair, ...]) -> tuple[bytes, str]:
    """Return the document with these keys, which the clock has chosen, and its entity tag."""
    body = orjson.dumps({"keys": [key.public_jwk() for key in keys]})
    return body, hashlib.sha256(body).hexdigest()[:32]
