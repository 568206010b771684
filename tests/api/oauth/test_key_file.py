"""Access tokens with the keys of ROSTER_TOKEN_KEYS_FILE."""

import json

import pytest

from models import KeyPair, SigningKeys, TokenAlgorithm
from models.security.token_signing import signed_with
from tests.support.person import PASSWORD

AUDIENCE = "https://billing.example.com"


@pytest.fixture
def pairs():
    """Return a key that signs, and one that is only published."""
    return [KeyPair.generate(TokenAlgorithm.RS256), KeyPair.generate(TokenAlgorithm.ES256)]


@pytest.fixture
def start(make_app, tmp_path):
    """Return a function that starts the service with keys, and returns a client of it."""

    def make(*pairs):
        path = tmp_path / "token-keys.json"
        path.write_text(json.dumps({"keys": [json.loads(pair.secret()) for pair in pairs]}))
        path.chmod(0o600)
        return make_app(token_keys_file=path).test_client()

    return make


@pytest.fixture
def billing(john):
    """Return the ID and the secret of a client with an audience that may introspect."""
    body = {"name": "billing", "audience": AUDIENCE, "scopes": ["introspect"]}
    created = john.post("/v1/clients", json=body).json
    return created["id"], created["secret"]


def issue(client, person):
    """Return an access token of a user."""
    session = client.post("/v1/sessions", json={"login": person.username, "password": PASSWORD})
    response = client.post(
        "/v1/tokens",
        json={"audience": AUDIENCE},
        headers={"Authorization": f"Bearer {session.json['token']}"},
    )
    assert response.status_code == 201, response.text
    return response.json["access_token"]


def kids(client):
    """Return the IDs of the published keys."""
    return [key["kid"] for key in client.get("/.well-known/jwks.json").json["keys"]]


def test_token(start, pairs, billing, jane):
    """The first key signs, all keys are published without their private parts."""
    client = start(*pairs)
    token = issue(client, jane)
    published = client.get("/.well-known/jwks.json").json["keys"]

    assert signed_with(token) == pairs[0].kid
    assert published == [pair.public_jwk() for pair in pairs]
    assert "d" not in published[0]


def test_rotation(start, pairs, billing, jane):
    """After each step of a rotation, the tokens of the step before are still active."""
    old, new = pairs
    first = issue(start(old), jane)
    published = start(old, new)
    second = issue(published, jane)
    signing = start(new, old)
    states = [
        client.post("/oauth/introspect", data={"token": token}, auth=billing).json["active"]
        for client, token in ((published, first), (signing, second), (signing, first))
    ]

    assert (signed_with(second), signed_with(issue(signing, jane))) == (old.kid, new.kid)
    assert states == [True, True, True]


def test_removed_key(start, pairs, billing, jane):
    """A token of a key that was removed from the file is not active."""
    old, new = pairs
    token = issue(start(old), jane)
    response = start(new).post("/oauth/introspect", data={"token": token}, auth=billing)

    assert response.json == {"active": False}


def test_table(app, start, pairs, billing, jane, database_calls):
    """A key in the table neither signs nor is published, and the table is not read."""
    with app.app_context():
        stored = app.extensions["roster"].signing_keys
        assert isinstance(stored, SigningKeys)
        kid = stored.signer().kid
    client = start(*pairs)
    token = issue(client, jane)
    with database_calls() as calls:
        found = kids(client)

    assert kid not in [*found, signed_with(token)]
    assert calls == []
