"""POST /v1/sessions/current/reauthenticate, and operations that require recent authentication."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from models import Session, User
from models.clock import now
from models.tables.audit_event import AuditEvent
from models.tables.login_attempts import FREE_ATTEMPTS
from tests.support.api_keys import with_key
from tests.support.person import PASSWORD
from tests.support.responses import NEW_PASSWORD, outcome

PATH = "/v1/sessions/current/reauthenticate"
WRONG = "not the password at all"
CHANGE = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}


@pytest.fixture
def reauthenticate():
    """Return a function that reauthenticates a person and uses the new token."""

    def give(person, password=PASSWORD, **more):
        response = person.post(PATH, json={"password": password, **more})
        return response, replace(person, token=response.json.get("token"))

    return give


@pytest.fixture
def age_session(app):
    """Return a function that moves a session's authentication into the past."""

    def move(person, **by):
        with app.app_context():
            row = Session.get(person.id, person.session_id)
            row.update([Session.authenticated_at.set(now() - timedelta(**by))])

    return move


@pytest.fixture
def failed_attempts(app):
    """Return a function that returns the number of a person's failed attempts."""

    def count(person):
        with app.app_context():
            return User.get(person.id).failed_attempts

    return count


class TestReauthenticate:
    def test_new_token(self, jane, reauthenticate):
        """ASVS 7.2.4: a new token is valid, and the old one is invalid at once."""
        response, new = reauthenticate(jane)

        assert response.status_code == 201
        assert new.token != jane.token
        assert new.get("/v1/users/me").status_code == 200
        assert outcome(jane.get("/v1/users/me")) == (401, "unauthenticated", [])

    def test_response(self, jane, reauthenticate):
        """The response is that of a sign-in: session, token, expiry, device and user."""
        response, new = reauthenticate(jane)

        assert set(response.json) == {"id", "token", "expires_at", "device_token", "user"}
        assert response.json["id"] != jane.session_id
        assert response.json["user"] == new.get("/v1/users/me").json

    def test_same_session(self, jane, reauthenticate):
        """The number of sessions stays one."""
        _, new = reauthenticate(jane)

        sessions = new.get("/v1/sessions").json["items"]
        assert [session["current"] for session in sessions] == [True]

    def test_other_sessions(self, jane, second_session, reauthenticate):
        """Reauthenticating ends no other session."""
        phone = second_session(jane)
        reauthenticate(jane)

        assert phone.get("/v1/users/me").status_code == 200

    def test_event(self, app, jane, reauthenticate):
        """The audit event differs from that of a sign-in."""
        reauthenticate(jane)

        with app.app_context():
            *_, event = AuditEvent.query(jane.id)
        assert (event.type, event.actor_id) == ("session.renewed", jane.id)

    def test_twice_with_one_token(self, jane, reauthenticate):
        """The old token cannot reauthenticate again."""
        reauthenticate(jane)

        assert outcome(jane.post(PATH, json={"password": PASSWORD}))[:2] == (401, "unauthenticated")

    def test_twenty_in_parallel(self, app, jane):
        """ASVS 7.2.4, 15.4.2: parallel requests replace one session by exactly one."""
        barrier = threading.Barrier(20, timeout=30)

        def give(_):
            barrier.wait()
            client = app.test_client()
            return replace(jane, client=client).post(PATH, json={"password": PASSWORD}).status_code

        with ThreadPoolExecutor(20) as pool:
            statuses = list(pool.map(give, range(20)))

        with app.app_context():
            assert len(list(Session.query(jane.id))) == 1
        assert statuses.count(201) == 1
        # A request that finds the hash pool full may be repeated.
        assert set(statuses) <= {201, 401, 429, 503}


class TestErrors:
    def test_wrong_password(self, jane, reauthenticate, snapshot):
        """A wrong password changes nothing, and the session continues."""
        before = snapshot()
        response, _ = reauthenticate(jane, WRONG)

        assert outcome(response) == (401, "invalid-credentials", [])
        assert snapshot() == before
        assert jane.get("/v1/users/me").status_code == 200

    def test_counts(self, jane, reauthenticate, failed_attempts):
        """ASVS 6.3.1: a wrong password counts as a login attempt; a right one resets the count."""
        reauthenticate(jane, WRONG)
        reauthenticate(jane, WRONG)
        counted = failed_attempts(jane)
        reauthenticate(jane)

        assert counted == 2
        assert failed_attempts(jane) is None

    def test_lockout(self, jane, reauthenticate, client):
        """ASVS 6.3.1: attempts with a stolen session are limited like those at sign-in."""
        for _ in range(FREE_ATTEMPTS):
            reauthenticate(jane, WRONG)
        response, _ = reauthenticate(jane)
        sign_in = client.post("/v1/sessions", json={"login": "jane", "password": PASSWORD})

        assert outcome(response) == (429, "too-many-requests", [])
        assert int(response.headers["Retry-After"]) >= 1
        assert outcome(sign_in)[:2] == (429, "too-many-requests")
        assert jane.get("/v1/users/me").status_code == 200

    def test_api_key(self, jane, snapshot):
        """A session is required, since a key has no password."""
        machine = with_key(jane)
        before = snapshot()["Session"]

        assert outcome(machine.post(PATH, json={"password": PASSWORD}))[:2] == (403, "forbidden")
        assert snapshot()["Session"] == before

    def test_anonymous(self, client):
        """An anonymous client gets a 401."""
        assert outcome(client.post(PATH, json={"password": PASSWORD}))[:2] == (
            401,
            "unauthenticated",
        )

    def test_second_factor(self, jane, edit_row, reauthenticate):
        """ASVS 6.3.4: the second factor is required here too."""
        edit_row(jane, has_second_factor=True)

        for more in ({}, {"otp": ""}, {"otp": "000000"}):
            response, _ = reauthenticate(jane, **more)
            assert outcome(response) == (401, "second-factor-required", [])

    @pytest.mark.parametrize(
        "body, pointers",
        [
            ({}, ["/password"]),
            ({"password": None}, ["/password"]),
            ({"password": [PASSWORD]}, ["/password"]),
            ({"password": PASSWORD, "login": "eve"}, ["/login"]),
            ({"password": PASSWORD, "otp": 123456}, ["/otp"]),
        ],
    )
    def test_fields(self, jane, body, pointers):
        """The body has the password and the code; the session identifies the user."""
        assert outcome(jane.post(PATH, json=body)) == (422, "invalid-request", pointers)

    def test_another_users_password(self, jane, create_user, reauthenticate):
        """ASVS 8.2.2: only the password of the session's user is accepted."""
        create_user("zoe", password="one more stone bridge")

        response, _ = reauthenticate(jane, "one more stone bridge")
        assert outcome(response) == (401, "invalid-credentials", [])


class TestRecentAuthentication:
    """ASVS 7.5.1: sensitive operations require recent authentication."""

    @pytest.mark.parametrize(
        "method, path, body",
        [
            ("PUT", "/v1/users/me/password", CHANGE),
            ("PATCH", "/v1/users/me", {"email": "new@example.com"}),
            ("PATCH", "/v1/users/me", {"email": "jane@example.com", "full_name": "Jane"}),
            ("DELETE", "/v1/users/me", None),
        ],
    )
    def test_old_and_reauthenticated(
        self, jane, age_session, reauthenticate, snapshot, method, path, body
    ):
        """A sensitive operation rejects an old session and accepts a reauthenticated one."""
        age_session(jane, minutes=11)
        before = snapshot()
        response = jane.request(method, path, json=body)
        unchanged = snapshot() == before
        _, new = reauthenticate(jane)
        granted = new.request(method, path, json=body)

        assert outcome(response) == (401, "fresh-sign-in-required", [])
        assert unchanged
        assert granted.status_code in (200, 204)

    def test_by_its_id(self, jane, age_session):
        """The rule applies to the user's own id as to `me`."""
        age_session(jane, minutes=11)

        assert outcome(jane.patch(jane.path, json={"email": "n@example.com"}))[0] == 401
        assert outcome(jane.delete(jane.path))[0] == 401
        assert outcome(jane.put(f"{jane.path}/password", json=CHANGE))[0] == 401

    def test_wrong_password(self, jane, age_session, reauthenticate):
        """A wrong password does not make a session recent."""
        age_session(jane, minutes=11)
        reauthenticate(jane, WRONG)

        response = jane.delete("/v1/users/me")
        assert outcome(response) == (401, "fresh-sign-in-required", [])
        assert "insufficient_user_authentication" in response.headers["WWW-Authenticate"]

    def test_old_token_stays_invalid(self, jane, age_session, reauthenticate):
        """ASVS 7.2.4: a stolen old token stays invalid."""
        age_session(jane, minutes=11)
        reauthenticate(jane)

        assert outcome(jane.delete("/v1/users/me"))[:2] == (401, "unauthenticated")
