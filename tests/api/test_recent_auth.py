"""ASVS 7.5.1: what asks for the password once more when the sign-in is a while ago."""

from datetime import UTC, datetime, timedelta

import pytest

from models import Session
from tests.support.api_keys import with_key
from tests.support.person import PASSWORD
from tests.support.responses import NEW_PASSWORD, outcome

SENSITIVE = [
    pytest.param("POST", "/v1/users/me/api-keys", {"name": "nightly"}, id="make a key"),
    pytest.param("PATCH", "/v1/users/me", {"email": "new@example.com"}, id="change the address"),
    pytest.param("DELETE", "/v1/users/me", None, id="delete oneself"),
    pytest.param(
        "PUT",
        "/v1/users/me/password",
        {"current_password": PASSWORD, "new_password": NEW_PASSWORD},
        id="change the password",
    ),
    pytest.param("POST", "/v1/users/me/second-factor", None, id="set up a second factor"),
    pytest.param("DELETE", "/v1/users/me/second-factor", None, id="turn a second factor off"),
    pytest.param(
        "POST", "/v1/users/me/second-factor/recovery-codes", None, id="renew recovery codes"
    ),
]


@pytest.fixture
def age(app):
    """Moves somebody's sign-in into the past, while the session goes on being used."""

    def move(person, **by):
        past = datetime.now(UTC) - timedelta(**by)
        with app.app_context():
            row = Session.get(person.id, person.session_id)
            row.update([Session.created_at.set(past), Session.authenticated_at.set(past)])

    return move


class TestStale:
    @pytest.mark.parametrize("method, path, body", SENSITIVE)
    def test_refused(self, jane, age, stored, method, path, body):
        """A session that was left open does nothing that its user could not undo."""
        age(jane, minutes=11)
        before = stored()

        response = jane.request(method, path, json=body)

        assert outcome(response) == (401, "fresh-sign-in-required", [])
        assert "insufficient_user_authentication" in response.headers["WWW-Authenticate"]
        assert stored() == before

    @pytest.mark.parametrize("method, path, body", SENSITIVE)
    def test_use_is_no_sign_in(self, jane, age, method, path, body):
        """However lately a session was used, what counts is when the password was given."""
        age(jane, days=3)
        jane.get("/v1/users/me")

        assert outcome(jane.request(method, path, json=body))[1] == "fresh-sign-in-required"

    @pytest.mark.parametrize("method, path, body", SENSITIVE)
    def test_by_a_key(self, jane, stored, method, path, body):
        """A key has no password to give: it is told to sign in, however fresh its owner is."""
        machine = with_key(jane)
        machine.get("/v1/users/me")
        before = stored()

        response = machine.request(method, path, json=body)

        assert outcome(response) == (403, "forbidden", [])
        assert stored() == before

    @pytest.mark.parametrize("body", ["{", '{"nope": 1}'])
    def test_before_the_body(self, jane, age, body):
        """A stale session is told so before the body is looked at."""
        age(jane, minutes=11)

        response = jane.post("/v1/users/me/api-keys", data=body, content_type="application/json")

        assert outcome(response)[1] == "fresh-sign-in-required"

    @pytest.mark.parametrize(
        "method, path, body",
        [
            ("GET", "/v1/users/me", None),
            ("GET", "/v1/users/me/api-keys", None),
            ("PATCH", "/v1/users/me", {"full_name": "Jane", "username": "jane2"}),
            ("DELETE", "/v1/sessions", None),
        ],
    )
    def test_everyday_life(self, jane, age, method, path, body):
        """What is not sensitive goes on without the password."""
        age(jane, days=3)

        assert jane.request(method, path, json=body).status_code in (200, 204)

    def test_revoke_a_key(self, jane, age):
        """Whoever finds a key that should not be there is not held up."""
        machine = with_key(jane)
        age(jane, days=3)

        response = jane.delete(f"/v1/users/me/api-keys/{machine.session_id}")

        assert response.status_code == 204


class TestFresh:
    def test_just_in_time(self, jane, age):
        """Ten minutes are given, unless configured otherwise."""
        age(jane, minutes=9)

        assert jane.post("/v1/users/me/api-keys", json={"name": "nightly"}).status_code == 201

    def test_another_period(self, make_app, jane, age):
        """ROSTER_FRESH_SIGN_IN says how long."""
        jane.client = make_app(fresh_sign_in=timedelta(hours=1)).test_client()
        age(jane, minutes=59)
        before = jane.post("/v1/users/me/api-keys", json={"name": "nightly"})
        age(jane, minutes=61)
        after = jane.post("/v1/users/me/api-keys", json={"name": "nightly"})

        assert before.status_code == 201
        assert outcome(after)[1] == "fresh-sign-in-required"

    def test_signing_in(self, jane, age):
        """A new session is fresh, and makes no older one so."""
        age(jane, days=3)
        stale = jane.token
        jane.sign_in()

        assert jane.post("/v1/users/me/api-keys", json={"name": "nightly"}).status_code == 201
        jane.token = stale
        response = jane.post("/v1/users/me/api-keys", json={"name": "nightly"})
        assert outcome(response)[1] == "fresh-sign-in-required"

    def test_giving_the_password(self, jane, age):
        """`POST /v1/sessions/current/reauthenticate` makes a fresh session of a stale one."""
        age(jane, days=3)
        renewed = jane.post("/v1/sessions/current/reauthenticate", json={"password": PASSWORD})
        jane.token = renewed.json["token"]

        assert jane.post("/v1/users/me/api-keys", json={"name": "nightly"}).status_code == 201

    def test_a_wrong_password(self, jane, age):
        """Whoever does not know the password does not get any further."""
        age(jane, days=3)
        renewed = jane.post(
            "/v1/sessions/current/reauthenticate", json={"password": "not the password at all"}
        )

        response = jane.post("/v1/users/me/api-keys", json={"name": "nightly"})
        assert outcome(renewed)[:2] == (401, "invalid-credentials")
        assert outcome(response)[1] == "fresh-sign-in-required"


class TestOthers:
    """An admin's stale session or key takes over nobody's account."""

    TAKEOVERS = [
        pytest.param("PATCH", "", {"email": "evil@example.com"}, id="change the address"),
        pytest.param("DELETE", "/second-factor", None, id="turn a second factor off"),
    ]

    @pytest.mark.parametrize("method, path, body", TAKEOVERS)
    def test_stale_admin(self, john, jane, age, stored, method, path, body):
        """An admin who signed in a while ago gives the password once more."""
        age(john, minutes=11)
        before = stored()

        response = john.request(method, jane.path + path, json=body)

        assert outcome(response) == (401, "fresh-sign-in-required", [])
        assert stored() == before

    @pytest.mark.parametrize("method, path, body", TAKEOVERS)
    def test_key_of_an_admin(self, john, jane, method, path, body):
        """A key has no password to give, whatever its role."""
        response = with_key(john, roles=["admin"]).request(method, jane.path + path, json=body)

        assert outcome(response) == (403, "forbidden", [])
        assert jane.get("/v1/users/me").json["email"] == "jane@example.com"
