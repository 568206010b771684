"""Rotation while several hosts issue tokens at once, over HTTP, and services verify them."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import jwt
import pytest

from models import AccessTokens, SigningKeys, TokenAlgorithm
from models.services.signing_key_ring import ADVANCE, ROTATION
from models.tables.signing_key import ACCESS_TOKENS, SigningKey
from tests.support.clock import Clock
from tests.support.person import PASSWORD
from tests.support.secret_key import SECRET_KEY

AUDIENCE = "https://billing.example.com"
HOSTS = 4
VERIFIERS = 3
# The `max-age` of the published keys.
MAX_AGE = timedelta(seconds=300)
LIFETIME = timedelta(minutes=5)
LONG = timedelta(days=400)
# Near the time at which a key begins to sign, the steps are short.
NEAR, SHORT, FAR = timedelta(minutes=16), timedelta(minutes=2), timedelta(hours=12)


class Host:
    """A worker on one host: an app with keys and tokens by the clock of the test."""

    def __init__(self, app, clock: Clock) -> None:
        self.app, self.clock = app, clock
        services = app.extensions["roster"]
        keys = SigningKeys((SECRET_KEY,), TokenAlgorithm.ES256, services.background, clock=clock)
        tokens = AccessTokens(keys, services.clients, issuer="https://a.example", clock=clock)
        app.extensions["roster"] = replace(services, signing_keys=keys, access_tokens=tokens)
        self.client = app.test_client()

    def issue(self, session: str) -> str:
        """Return a new access token."""
        response = self.client.post(
            "/v1/tokens",
            json={"audience": AUDIENCE},
            headers={"Authorization": f"Bearer {session}"},
        )
        assert response.status_code == 201, response.text
        return response.json["access_token"]

    def published(self) -> Any:
        """Return the published keys."""
        return self.client.get("/.well-known/jwks.json").json


class Verifier:
    """A service that keeps the published keys as long as it may, and asks for no unknown key."""

    def __init__(self, host: Host, offset: timedelta) -> None:
        self.host = host
        self.read_at = host.clock.time - MAX_AGE + offset
        self.keys = jwt.PyJWKSet.from_dict(host.published())

    def refresh(self) -> None:
        """Read the keys again if they are too old."""
        if self.host.clock.time - self.read_at >= MAX_AGE:
            self.read_at = self.host.clock.time
            self.keys = jwt.PyJWKSet.from_dict(self.host.published())

    def accepts(self, token: str) -> bool:
        """Return whether the signature is that of a key that it knows."""
        try:
            key = self.keys[jwt.get_unverified_header(token)["kid"]]
            # The time of the test is another one than that of the library.
            jwt.decode(
                token,
                key,
                algorithms=["ES256"],
                audience=AUDIENCE,
                options={"verify_exp": False, "verify_iat": False},
            )
        except (KeyError, jwt.PyJWTError):
            return False
        return True


@pytest.fixture
def hosts(make_app):
    """Return four hosts with one clock, whose sessions do not end meanwhile."""
    clock = Clock()
    settings = {"rate_limits": False, "session_idle": LONG, "session_max": LONG}
    return [Host(make_app(**settings), clock) for _ in range(HOSTS)]


@pytest.fixture
def session(hosts, jane, john):
    """Return the token of a session of jane; a client has the audience."""
    john.post("/v1/clients", json={"name": "billing", "audience": AUDIENCE})
    credentials = {"login": "jane", "password": PASSWORD}
    return hosts[0].client.post("/v1/sessions", json=credentials).json["token"]


def begins(app):
    """Return when each stored key begins to sign."""
    with app.app_context():
        return [row.signs_from for row in SigningKey.query(ACCESS_TOKENS)]


def next_time(at, starts):
    """Return the next time: in short steps near those at which a key begins to sign."""
    if any(start - NEAR <= at < start + NEAR for start in starts):
        return at + SHORT
    return min([at + FAR, *(start - NEAR for start in starts if at < start - NEAR)])


def simulate(hosts, verifiers, session):
    """Move the clock over two rotations; return the IDs of keys, and the rejected tokens."""
    clock, kids, rejected, alive = hosts[0].clock, set(), [], []
    end = clock.time + 2 * (ROTATION + ADVANCE) + timedelta(days=1)
    while clock.time < end:
        clock.time = next_time(clock.time, begins(hosts[0].app))
        # Before the hosts, so that a key that is created now is not among them for 5 minutes.
        for verifier in verifiers:
            verifier.refresh()
        with ThreadPoolExecutor(HOSTS) as pool:
            issued = list(pool.map(lambda host: host.issue(session), hosts))
        assert all(host.app.extensions["roster"].background.drain(10) for host in hosts)
        alive = [each for each in alive if clock.time - each[0] < LIFETIME]
        alive += [(clock.time, token) for token in issued]
        kids |= {jwt.get_unverified_header(token)["kid"] for token in issued}
        rejected += [
            token for _, token in alive if not all(each.accepts(token) for each in verifiers)
        ]
    return kids, rejected


def test_no_token_is_rejected(hosts, session):
    """Over two rotations no token is rejected before its end, with keys up to 5 minutes old."""
    verifiers = [
        Verifier(host, number * MAX_AGE / VERIFIERS)
        for number, host in enumerate(hosts[:VERIFIERS])
    ]
    kids, rejected = simulate(hosts, verifiers, session)

    assert len(kids) == 3
    assert rejected == []
