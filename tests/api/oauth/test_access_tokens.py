"""`POST /oauth/introspect` for access tokens: genuine ones, and hostile ones."""

import base64
import hmac
import json
import time
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from models import ClientScope, SecondFactorRule
from models.security.token_signing import KeyPair, TokenAlgorithm
from tests.support.api_keys import with_key

PATH = "/oauth/introspect"
AUDIENCE = "https://billing.example.com"
INACTIVE = {"active": False}


@pytest.fixture
def billing(app):
    """Return the secret of a client with an audience that may introspect."""
    with app.app_context():
        _, secret = app.extensions["roster"].clients.create(
            "billing", scopes=[ClientScope.INTROSPECT], audience=AUDIENCE
        )
    return secret


@pytest.fixture
def introspect(client, billing):
    """Return a function that introspects a token as the client that it is meant for."""

    def ask(token: str, secret: str = billing) -> Any:
        headers = {"Authorization": f"Bearer {secret}"}
        response = client.post(PATH, data={"token": token}, headers=headers)
        assert response.status_code == 200, response.text
        return response.json

    return ask


@pytest.fixture
def issue(billing):
    """Return a function that creates an access token: `issue(jane)`."""

    def create(person, **body: Any) -> str:
        response = person.post("/v1/tokens", json={"audience": AUDIENCE, **body})
        assert response.status_code == 201, response.text
        return response.json["access_token"]

    return create


@pytest.fixture
def signer(app):
    """Return the key pair of the service."""
    with app.app_context():
        return app.extensions["roster"].signing_keys.signer()


@pytest.fixture
def claims(jane, issue):
    """Return the claims of a genuine token."""
    return jwt.decode(issue(jane), options={"verify_signature": False})


def encoded(value: Any) -> str:
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def signed_by(pair: KeyPair, header: Any, claims: Any) -> str:
    """Return a token with a genuine signature over any header."""
    text = f"{encoded(header)}.{encoded(claims)}"
    signature = pair._key.private_key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())
    return f"{text}.{encoded(signature)}"


def with_header(token: str, header: Any) -> str:
    """Return a token with another header."""
    return ".".join([encoded(header), *token.split(".")[1:]])


class TestActive:
    def test_session(self, introspect, issue, jane):
        """The response has the claims, and the current username."""
        token = issue(jane)
        claims = jwt.decode(token, options={"verify_signature": False})

        assert introspect(token) == {
            "active": True,
            "token_type": "Bearer",
            "username": "jane",
            **claims,
        }

    def test_api_key(self, introspect, issue, jane):
        """A token of an API key names it."""
        key = with_key(jane, roles=["user"])
        body = introspect(issue(key))

        assert body["active"] is True
        assert body["client_id"] == body["key_id"] == key.session_id

    def test_roles_are_current(self, introspect, issue, john, jane):
        """A role that the user has lost does not count, nor does a new one."""
        john.patch(jane.path, json={"roles": ["admin", "user"]})
        token = issue(jane, roles=["admin"])
        john.patch(jane.path, json={"roles": ["user"]})

        assert introspect(token)["roles"] == []

    def test_admin_without_required_second_factor(self, make_app, billing, issue, john):
        """Where admins need a second factor, `admin` does not count without one."""
        token = issue(john)
        strict = make_app(second_factor=SecondFactorRule.ADMINS).test_client()
        headers = {"Authorization": f"Bearer {billing}"}
        response = strict.post(PATH, data={"token": token}, headers=headers)

        assert (response.json["active"], response.json["roles"]) == (True, [])


class TestEnded:
    def test_signed_out(self, introspect, issue, jane):
        """A token is inactive from the moment its session ends."""
        token = issue(jane)
        jane.delete("/v1/sessions/current")

        assert introspect(token) == INACTIVE

    def test_suspended(self, introspect, issue, john, jane):
        """The tokens of a suspended user are inactive."""
        token = issue(jane)
        john.patch(jane.path, json={"status": "suspended"})

        assert introspect(token) == INACTIVE

    def test_deleted(self, introspect, issue, jane):
        """The tokens of a deleted user are inactive."""
        token = issue(jane)
        jane.delete("/v1/users/me")

        assert introspect(token) == INACTIVE

    def test_revoked_api_key(self, introspect, issue, jane):
        """The tokens of a revoked API key are inactive."""
        key = with_key(jane, roles=["user"])
        token = issue(key)
        jane.delete(f"/v1/users/me/api-keys/{key.session_id}")

        assert introspect(token) == INACTIVE

    def test_revoked_signing_key(self, app, introspect, issue, signer, jane):
        """The tokens of a revoked signing key are inactive, new ones are active."""
        token = issue(jane)
        with app.app_context():
            app.extensions["roster"].signing_keys.revoke(signer.kid)

        assert introspect(token) == INACTIVE
        assert introspect(issue(jane))["active"] is True


class TestAudience:
    @pytest.mark.parametrize("audience", ["https://other.example.com", None])
    def test_other_client(self, app, introspect, issue, jane, audience):
        """A token is inactive for every client but the one that it is meant for."""
        token = issue(jane)
        with app.app_context():
            _, secret = app.extensions["roster"].clients.create(
                "other", scopes=[ClientScope.INTROSPECT], audience=audience
            )

        assert introspect(token, secret) == INACTIVE


class TestClaims:
    """Tokens that the service itself has signed, with claims that are not valid."""

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("exp", 1),
            ("exp", 1_700_000_000),
            ("iat", 99_999_999_999),
            ("nbf", 99_999_999_999),
            ("iss", "https://other.example.com"),
            ("iss", None),
            ("aud", "https://other.example.com"),
            ("aud", [AUDIENCE]),
            ("aud", [AUDIENCE, "https://other.example.com"]),
            ("sub", "jane"),
            ("sub", "01a1fb1b-6876-7644-9935-000000000000"),
            ("sid", "0" * 64),
        ],
    )
    def test_wrong(self, introspect, signer, claims, name, value):
        """Expired, not yet valid, of another issuer, audience, user or session."""
        assert introspect(signer.sign(claims))["active"] is True
        assert introspect(signer.sign({**claims, name: value})) == INACTIVE

    def test_session_of_another_user(self, introspect, signer, claims, eve):
        """A session belongs to its user."""
        assert introspect(signer.sign({**claims, "sub": eve.id})) == INACTIVE


class TestSignature:
    def test_none(self, introspect, issue, jane, signer):
        """A token without a signature."""
        header, payload, _ = issue(jane).split(".")
        none = {"alg": "none", "typ": "at+jwt", "kid": signer.kid}

        assert introspect(f"{header}.{payload}.") == INACTIVE
        assert introspect(f"{encoded(none)}.{payload}.") == INACTIVE
        assert introspect(f"{encoded(none)}.{payload}.AAAA") == INACTIVE

    @pytest.mark.parametrize(
        "form",
        [
            lambda pair: pair._key.as_pem(private=False),
            lambda pair: pair._key.as_der(private=False),
            lambda pair: json.dumps(pair.public_jwk()).encode(),
        ],
    )
    def test_public_key_as_secret(self, introspect, claims, signer, form):
        """HS256 with the public key as the secret."""
        header = {"alg": "HS256", "typ": "at+jwt", "kid": signer.kid}
        text = f"{encoded(header)}.{encoded(claims)}"
        signature = hmac.digest(form(signer), text.encode(), "sha256")

        assert introspect(f"{text}.{encoded(signature)}") == INACTIVE

    @pytest.mark.parametrize("algorithm", list(TokenAlgorithm))
    def test_foreign_key(self, introspect, claims, signer, algorithm):
        """Another key, also under the ID of the service's key and with the key in the header."""
        foreign = KeyPair.generate(algorithm)
        own_id = KeyPair(signer.kid, algorithm, foreign._key)

        assert introspect(foreign.sign(claims)) == INACTIVE
        assert introspect(own_id.sign(claims)) == INACTIVE

    def test_tampered(self, introspect, issue, jane, claims):
        """Other claims under a genuine signature, and every changed part."""
        header, payload, signature = issue(jane).split(".")
        admin = encoded({**claims, "roles": ["admin"]})

        assert introspect(f"{header}.{admin}.{signature}") == INACTIVE
        assert introspect(f"{header}.{payload}.{signature[:-2]}") == INACTIVE
        assert introspect(f"{header}.{payload}.A{signature[1:]}") == INACTIVE

    def test_type(self, introspect, signer, claims):
        """A genuine signature over another type of JWT, such as an ID token."""
        header = {"alg": "RS256", "typ": "JWT", "kid": signer.kid}

        assert introspect(signed_by(signer, header, claims)) == INACTIVE

    @pytest.mark.parametrize(
        "more",
        [
            {"crit": ["b64"], "b64": False},
            {"crit": ["exp"], "exp": 1},
            {"crit": []},
            {"jku": "https://attacker.example.com/keys"},
            {"jwk": {"kty": "oct", "k": "AAAA"}},
            {"x5u": "https://attacker.example.com/cert"},
            {"cty": "JWT"},
        ],
    )
    def test_header(self, introspect, signer, claims, more):
        """A genuine signature with a header that the service never writes."""
        header = {"alg": "RS256", "typ": "at+jwt", "kid": signer.kid}

        assert introspect(signed_by(signer, header, claims))["active"] is True
        assert introspect(signed_by(signer, {**header, **more}, claims)) == INACTIVE


class TestForm:
    @pytest.mark.parametrize(
        "header",
        [
            b"",
            b"{",
            b"[]",
            b"null",
            b'"RS256"',
            b"\xff\xfe",
            b"[" * 150,
            b'{"alg":' + b"[" * 100,
            b'{"kid":1e999}',
            {"alg": ["RS256"], "typ": "at+jwt", "kid": "x"},
            {"alg": "RS256", "typ": "at+jwt"},
            {"alg": "RS256", "typ": "at+jwt", "kid": None},
            {"alg": "RS256", "typ": "at+jwt", "kid": {}},
            {"alg": "RS256", "typ": "at+jwt", "kid": "../../secret"},
            {"alg": "RS256", "typ": "at+jwt", "kid": "x" * 10_000},
            {"alg": "RS256", "typ": "at+jwt", "kid": "x", "crit": [[]]},
            {"alg": "RS256", "typ": "at+jwt", "kid": "x", "crit": 5},
        ],
    )
    def test_header(self, introspect, issue, jane, header):
        """Headers of every form are inactive, never an error."""
        assert introspect(with_header(issue(jane), header)) == INACTIVE

    @pytest.mark.parametrize(
        "change",
        [
            lambda token: token + ".",
            lambda token: "." + token,
            lambda token: token + "=",
            lambda token: token + "\n",
            lambda token: " " + token,
            lambda token: token.replace(".", ".."),
            lambda token: token + "." + token,
            lambda token: token + "\u00e9",
            lambda token: token + "A" * 60_000,
            lambda token: "." * 5_000,
            lambda token: "a.b.c",
            lambda token: "..",
            lambda token: token.split(".")[0],
        ],
    )
    def test_text(self, introspect, issue, jane, change):
        """Texts that are nearly a token are inactive, never an error."""
        assert introspect(change(issue(jane))) == INACTIVE

    def test_no_log(self, introspect, issue, jane, caplog):
        """No log has the token."""
        token = issue(jane)
        caplog.set_level(0)
        introspect(token)
        introspect(token + "x")

        assert token[:40] not in caplog.text


def test_time(issue, jane):
    """A token does not begin in the future."""
    claims = jwt.decode(issue(jane), options={"verify_signature": False})

    assert claims["iat"] <= time.time()
