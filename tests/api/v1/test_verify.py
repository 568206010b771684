"""GET /v1/verify: what gateways learn about a request before they forward it."""

import pytest

from api.v1.verify.routes import HEADERS
from models import ClientScope, SecondFactorRule, Session, User
from tests.support.api_keys import with_key
from tests.support.responses import outcome

PATH = "/v1/verify"
AUDIENCE = "https://billing.example.com"
FORGED = {"X-User-Id": "1", "X-User-Roles": "admin", "X-User-Name": "root", "X-Session-Id": "1"}


def shown(response):
    """Return the header fields for the service."""
    assert response.status_code == 200, response.text
    return {name: response.headers.get(name) for name in HEADERS}


def with_second_factor(app, person):
    """Let the session of a person have used a second factor."""
    with app.app_context():
        Session.get(person.id, person.session_id).update([Session.amr.set(["pwd", "otp"])])
        User.get(person.id).update([User.has_second_factor.set(True)])


class TestGranted:
    def test_session(self, jane):
        """The header fields have the user and its session; there is no body."""
        response = jane.get(PATH)

        assert response.data == b""
        assert response.headers["Cache-Control"] == "no-store"
        assert "Authorization" in response.headers["Vary"]
        assert shown(response) == {
            "X-User-Id": jane.id,
            "X-User-Name": "jane",
            "X-User-Roles": "user",
            "X-User-Email-Verified": "false",
            "X-Session-Id": jane.session_id,
            "X-Auth-Methods": "pwd",
            "X-Access-Token": "",
        }

    def test_without_username(self, nell):
        """The name of a user without a username is empty, not left out: no client can forge it."""
        response = nell.get(PATH, headers=FORGED)

        assert shown(response)["X-User-Name"] == ""
        assert shown(response)["X-User-Id"] == nell.id

    def test_access_token(self, app, client, jane):
        """With `audience` there is an access token for the service, with the same roles."""
        with app.app_context():
            clients = app.extensions["roster"].clients
            _, secret = clients.create(
                "billing", scopes=[ClientScope.INTROSPECT], audience=AUDIENCE
            )
        token = shown(jane.get(PATH, query_string={"audience": AUDIENCE}))["X-Access-Token"]
        headers = {"Authorization": f"Bearer {secret}"}
        found = client.post("/oauth/introspect", data={"token": token}, headers=headers).json

        assert (found["sub"], found["aud"], found["roles"]) == (jane.id, AUDIENCE, ["user"])

    def test_access_token_on_kept_paths(self, jane):
        """Where the query is the client's, there is no access token."""
        response = jane.get(f"{PATH}/any/orders", query_string={"audience": AUDIENCE})

        assert shown(response)["X-Access-Token"] == ""

    def test_unknown_audience(self, jane):
        """An audience that no client has is an error of the gateway's configuration."""
        response = jane.get(PATH, query_string={"audience": AUDIENCE})

        assert outcome(response) == (422, "unknown-audience", ["/audience"])
        assert "X-User-Id" not in response.headers

    def test_api_key(self, jane):
        """Fields without a value are there, and empty: none of the client's own gets through."""
        fields = shown(with_key(jane, roles=[]).get(PATH))

        assert fields["X-User-Id"] == jane.id
        assert (fields["X-User-Roles"], fields["X-Session-Id"], fields["X-Auth-Methods"]) == (
            "",
            "",
            "",
        )

    def test_forged_fields(self, jane):
        """Header fields of the client are ignored."""
        assert shown(jane.get(PATH, headers=FORGED))["X-User-Roles"] == "user"

    @pytest.mark.parametrize("path", [f"{PATH}/any/", f"{PATH}/any/orders/7", f"{PATH}/any//x"])
    @pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
    def test_any_method(self, jane, method, path):
        """Below, gateways may keep the method, the path and the body of the request."""
        response = jane.request(method, path, data="{", content_type="application/json")

        assert shown(response)["X-User-Id"] == jane.id

    @pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
    def test_other_method(self, jane, method):
        """The URL itself has the documented methods only."""
        response = jane.request(method, PATH)

        assert response.status_code == 405
        assert set(response.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}

    def test_query_of_the_client(self, jane):
        """Below, where the query is the client's, parameters have no effect."""
        assert jane.get(f"{PATH}/orders?role=admin&x=1").status_code == 200

    def test_key_without_roles_may_post(self, jane):
        """What a key may do at the service is for the service: it gets the roles."""
        assert with_key(jane, roles=[]).post(f"{PATH}/orders").status_code == 200


class TestRequirements:
    def test_role(self, jane, john):
        """With `role`, others are rejected."""
        assert john.get(f"{PATH}?role=admin").status_code == 200
        assert outcome(jane.get(f"{PATH}?role=admin")) == (403, "forbidden", [])

    def test_role_of_a_key(self, john):
        """A key has only its own roles."""
        assert with_key(john, roles=[]).get(f"{PATH}?role=admin").status_code == 403

    def test_second_factor(self, app, jane):
        """With `second_factor=1`, sessions without one are rejected."""
        before = jane.get(f"{PATH}?second_factor=1")
        with_second_factor(app, jane)

        assert outcome(before) == (403, "second-factor-missing", [])
        assert shown(jane.get(f"{PATH}?second_factor=1"))["X-Auth-Methods"] == "pwd,otp"

    def test_admin_without_required_second_factor(self, make_app, app, john):
        """An admin has no more rights behind a gateway than here."""
        strict = make_app(second_factor=SecondFactorRule.ADMINS).test_client()
        headers = {"Authorization": f"Bearer {john.token}"}
        before = strict.get(f"{PATH}?role=admin", headers=headers)
        with_second_factor(app, john)

        assert before.status_code == 403
        assert strict.get(f"{PATH}?role=admin", headers=headers).status_code == 200

    @pytest.mark.parametrize(
        "query", ["role=root", "role=", "second_factor=0", "roles=admin", "role=user&role=admin"]
    )
    def test_misspelt(self, john, query):
        """A requirement that is misspelt is rejected, not ignored."""
        assert john.get(f"{PATH}?{query}").status_code == 422


class TestRejected:
    @pytest.mark.parametrize("header", [None, "Basic am9objpqb2hu", "Bearer", "Bearer rst_none"])
    def test_token(self, client, header):
        """Without an active token the response is 401, and shows no user."""
        response = client.get(PATH, headers={"Authorization": header} if header else {})

        assert outcome(response) == (401, "unauthenticated", [])
        assert response.headers["WWW-Authenticate"].startswith("Bearer")
        assert set(HEADERS).isdisjoint(response.headers.keys())

    def test_signed_out(self, jane):
        """A session that has ended is rejected at once."""
        jane.delete("/v1/sessions/current")

        assert jane.get(PATH).status_code == 401

    def test_token_in_the_url(self, client, jane):
        """A token is read from `Authorization` only."""
        assert client.get(f"{PATH}/x?access_token={jane.token}").status_code == 401

    def test_is_recorded(self, app, john, jane):
        """ASVS 16.3.2: a rejected user is an audit event."""
        jane.get(f"{PATH}?role=admin")
        assert app.extensions["roster"].background.drain(10)

        events = john.get(f"/v1/events?user={jane.id}&type=access.denied").json["items"]
        assert [each["reason"] for each in events] == ["forbidden"]
