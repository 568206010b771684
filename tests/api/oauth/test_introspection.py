"""`POST /oauth/introspect` (RFC 7662): what other services learn about a token."""

import base64
import logging
import time
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest

from models import ClientScope, SecondFactorRule, Session, User
from models.clock import now
from tests.support.api_keys import with_key

PATH = "/oauth/introspect"
INACTIVE = {"active": False}


def basic(client_id: str, secret: str) -> dict[str, str]:
    """Return the header of HTTP Basic authentication."""
    text = base64.b64encode(f"{client_id}:{secret}".encode()).decode()
    return {"Authorization": f"Basic {text}"}


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


@pytest.fixture
def create(app):
    """Return a function that creates a client: `create(ClientScope.INTROSPECT)`."""

    def make(*scopes: ClientScope) -> tuple[str, str]:
        with app.app_context():
            client, secret = app.extensions["roster"].clients.create("gateway", scopes=scopes)
        return client.id, secret

    return make


@pytest.fixture
def gateway(create):
    """Return the ID and the secret of a client that may introspect."""
    return create(ClientScope.INTROSPECT)


@pytest.fixture
def introspect(client, gateway):
    """Return a function that introspects a token."""

    def ask(token: str, **options: Any):
        options.setdefault("headers", bearer(gateway[1]))
        return client.post(PATH, data={"token": token}, **options)

    return ask


@pytest.fixture
def update(app):
    """Return a function that changes a client."""

    def change(client_id, changes):
        with app.app_context():
            app.extensions["roster"].clients.update(client_id, changes)

    return change


class TestSession:
    def test_active(self, introspect, jane):
        """The response has who it is, how the user authenticated, and until when."""
        response = introspect(jane.token)

        body = response.json
        assert response.status_code == 200
        assert response.headers["Cache-Control"] == "no-store"
        assert {name: body[name] for name in body.keys() - {"exp", "iat", "auth_time"}} == {
            "active": True,
            "token_type": "Bearer",
            "iss": "http://127.0.0.1:8080",
            "sub": jane.id,
            "username": "jane",
            "roles": ["user"],
            "scope": "user",
            "sid": jane.session_id,
            "amr": ["pwd"],
        }
        assert body["iat"] == body["auth_time"] <= time.time() < body["exp"]

    def test_without_username(self, introspect, nell):
        """A user without a username has none in the response (RFC 7662, 2.2: it is optional)."""
        body = introspect(nell.token).json

        assert (body["sub"], "username" in body) == (nell.id, False)

    def test_email(self, client, create, jane):
        """The address is for clients with the scope `email` only."""
        _, secret = create(ClientScope.INTROSPECT, ClientScope.EMAIL)
        response = client.post(PATH, data={"token": jane.token}, headers=bearer(secret))

        assert (response.json["email"], response.json["email_verified"]) == (
            "jane@example.com",
            False,
        )

    def test_signed_out(self, introspect, jane):
        """A session is inactive from the moment it ends."""
        jane.delete("/v1/sessions/current")

        assert introspect(jane.token).json == INACTIVE

    def test_suspended(self, introspect, john, jane):
        """The sessions of a suspended user are inactive."""
        john.patch(jane.path, json={"status": "suspended"})

        assert introspect(jane.token).json == INACTIVE

    def test_expired(self, app, introspect, jane):
        """An expired session is inactive although its row is left."""
        with app.app_context():
            Session.get(jane.id, jane.session_id).update([Session.expires_at.set(now())])

        assert introspect(jane.token).json == INACTIVE

    def test_roles_are_current(self, introspect, john, jane):
        """A new role counts at once."""
        john.patch(jane.path, json={"roles": ["admin", "user"]})

        assert introspect(jane.token).json["scope"] == "admin user"

    def test_no_roles(self, introspect, john, jane):
        """Without roles there is no empty scope."""
        john.patch(jane.path, json={"roles": []})

        body = introspect(jane.token).json
        assert body["roles"] == []
        assert "scope" not in body

    def test_use_is_recorded(self, app, introspect, jane):
        """A session that only other services see does not become idle."""
        before = now() - timedelta(hours=1)
        with app.app_context():
            Session.get(jane.id, jane.session_id).update([Session.last_used_at.set(before)])
        introspect(jane.token)

        with app.app_context():
            used_at = Session.get(jane.id, jane.session_id).last_used_at
        assert used_at > before + timedelta(minutes=30)

    def test_admin_without_required_second_factor(self, make_app, gateway, john):
        """An admin has no more rights elsewhere than here, where a second factor is required."""
        strict = make_app(second_factor=SecondFactorRule.ADMINS).test_client()
        response = strict.post(PATH, data={"token": john.token}, headers=bearer(gateway[1]))

        assert response.json["active"] is True
        assert response.json["roles"] == []


class TestApiKey:
    def test_active(self, introspect, jane):
        """The response has the ID of the key, and nothing of a session."""
        key = with_key(jane, roles=["user"])

        body = introspect(key.token).json
        assert (body["sub"], body["key_id"], body["scope"]) == (jane.id, key.session_id, "user")
        assert body.keys().isdisjoint({"sid", "auth_time", "amr"})

    def test_lost_role(self, introspect, john, create_user):
        """A key has no role that its owner has lost."""
        chief = create_user("chief", roles=["admin", "user"])
        key = with_key(chief, roles=["admin", "user"])
        john.patch(chief.path, json={"roles": ["user"]})

        assert introspect(key.token).json["roles"] == ["user"]

    def test_revoked(self, introspect, jane):
        """A revoked key is inactive."""
        key = with_key(jane)
        jane.delete("/v1/users/me/api-keys")

        assert introspect(key.token).json == INACTIVE


class TestInactive:
    @pytest.mark.parametrize(
        "token",
        [
            "x",
            "rst_",
            "rst_" + "A" * 54,
            "rsk_" + "A" * 54,
            "rso_" + "A" * 54,
            "a.b.c",
            "\u00e4",
            "\x00",
            " ",
            "%00",
            "rst_" + "A" * 60_000,
            "eyJhbGciOiJub25lIn0.eyJzdWIiOiJqYW5lIn0.",
        ],
    )
    def test_alike(self, introspect, token):
        """RFC 7662, 2.2: whatever is not active is so without a reason."""
        response = introspect(token)

        assert (response.status_code, response.json) == (200, INACTIVE)

    def test_secret_of_a_client(self, introspect, gateway):
        """A client's own secret is no token."""
        assert introspect(gateway[1]).json == INACTIVE

    def test_changed_token(self, introspect, jane):
        """A token with another last character is inactive."""
        last = "A" if jane.token[-1] != "A" else "E"

        assert introspect(jane.token[:-1] + last).json == INACTIVE


class TestAuthentication:
    def test_basic(self, introspect, gateway, jane):
        """ID and secret are accepted, form-encoded as RFC 6749, 2.3.1 has it or plain."""
        id, secret = gateway
        coded = quote(id).replace("-", "%2D"), secret.replace("_", "%5F")

        for words in (gateway, coded, (id.upper(), secret)):
            assert introspect(jane.token, headers=basic(*words)).json["active"] is True

    @pytest.mark.parametrize(
        "header",
        [
            None,
            "Basic",
            "Basic !",
            "Basic " + base64.b64encode(b"\xff:\xff").decode(),
            "Basic " + base64.b64encode(b"no colon").decode(),
            "Basic " + "A" * 9000,
            "Digest username=x",
            "",
        ],
    )
    def test_unauthenticated(self, introspect, jane, header):
        """Without credentials of a client the response is 401 in the form of OAuth."""
        response = introspect(jane.token, headers={"Authorization": header} if header else {})

        assert response.status_code == 401
        assert response.json["error"] == "invalid_client"
        assert response.headers["WWW-Authenticate"] == 'Basic realm="roster"'

    def test_script_of_a_page(self, introspect, jane):
        """A browser does not ask its user for a password where a page sent no credentials."""
        response = introspect(jane.token, headers={"Sec-Fetch-Mode": "cors"})

        assert response.status_code == 401
        assert response.headers["WWW-Authenticate"] == 'Bearer realm="roster"'

    def test_wrong_client(self, introspect, create, gateway, jane):
        """The secret of one client does not authenticate another one."""
        other, _ = create(ClientScope.INTROSPECT)
        response = introspect(jane.token, headers=basic(other, gateway[1]))

        assert (response.status_code, response.json["error"]) == (401, "invalid_client")

    @pytest.mark.parametrize("kind", ["session", "key"])
    def test_user(self, introspect, john, kind):
        """A user is no client, not even an admin."""
        token = john.token if kind == "session" else with_key(john, roles=["admin"]).token
        response = introspect(john.token, headers=bearer(token))

        assert (response.status_code, response.json["error"]) == (401, "invalid_client")
        assert response.headers["WWW-Authenticate"].startswith('Bearer realm="roster"')

    def test_disabled(self, introspect, update, gateway, jane):
        """A disabled client is rejected."""
        update(gateway[0], {"disabled": True})

        assert introspect(jane.token).status_code == 401

    def test_scope(self, client, create, jane):
        """A client without the scope `introspect` learns nothing."""
        _, secret = create(ClientScope.EMAIL)
        response = client.post(PATH, data={"token": jane.token}, headers=bearer(secret))

        assert (response.status_code, response.json["error"]) == (403, "insufficient_scope")
        assert "insufficient_scope" in response.headers["WWW-Authenticate"]

    def test_failures_are_limited(self, make_app, gateway, jane):
        """An address fails 60 times a minute; clients with the right secret are not limited."""
        # An app of its own, since exhausted quotas are in its memory.
        client = make_app().test_client()
        responses = [client.post(PATH, headers=bearer("rsc_none")) for _ in range(130)]

        rejected = responses[-1]
        assert {each.status_code for each in responses} == {401, 429}
        assert rejected.status_code == 429
        assert rejected.json["error"] == "temporarily_unavailable"
        assert int(rejected.headers["Retry-After"]) > 0
        accepted = client.post(PATH, data={"token": jane.token}, headers=bearer(gateway[1]))
        assert accepted.json["active"] is True


class TestRequest:
    @pytest.mark.parametrize(
        "options",
        [
            {"data": {}},
            {"data": {"token": ""}},
            {"data": "token=a&token=b"},
            {"data": "token=a&token_type_hint=x&token_type_hint=y"},
            {"data": "token=%ff"},
            {"data": b"token=\xff"},
            {"data": "&".join(f"a{number}=1" for number in range(1000)) + "&token=a"},
            {"json": {"token": "a"}},
            {"data": "token=a", "content_type": "text/plain"},
            {"data": {"token": "a"}, "content_type": "multipart/form-data"},
            {"data": {"token": "a"}, "query_string": {"token": "a"}},
            {"data": {}, "query_string": {"token": "a"}},
            {"data": {"token": "a"}, "headers": {"Content-Encoding": "gzip"}},
        ],
    )
    def test_invalid(self, client, gateway, options):
        """A missing or repeated parameter, another media type or a query is `invalid_request`."""
        form = "application/x-www-form-urlencoded"
        if "json" not in options:
            options = {"content_type": form, **options}
        headers = {**bearer(gateway[1]), **options.pop("headers", {})}
        response = client.post(PATH, headers=headers, **options)

        assert (response.status_code, response.json["error"]) == (400, "invalid_request")
        assert response.json.keys() == {"error", "error_description"}

    def test_too_large(self, introspect):
        """A body of more than 64 KB is rejected."""
        response = introspect("x" * 65_536)

        assert (response.status_code, response.json["error"]) == (413, "invalid_request")

    def test_unknown_parameters(self, client, gateway, jane):
        """RFC 6749, 3.2: unknown parameters are ignored, and so is the hint."""
        data = {"token": jane.token, "token_type_hint": "refresh_token", "foo": "bar"}
        response = client.post(PATH, data=data, headers=bearer(gateway[1]))

        assert response.json["active"] is True

    @pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
    def test_method(self, client, gateway, method):
        """Only POST is allowed, so that no token is in a URL."""
        response = client.open(PATH, method=method, headers=bearer(gateway[1]))

        assert response.status_code == 405
        assert "POST" in response.headers["Allow"]

    def test_database_unavailable(self, no_database_client, gateway, jane):
        """503 with `Retry-After`, so that a gateway does not take it for an inactive token."""
        response = no_database_client.post(
            PATH, data={"token": jane.token}, headers=bearer(gateway[1])
        )

        assert response.status_code == 503
        assert response.json["error"] == "temporarily_unavailable"
        assert int(response.headers["Retry-After"]) > 0


class TestSecrecy:
    def test_log(self, introspect, gateway, jane, caplog):
        """ASVS 16.2.5: the log has neither tokens nor secrets, whatever the outcome."""
        caplog.set_level(logging.DEBUG, logger="roster")
        introspect(jane.token)
        introspect(jane.token, headers=bearer(gateway[1] + "A"))
        introspect(jane.token, headers=basic(gateway[0], gateway[1][:-1]))
        introspect(jane.token, query_string={"token": jane.token})

        assert caplog.text
        assert jane.token not in caplog.text
        assert gateway[1][:-1] not in caplog.text

    def test_errors(self, introspect, gateway, jane):
        """No error repeats what was sent."""
        responses = [
            introspect(jane.token, headers=bearer(gateway[1] + "A")),
            introspect(jane.token, query_string={"secret": gateway[1]}),
        ]

        assert [each.status_code for each in responses] == [401, 400]
        assert not any(gateway[1] in each.text or jane.token in each.text for each in responses)


class TestCost:
    def test_calls(self, introspect, jane, database_calls):
        """A known client costs nothing: a session and its user are one read."""
        introspect(jane.token)
        with database_calls() as calls:
            introspect(jane.token)

        assert calls == ["BatchGetItem"]

    def test_unknown_prefix(self, introspect, database_calls):
        """A token that cannot be one costs no read."""
        introspect("x")
        with database_calls() as calls:
            introspect("x")

        assert calls == []


class TestUser:
    def test_deleted(self, app, introspect, jane):
        """The token of a user whose row is gone is inactive."""
        with app.app_context():
            User.get(jane.id).delete()

        assert introspect(replace(jane).token).json == INACTIVE
