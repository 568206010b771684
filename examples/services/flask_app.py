"""A Flask service that asks Roster who calls it. Requires Flask and requests."""

import hashlib
import os
import time

import requests
from flask import Flask, abort, g, request

roster = requests.Session()
roster.auth = (os.environ["ROSTER_CLIENT_ID"], os.environ["ROSTER_CLIENT_SECRET"])
cache: dict[str, tuple[float, dict]] = {}
app = Flask(__name__)


def introspect(token: str) -> dict:
    key = hashlib.sha256(token.encode()).hexdigest()
    until, found = cache.get(key, (0.0, {}))
    if time.time() < until:
        return found
    try:
        url = os.environ["ROSTER_URL"] + "/oauth/introspect"
        response = roster.post(url, data={"token": token}, timeout=5, allow_redirects=False)
        found = response.json() if response.status_code == 200 else abort(503)
    except requests.RequestException:
        abort(503)  # Not verified is neither granted nor rejected.
    until = min(time.time() + 30, found["exp"]) if found["active"] else time.time() + 10
    if len(cache) >= 10_000:
        cache.clear()
    cache[key] = (until, found)
    return found


@app.before_request
def authenticate():
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    is_bearer = scheme.lower() == "bearer" and token.strip()
    g.user = introspect(token.strip()) if is_bearer else {"active": False}
    if "username" not in g.user:  # Not active, or of a client, which is no user.
        return {"error": "unauthenticated"}, 401, {"WWW-Authenticate": "Bearer"}


@app.get("/orders")
def orders():
    return {"user": g.user["sub"], "name": g.user["username"], "roles": g.user["roles"]}
