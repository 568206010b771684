"""`POST /oauth/token`: client credentials and token exchange."""

import base64
import logging
from datetime import timedelta

import jwt
import pytest

from api.oauth.schemas import ACCESS_TOKEN_TYPE, TOKEN_EXCHANGE
from models import ClientScope, SecondFactorRule, Session
from models.clock import now
from tests.support.api_keys import with_key

PATH = "/oauth/token"
AUDIENCE = "https://billing.example.com"
OWN = {"grant_type": "client_credentials", "audience": AUDIENCE}


def basic(client_id: str, secret: str) -> dict[str, str]:
    """Return the header of HTTP Basic authentication."""
    text = base64.b64encode(f"{client_id}:{secret}".encode()).decode()
    return {"Authorization": f"Basic {text}"}


def claims_of(response) -> dict:
    assert response.status_code == 200, response.text
    return jwt.decode(response.json["access_token"], options={"verify_signature": False})


def outcome(response) -> tuple[int, str]:
    assert response.headers["Cache-Control"] == "no-store"
    return response.status_code, response.json["error"]


@pytest.fixture
def clients(app):
    """Return a function that creates a client, and returns its ID and its secret."""

    def create(*scopes: ClientScope, audience: str | None = None) -> tuple[str, str]:
        with app.app_context():
            client, secret = app.extensions["roster"].clients.create(
                "nightly", scopes=scopes, audience=audience
            )
        return client.id, secret

    return create


@pytest.fixture
def update(app):
    """Return a function that changes a client."""

    def change(id: str, **changes) -> None:
        with app.app_context():
            app.extensions["roster"].clients.update(id, changes)

    return change


@pytest.fixture
def billing(clients):
    """Return the ID and the secret of the client that tokens are meant for."""
    return clients(ClientScope.INTROSPECT, audience=AUDIENCE)


@pytest.fixture
def nightly(clients, billing):
    """Return the ID and the secret of a client that may get tokens."""
    return clients(ClientScope.TOKENS, ClientScope.USERS_READ)


@pytest.fixture
def ask(client, nightly):
    """Return a function that sends a form with the credentials of the client."""

    def send(form, **options):
        options.setdefault("headers", basic(*nightly))
        return client.post(PATH, data=form, **options)

    return send


@pytest.fixture
def introspect(client, billing):
    """Return a function that introspects the token in a response as the service."""

    def send(response):
        form = {"token": response.json["access_token"]}
        return client.post("/oauth/introspect", data=form, headers=basic(*billing)).json

    return send


def exchange(token: str, **more: str) -> dict[str, str]:
    """Return the form that exchanges a token."""
    return {
        "grant_type": TOKEN_EXCHANGE,
        "audience": AUDIENCE,
        "subject_token": token,
        "subject_token_type": ACCESS_TOKEN_TYPE,
        **more,
    }


class TestClientCredentials:
    def test_token(self, ask, nightly):
        """The subject is the client, with its scopes and no role."""
        response = ask(OWN)
        claims = claims_of(response)

        expected = {"token_type": "Bearer", "expires_in": 300, "scope": "tokens users:read"}
        assert {name: response.json[name] for name in expected} == expected
        assert response.json.keys() == {*expected, "access_token"}
        assert claims["exp"] - claims["iat"] == 300
        assert {name: claims[name] for name in claims.keys() - {"exp", "iat", "jti"}} == {
            "iss": "http://127.0.0.1:8080",
            "sub": nightly[0],
            "client_id": nightly[0],
            "aud": AUDIENCE,
            "roles": [],
            "scope": "tokens users:read",
        }

    def test_scope(self, ask):
        """Scopes can be left out."""
        response = ask({**OWN, "scope": "users:read"})

        assert response.json["scope"] == claims_of(response)["scope"] == "users:read"

    @pytest.mark.parametrize(
        "scope",
        ["users:write", "users:read users:write", "admin", "users:read  tokens", " ", 'ä"\\'],
    )
    def test_more_scope(self, ask, scope):
        """No scope is granted that the client does not have."""
        assert outcome(ask({**OWN, "scope": scope})) == (400, "invalid_scope")

    def test_introspection(self, ask, introspect, nightly):
        """The token is active for the service that it is meant for."""
        response = ask(OWN)
        claims = claims_of(response)

        assert introspect(response) == {"active": True, "token_type": "Bearer", **claims}

    def test_lost_scope(self, ask, introspect, update, nightly):
        """Introspected, a token has no scope that the client has lost."""
        response = ask(OWN)
        update(nightly[0], scopes=["tokens"])

        assert introspect(response)["scope"] == "tokens"

    def test_disabled(self, ask, introspect, update, nightly):
        """The token of a disabled client is inactive, and it gets no other."""
        response = ask(OWN)
        update(nightly[0], disabled=True)

        assert introspect(response) == {"active": False}
        assert outcome(ask(OWN)) == (401, "invalid_client")

    def test_deleted(self, app, ask, introspect, nightly):
        """The token of a deleted client is inactive."""
        response = ask(OWN)
        with app.app_context():
            app.extensions["roster"].clients.delete(nightly[0])

        assert introspect(response) == {"active": False}

    def test_is_no_credential_here(self, ask, client):
        """The token opens no route of Roster."""
        token = ask(OWN).json["access_token"]
        response = client.get("/v1/users", headers={"Authorization": f"Bearer {token}"})

        assert response.status_code == 401


class TestExchange:
    def test_session(self, ask, introspect, nightly, jane):
        """The token is that of the user, and names the client that acts for it."""
        response = ask(exchange(jane.token))
        claims = claims_of(response)

        assert response.json["issued_token_type"] == ACCESS_TOKEN_TYPE
        assert (claims["sub"], claims["sid"], claims["roles"]) == (
            jane.id,
            jane.session_id,
            ["user"],
        )
        assert (claims["client_id"], claims["act"]) == (nightly[0], {"sub": nightly[0]})
        assert introspect(response) == {
            "active": True,
            "token_type": "Bearer",
            "username": "jane",
            **claims,
        }

    def test_api_key(self, ask, introspect, nightly, jane):
        """The token of an API key names the key and the client."""
        key = with_key(jane, roles=["user"])
        response = ask(exchange(key.token, requested_token_type=ACCESS_TOKEN_TYPE))
        claims = claims_of(response)

        assert (claims["client_id"], claims["key_id"]) == (nightly[0], key.session_id)
        assert introspect(response)["active"] is True

    def test_fewer_roles(self, ask, john):
        """Roles can be left out."""
        john.patch("/v1/users/me", json={"roles": ["admin", "user"]})
        response = ask(exchange(john.token, scope="user"))

        assert claims_of(response)["roles"] == ["user"]
        assert response.json["scope"] == "user"

    @pytest.mark.parametrize("scope", ["admin", "user admin", "users:read"])
    def test_more_roles(self, ask, jane, scope):
        """No role is granted that the user's token does not have, nor a scope of the client."""
        assert outcome(ask(exchange(jane.token, scope=scope))) == (400, "invalid_scope")

    def test_weaker_key(self, ask, john):
        """A key that lacks a role of its owner gets a token without it."""
        key = with_key(john, roles=["admin"])
        john.patch("/v1/users/me", json={"roles": ["admin", "user"]})

        assert claims_of(ask(exchange(key.token)))["roles"] == ["admin"]

    def test_key_without_roles(self, ask, jane):
        """A key that can only read gets no token, as at `POST /v1/tokens`."""
        assert outcome(ask(exchange(with_key(jane, roles=[]).token))) == (400, "invalid_request")

    def test_admin_without_required_second_factor(self, make_app, nightly, john):
        """An admin has no more rights elsewhere than here, where a second factor is required."""
        strict = make_app(second_factor=SecondFactorRule.ADMINS).test_client()
        response = strict.post(PATH, data=exchange(john.token), headers=basic(*nightly))

        assert claims_of(response)["roles"] == []

    def test_end_of_session(self, app, ask, jane):
        """The token ends with the session at the latest."""
        with app.app_context():
            ends_at = now() + timedelta(seconds=60)
            Session.get(jane.id, jane.session_id).update([Session.ends_at.set(ends_at)])

        assert ask(exchange(jane.token)).json["expires_in"] <= 60

    def test_signed_out(self, ask, introspect, jane):
        """Introspected, the token is inactive from the moment the session ends."""
        response = ask(exchange(jane.token))
        jane.delete("/v1/sessions/current")

        assert introspect(response) == {"active": False}

    def test_disabled(self, ask, introspect, update, nightly, jane):
        """Introspected, the token is inactive once the client that acts is disabled."""
        response = ask(exchange(jane.token))
        update(nightly[0], disabled=True)

        assert introspect(response) == {"active": False}

    @pytest.mark.parametrize(
        "token",
        [
            "x",
            "rst_",
            "rst_" + "A" * 54,
            "rsk_" + "A" * 54,
            "rso_" + "A" * 54,
            "a.b.c",
            "ä",
            "\x00",
        ],
    )
    def test_inactive(self, ask, token):
        """RFC 8693, 2.2.2: a token that is not active is `invalid_request`."""
        assert outcome(ask(exchange(token))) == (400, "invalid_request")

    def test_access_token(self, ask, jane):
        """An access token cannot be exchanged, not even for its own audience."""
        token = ask(exchange(jane.token)).json["access_token"]

        assert outcome(ask(exchange(token))) == (400, "invalid_request")

    def test_secret_of_a_client(self, ask, nightly):
        """The secret of a client is no token of a user."""
        assert outcome(ask(exchange(nightly[1]))) == (400, "invalid_request")

    def test_suspended(self, ask, john, jane):
        """The tokens of a suspended user cannot be exchanged."""
        john.patch(jane.path, json={"status": "suspended"})

        assert outcome(ask(exchange(jane.token))) == (400, "invalid_request")

    @pytest.mark.parametrize(
        "change",
        [
            {"subject_token": ""},
            {"subject_token_type": ""},
            {"subject_token_type": "urn:ietf:params:oauth:token-type:id_token"},
            {"requested_token_type": "urn:ietf:params:oauth:token-type:refresh_token"},
            {"actor_token": "x"},
            {"audience": ""},
        ],
    )
    def test_invalid(self, ask, jane, change):
        """A missing parameter, another type of token and another actor are `invalid_request`."""
        form = {**exchange(jane.token), **change}

        assert outcome(ask(form)) == (400, "invalid_request")


class TestAudience:
    @pytest.mark.parametrize(
        "audience", ["https://other.example.com", "HTTPS://billing.example.com", "x", "\x00", "ä"]
    )
    @pytest.mark.parametrize("grant", ["own", "exchange"])
    def test_unknown(self, ask, jane, audience, grant):
        """RFC 8693, 2.2.2: an unknown audience is `invalid_target`."""
        form = OWN if grant == "own" else exchange(jane.token)

        assert outcome(ask({**form, "audience": audience})) == (400, "invalid_target")

    def test_of_a_disabled_client(self, ask, update, billing):
        """The audience of a disabled client is unknown."""
        update(billing[0], disabled=True)

        assert outcome(ask(OWN)) == (400, "invalid_target")

    def test_resource(self, ask):
        """RFC 8707 is not offered, and not ignored."""
        form = {**OWN, "resource": AUDIENCE}

        assert outcome(ask(form)) == (400, "invalid_target")


class TestAuthentication:
    def test_form(self, client, nightly):
        """`client_secret_post`: ID and secret in the form."""
        id, secret = nightly
        response = client.post(PATH, data={**OWN, "client_id": id, "client_secret": secret})

        assert claims_of(response)["sub"] == id

    def test_bearer(self, ask, nightly):
        """The secret alone is a bearer token, as everywhere."""
        assert ask(OWN, headers={"Authorization": f"Bearer {nightly[1]}"}).status_code == 200

    def test_id_in_form(self, ask, nightly):
        """The ID may stand in the form beside HTTP Basic authentication."""
        assert ask({**OWN, "client_id": nightly[0]}).status_code == 200

    @pytest.mark.parametrize("name", ["client_secret", "client_assertion"])
    def test_twice(self, ask, nightly, name):
        """RFC 6749, 2.3: a client authenticates in one way only."""
        assert outcome(ask({**OWN, name: nightly[1]})) == (400, "invalid_request")

    @pytest.mark.parametrize("name", ["client_secret", "audience"])
    def test_query(self, ask, nightly, name):
        """Nothing is read from the URL, which ends up in logs."""
        response = ask(OWN, query_string={name: nightly[1]})

        assert outcome(response) == (400, "invalid_request")
        assert nightly[1] not in response.text

    def test_secret_in_query_only(self, client, nightly):
        """Credentials in the URL do not authenticate."""
        query = {"client_id": nightly[0], "client_secret": nightly[1]}

        assert outcome(client.post(PATH, data=OWN, query_string=query)) == (400, "invalid_request")

    @pytest.mark.parametrize(
        "change",
        [
            {"client_id": "01a1fb07-6a10-7d02-9c1e-40d8a2f6b911"},
            {"client_id": ""},
            {"client_id": "x"},
            {"client_secret": ""},
            {"client_secret": "rsc_none"},
            {"client_secret": "ä"},
        ],
    )
    def test_wrong(self, client, nightly, change):
        """Another ID with the right secret, and whatever is no secret, is `invalid_client`."""
        form = {**OWN, "client_id": nightly[0], "client_secret": nightly[1], **change}
        response = client.post(PATH, data=form)

        assert outcome(response) == (401, "invalid_client")
        assert response.headers["WWW-Authenticate"] == 'Basic realm="roster"'

    def test_other_id_in_form(self, ask, billing):
        """An ID in the form that is not that of the header is `invalid_client`."""
        assert outcome(ask({**OWN, "client_id": billing[0]})) == (401, "invalid_client")

    @pytest.mark.parametrize("kind", ["session", "key"])
    def test_user(self, ask, john, kind):
        """A user is no client, not even an admin."""
        token = john.token if kind == "session" else with_key(john, roles=["admin"]).token
        response = ask(OWN, headers={"Authorization": f"Bearer {token}"})

        assert outcome(response) == (401, "invalid_client")

    def test_anonymous(self, client, billing):
        """Without credentials the response is 401."""
        assert outcome(client.post(PATH, data=OWN)) == (401, "invalid_client")

    @pytest.mark.parametrize("grant", ["own", "exchange"])
    def test_scope(self, ask, billing, jane, grant):
        """RFC 6749, 5.2: a client without the scope `tokens` is `unauthorized_client`."""
        form = OWN if grant == "own" else exchange(jane.token)

        assert outcome(ask(form, headers=basic(*billing))) == (400, "unauthorized_client")

    def test_failures_are_limited(self, make_app, nightly):
        """An address fails 60 times a minute; clients with the right secret are not limited."""
        # An app of its own, since exhausted quotas are in its memory.
        client = make_app().test_client()
        wrong = {**OWN, "client_id": nightly[0], "client_secret": nightly[1] + "A"}
        responses = [client.post(PATH, data=wrong) for _ in range(130)]

        assert {each.status_code for each in responses} == {401, 429}
        assert outcome(responses[-1]) == (429, "temporarily_unavailable")
        assert int(responses[-1].headers["Retry-After"]) > 0
        assert client.post(PATH, data=OWN, headers=basic(*nightly)).status_code == 200


class TestRequest:
    @pytest.mark.parametrize(
        "grant",
        ["password", "authorization_code", "refresh_token", "implicit", "CLIENT_CREDENTIALS", "ä"],
    )
    def test_other_grant(self, ask, grant):
        """Other grants are `unsupported_grant_type`."""
        assert outcome(ask({**OWN, "grant_type": grant})) == (400, "unsupported_grant_type")

    @pytest.mark.parametrize(
        "options",
        [
            {"form": {}},
            {"form": {"grant_type": "client_credentials"}},
            {"form": "grant_type=client_credentials&grant_type=client_credentials&audience=a"},
            {"form": "grant_type=client_credentials&audience=a&audience=b"},
            {"form": "grant_type=client_credentials&audience=a&x=1&x=2"},
            {"form": "grant_type=%ff"},
            {"form": "&".join(f"a{number}=1" for number in range(1000))},
            {"form": None, "json": OWN},
            {"form": "grant_type=client_credentials", "content_type": "text/plain"},
            {"form": OWN, "content_type": "multipart/form-data"},
        ],
    )
    def test_invalid(self, ask, options):
        """A missing or repeated parameter, or a body that is no form, is `invalid_request`."""
        form = "application/x-www-form-urlencoded"
        if "json" not in options:
            options = {"content_type": form, **options}

        assert outcome(ask(options.pop("form"), **options)) == (400, "invalid_request")

    def test_too_large(self, ask):
        """A body of more than 64 KB is rejected."""
        assert outcome(ask({**OWN, "x": "x" * 65_536})) == (413, "invalid_request")

    @pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
    def test_method(self, client, nightly, method):
        """Only POST is allowed, so that no secret is in a URL."""
        response = client.open(PATH, method=method, headers=basic(*nightly))

        assert response.status_code == 405
        assert "POST" in response.headers["Allow"]

    def test_database_unavailable(self, no_database_client, nightly):
        """503 with `Retry-After` in the form of OAuth."""
        response = no_database_client.post(PATH, data=OWN, headers=basic(*nightly))

        assert outcome(response) == (503, "temporarily_unavailable")
        assert int(response.headers["Retry-After"]) > 0


class TestSecrecy:
    def test_log(self, ask, client, nightly, jane, caplog):
        """ASVS 16.2.5: no log has secrets or tokens, whatever the outcome."""
        caplog.set_level(logging.DEBUG, logger="roster")
        issued = ask(exchange(jane.token)).json["access_token"]
        client.post(PATH, data={**OWN, "client_id": nightly[0], "client_secret": nightly[1] + "A"})
        ask(exchange(jane.token + "A"))

        assert caplog.text
        assert not any(secret in caplog.text for secret in (nightly[1], jane.token, issued[-40:]))


class TestCost:
    def test_client_credentials(self, ask, database_calls):
        """A client in memory gets its token without a read."""
        ask(OWN)
        with database_calls() as calls:
            ask(OWN)

        assert calls == []

    def test_exchange(self, ask, jane, database_calls):
        """An exchange reads the session and its user at once."""
        ask(exchange(jane.token))
        with database_calls() as calls:
            ask(exchange(jane.token))

        assert calls == ["BatchGetItem"]
