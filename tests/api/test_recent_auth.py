"""ASVS 7.5.1: operations that require recent authentication."""

from datetime import UTC, datetime, timedelta

import pytest

from models import Session
from tests.support.api_keys import with_key
from tests.support.person import PASSWORD
from tests.support.responses import ABSENT_ID, ADA, NEW_PASSWORD, outcome

ABSENT_SESSION = "0" * 64
SENSITIVE = [
    pytest.param("POST", "/v1/users/me/api-keys", {"name": "nightly"}, id="make a key"),
    pytest.param("PATCH", "/v1/users/me", {"email": "new@example.com"}, id="change the address"),
    pytest.param("DELETE", "/v1/users/me", None, id="delete oneself"),
    pytest.param("PATCH", "/v1/users/me", {"username": "jane2"}, id="change the username"),
    pytest.param("DELETE", "/v1/sessions", None, id="sign out everywhere"),
    pytest.param("DELETE", f"/v1/sessions/{ABSENT_SESSION}", None, id="end another session"),
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
def age_session(app):
    """Return a function that moves a session's authentication into the past."""

    def move(person, **by):
        past = datetime.now(UTC) - timedelta(**by)
        with app.app_context():
            row = Session.get(person.id, person.session_id)
            row.update([Session.created_at.set(past), Session.authenticated_at.set(past)])

    return move


class TestOldSession:
    @pytest.mark.parametrize("method, path, body", SENSITIVE)
    def test_rejected(self, jane, age_session, snapshot, method, path, body):
        """An old session cannot make changes that its user could not undo."""
        age_session(jane, minutes=11)
        before = snapshot()

        response = jane.request(method, path, json=body)

        assert outcome(response) == (401, "fresh-sign-in-required", [])
        assert "insufficient_user_authentication" in response.headers["WWW-Authenticate"]
        assert snapshot() == before

    @pytest.mark.parametrize("method, path, body", SENSITIVE)
    def test_use_is_not_authentication(self, jane, age_session, method, path, body):
        """The time of the password counts, not the last use of the session."""
        age_session(jane, days=3)
        jane.get("/v1/users/me")

        assert outcome(jane.request(method, path, json=body))[1] == "fresh-sign-in-required"

    @pytest.mark.parametrize("method, path, body", SENSITIVE)
    def test_api_key(self, jane, snapshot, method, path, body):
        """A key cannot reauthenticate and is rejected even if its owner did so recently."""
        machine = with_key(jane)
        machine.get("/v1/users/me")
        before = snapshot()

        response = machine.request(method, path, json=body)

        assert outcome(response) == (403, "forbidden", [])
        assert snapshot() == before

    @pytest.mark.parametrize("body", ["{", '{"nope": 1}'])
    def test_before_the_body(self, jane, age_session, body):
        """An old session is rejected before the body is read."""
        age_session(jane, minutes=11)

        response = jane.post("/v1/users/me/api-keys", data=body, content_type="application/json")

        assert outcome(response)[1] == "fresh-sign-in-required"

    @pytest.mark.parametrize(
        "method, path, body",
        [
            ("GET", "/v1/users/me", None),
            ("GET", "/v1/users/me/api-keys", None),
            ("PATCH", "/v1/users/me", {"full_name": "Jane", "metadata": {"team": "engines"}}),
            ("DELETE", "/v1/sessions/current", None),
            ("DELETE", "/v1/sessions/{session}", None),
        ],
    )
    def test_other_operations(self, jane, age_session, method, path, body):
        """Operations that are not sensitive need no recent authentication."""
        age_session(jane, days=3)
        path = path.format(session=jane.session_id)

        assert jane.request(method, path, json=body).status_code in (200, 204)

    def test_revoke_a_key(self, jane, age_session):
        """Revoking a key needs no recent authentication."""
        machine = with_key(jane)
        age_session(jane, days=3)

        response = jane.delete(f"/v1/users/me/api-keys/{machine.session_id}")

        assert response.status_code == 204


class TestRecentAuthentication:
    def test_default_period(self, jane, age_session):
        """Authentication is recent for ten minutes by default."""
        age_session(jane, minutes=9)

        assert jane.post("/v1/users/me/api-keys", json={"name": "nightly"}).status_code == 201

    def test_configured_period(self, make_app, jane, age_session):
        """ROSTER_FRESH_SIGN_IN sets the period."""
        jane.client = make_app(recent_auth=timedelta(hours=1)).test_client()
        age_session(jane, minutes=59)
        before = jane.post("/v1/users/me/api-keys", json={"name": "nightly"})
        age_session(jane, minutes=61)
        after = jane.post("/v1/users/me/api-keys", json={"name": "nightly"})

        assert before.status_code == 201
        assert outcome(after)[1] == "fresh-sign-in-required"

    def test_signing_in(self, jane, age_session):
        """A new session is recent, and does not make an older one so."""
        age_session(jane, days=3)
        stale = jane.token
        jane.sign_in()

        assert jane.post("/v1/users/me/api-keys", json={"name": "nightly"}).status_code == 201
        jane.token = stale
        response = jane.post("/v1/users/me/api-keys", json={"name": "nightly"})
        assert outcome(response)[1] == "fresh-sign-in-required"

    def test_reauthenticating(self, jane, age_session):
        """`POST /v1/sessions/current/reauthenticate` makes an old session recent."""
        age_session(jane, days=3)
        renewed = jane.post("/v1/sessions/current/reauthenticate", json={"password": PASSWORD})
        jane.token = renewed.json["token"]

        assert jane.post("/v1/users/me/api-keys", json={"name": "nightly"}).status_code == 201

    def test_a_wrong_password(self, jane, age_session):
        """A wrong password does not make a session recent."""
        age_session(jane, days=3)
        renewed = jane.post(
            "/v1/sessions/current/reauthenticate", json={"password": "not the password at all"}
        )

        response = jane.post("/v1/users/me/api-keys", json={"name": "nightly"})
        assert outcome(renewed)[:2] == (401, "invalid-credentials")
        assert outcome(response)[1] == "fresh-sign-in-required"


class TestOtherUsers:
    """An admin's old session or key cannot take over another account."""

    TAKEOVERS = [
        pytest.param("PATCH", "", {"email": "evil@example.com"}, id="change the address"),
        pytest.param("PATCH", "", {"username": "evil"}, id="change the username"),
        pytest.param("PATCH", "", {"roles": ["admin"]}, id="make an admin"),
        pytest.param("PATCH", "", {"roles": []}, id="take roles away"),
        pytest.param("PATCH", "", {"status": "suspended"}, id="suspend"),
        pytest.param("PATCH", "", {"full_name": "J", "status": "active"}, id="reactivate"),
        pytest.param("DELETE", "", None, id="delete"),
        pytest.param("DELETE", "/second-factor", None, id="turn a second factor off"),
        pytest.param("DELETE", "/lock", None, id="unlock"),
        pytest.param("DELETE", "/sessions", None, id="end sessions"),
        pytest.param("DELETE", f"/api-keys/{'0' * 64}", None, id="revoke a key"),
        pytest.param("DELETE", "/api-keys", None, id="revoke all keys"),
        pytest.param("POST", "/password-reset", None, id="start a reset"),
    ]

    @pytest.mark.parametrize("method, path, body", TAKEOVERS)
    def test_admin_with_an_old_session(self, john, jane, age_session, snapshot, method, path, body):
        """An admin with an old session has to reauthenticate."""
        age_session(john, minutes=11)
        before = snapshot()

        response = john.request(method, jane.path + path, json=body)

        assert outcome(response) == (401, "fresh-sign-in-required", [])
        assert snapshot() == before

    @pytest.mark.parametrize("method, path, body", TAKEOVERS)
    def test_admin_key(self, john, jane, method, path, body):
        """A key with any role is rejected, since it cannot reauthenticate."""
        response = with_key(john, roles=["admin"]).request(method, jane.path + path, json=body)

        assert outcome(response) == (403, "forbidden", [])
        assert jane.get("/v1/users/me").json["email"] == "jane@example.com"

    def test_register_an_admin(self, john, age_session, snapshot):
        """An admin with an old session cannot register an accomplice (H4)."""
        age_session(john, minutes=11)
        before = snapshot()

        response = john.post("/v1/users", json={**ADA, "roles": ["admin", "user"]})

        assert outcome(response) == (401, "fresh-sign-in-required", [])
        assert snapshot() == before

    def test_register_a_user(self, john, age_session):
        """Registering a user without rights needs no recent authentication."""
        age_session(john, days=3)

        assert john.post("/v1/users", json={**ADA, "roles": ["user"]}).status_code == 201

    @pytest.mark.parametrize("method, path, body", TAKEOVERS)
    def test_stranger(self, eve, jane, age_session, method, path, body):
        """A user with an old session learns nothing about the id of another user."""
        age_session(eve, minutes=11)

        there = outcome(eve.request(method, jane.path + path, json=body))
        absent = outcome(eve.request(method, f"/v1/users/{ABSENT_ID}{path}", json=body))

        assert there == absent
