"""`POST /v1/tokens`: signed tokens for other services, verified through the JWKS that is served."""

import time
from datetime import timedelta
from typing import Any

import jwt
import pytest
from joserfc import jwk
from joserfc import jwt as joserfc_jwt

from models import ClientScope, SecondFactorRule, Session, TokenAlgorithm
from models.clock import now
from tests.support.api_keys import with_key
from tests.support.responses import outcome
from tests.support.signing_keys import signing_keys

PATH = "/v1/tokens"
AUDIENCE = "https://billing.example.com"
ISSUER = "http://127.0.0.1:8080"


@pytest.fixture
def create(app):
    """Return a function that creates a client with an audience."""

    def make(*scopes: ClientScope, audience: str = AUDIENCE) -> str:
        with app.app_context():
            client, _ = app.extensions["roster"].clients.create(
                "billing", scopes=scopes, audience=audience
            )
        return client.id

    return make


@pytest.fixture
def billing(create):
    """Return the ID of a client with an audience."""
    return create()


def claims_of(client, token: str) -> dict[str, Any]:
    """Verify a token with PyJWT through the JWKS that is served, and return its claims."""
    keys = jwt.PyJWKSet.from_dict(client.get("/.well-known/jwks.json").json)
    header = jwt.get_unverified_header(token)
    assert header["typ"] == "at+jwt"
    return jwt.decode(
        token, keys[header["kid"]], algorithms=["RS256"], audience=AUDIENCE, issuer=ISSUER
    )


class TestSession:
    def test_response(self, jane, billing):
        """The response says for how long the token is valid, and must not be stored."""
        response = jane.post(PATH, json={"audience": AUDIENCE})

        assert response.status_code == 201
        assert response.headers["Cache-Control"] == "no-store"
        assert response.json | {"access_token": ""} == {
            "access_token": "",
            "token_type": "Bearer",
            "expires_in": 300,
            "audience": AUDIENCE,
        }

    def test_claims(self, client, jane, billing):
        """RFC 9068: the claims name the user, the audience and how the user authenticated."""
        token = jane.post(PATH, json={"audience": AUDIENCE}).json["access_token"]
        claims = claims_of(client, token)

        changing = {name: claims.pop(name) for name in ("exp", "iat", "auth_time", "jti")}
        assert claims == {
            "iss": ISSUER,
            "sub": jane.id,
            "aud": AUDIENCE,
            "client_id": "roster",
            "sid": jane.session_id,
            "amr": ["pwd"],
            "roles": ["user"],
            "scope": "user",
        }
        assert changing["exp"] - changing["iat"] == 300
        assert changing["auth_time"] <= changing["iat"] <= time.time()
        assert len(changing["jti"]) == 32

    def test_joserfc(self, client, jane, billing):
        """Another library verifies it, too."""
        token = jane.post(PATH, json={"audience": AUDIENCE}).json["access_token"]
        keys = jwk.KeySet.import_key_set(client.get("/.well-known/jwks.json").json)

        assert joserfc_jwt.decode(token, keys).claims["sub"] == jane.id

    def test_email(self, client, create, jane):
        """Address and username are for clients with the scope `email` only."""
        create(ClientScope.EMAIL)
        claims = claims_of(
            client, jane.post(PATH, json={"audience": AUDIENCE}).json["access_token"]
        )

        shown = ("email", "email_verified", "username")
        assert [claims[name] for name in shown] == ["jane@example.com", False, "jane"]

    def test_without_username(self, client, create, nell):
        """The token of a user without a username has no such claim."""
        create(ClientScope.EMAIL)
        token = nell.post(PATH, json={"audience": AUDIENCE}).json["access_token"]
        claims = claims_of(client, token)

        assert (claims["email"], "username" in claims) == ("nell@example.com", False)

    def test_es256(self, make_app, jane, billing):
        """ROSTER_TOKEN_ALG chooses the algorithm."""
        other = make_app(token_algorithm=TokenAlgorithm.ES256).test_client()
        response = other.post(
            PATH, json={"audience": AUDIENCE}, headers={"Authorization": f"Bearer {jane.token}"}
        )
        [key] = other.get("/.well-known/jwks.json").json["keys"]
        claims = jwt.decode(
            response.json["access_token"], jwt.PyJWK(key), algorithms=["ES256"], audience=AUDIENCE
        )

        assert claims["sub"] == jane.id

    def test_is_no_credential_here(self, client, jane, billing):
        """A token for another service opens nothing here."""
        token = jane.post(PATH, json={"audience": AUDIENCE}).json["access_token"]
        headers = {"Authorization": f"Bearer {token}"}

        assert client.get("/v1/users/me", headers=headers).status_code == 401
        assert client.get("/v1/verify", headers=headers).status_code == 401

    def test_does_not_outlive_session(self, app, make_app, jane, billing):
        """A token ends at the end of its session at the latest."""
        with app.app_context():
            row = Session.get(jane.id, jane.session_id)
            row.update([Session.ends_at.set(now() + timedelta(seconds=90))])
        issued = jane.post(PATH, json={"audience": AUDIENCE}).json

        assert 85 <= issued["expires_in"] <= 90


class TestRoles:
    def test_narrowed(self, client, create_user, billing):
        """A token can have fewer roles than the session."""
        ada = create_user("ada", roles=["admin", "user"])
        body = {"audience": AUDIENCE, "roles": ["user"]}
        claims = claims_of(client, ada.post(PATH, json=body).json["access_token"])

        assert (claims["roles"], claims["scope"]) == (["user"], "user")

    def test_none(self, client, jane, billing):
        """Without roles there is no empty scope."""
        body = {"audience": AUDIENCE, "roles": []}
        claims = claims_of(client, jane.post(PATH, json=body).json["access_token"])

        assert claims["roles"] == []
        assert "scope" not in claims

    def test_not_held(self, jane, billing):
        """A token cannot have a role that the session lacks."""
        response = jane.post(PATH, json={"audience": AUDIENCE, "roles": ["admin", "user"]})

        assert outcome(response) == (403, "forbidden", ["/roles"])

    def test_admin_without_required_second_factor(self, make_app, john, billing):
        """Where admins need a second factor, a session without one yields no admin."""
        strict = make_app(second_factor=SecondFactorRule.ADMINS).test_client()
        body = {"audience": AUDIENCE, "roles": ["admin"]}
        response = strict.post(PATH, json=body, headers={"Authorization": f"Bearer {john.token}"})

        assert outcome(response) == (403, "forbidden", ["/roles"])


class TestApiKey:
    def test_claims(self, client, jane, billing):
        """A key is the client of its tokens, with its own roles."""
        key = with_key(jane, roles=["user"])
        claims = claims_of(client, key.post(PATH, json={"audience": AUDIENCE}).json["access_token"])

        keys = jane.get("/v1/users/me/api-keys").json["items"]
        assert claims["client_id"] == keys[0]["id"]
        assert claims["roles"] == ["user"]
        assert claims.keys() & {"sid", "amr", "auth_time"} == set()


class TestAudience:
    @pytest.mark.parametrize(
        "audience", [AUDIENCE + "/", AUDIENCE.upper(), "https://other.example.com"]
    )
    def test_unknown(self, jane, billing, audience):
        """An audience is compared to the letter."""
        response = jane.post(PATH, json={"audience": audience})

        assert outcome(response) == (422, "unknown-audience", ["/audience"])

    def test_several(self, jane, billing):
        """A token has one audience: with two, each service could use it at the other."""
        response = jane.post(PATH, json={"audience": [AUDIENCE]})

        assert outcome(response) == (422, "invalid-request", ["/audience"])

    def test_disabled(self, app, jane, billing):
        """There are no tokens for a disabled client."""
        with app.app_context():
            app.extensions["roster"].clients.update(billing, {"disabled": True})

        response = jane.post(PATH, json={"audience": AUDIENCE})

        assert outcome(response) == (422, "unknown-audience", ["/audience"])

    def test_moved(self, app, client, create, jane, billing):
        """The rules of the client that has the audience now count."""
        jane.post(PATH, json={"audience": AUDIENCE})
        with app.app_context():
            app.extensions["roster"].clients.update(billing, {"audience": None})
        create(ClientScope.EMAIL)
        token = jane.post(PATH, json={"audience": AUDIENCE}).json["access_token"]

        assert claims_of(client, token)["email"] == "jane@example.com"


class TestJwks:
    def test_caching(self, client, jane, billing):
        """Verifiers may keep the keys for 5 minutes, and revalidate them."""
        first = client.get("/.well-known/jwks.json")
        tag = first.headers["ETag"]
        second = client.get("/.well-known/jwks.json", headers={"If-None-Match": tag})

        assert first.headers["Cache-Control"] == "public, max-age=300"
        assert (second.status_code, second.data) == (304, b"")

    def test_public_part_only(self, client):
        """A key has its public part only, and names its use."""
        [key] = client.get("/.well-known/jwks.json").json["keys"]

        assert key.keys() == {"kty", "kid", "use", "alg", "n", "e"}
        assert (key["kty"], key["use"], key["alg"]) == ("RSA", "sig", "RS256")

    def test_weak_older_key(self, make_app, client, context):
        """A key that is sealed with a weak older secret key, which may be known, is not used."""
        planted = signing_keys("changeme-changeme-changeme-changeme").signer()
        app = make_app(secret_keys=("only for tests", "changeme-changeme-changeme-changeme"))
        [key] = app.test_client().get("/.well-known/jwks.json").json["keys"]

        assert key["kid"] != planted.kid

    def test_database_down(self, no_database_client):
        """Without the database there are no keys yet, and no cached error."""
        response = no_database_client.get("/.well-known/jwks.json")

        assert response.status_code == 503
        assert "max-age" not in response.headers.get("Cache-Control", "")
