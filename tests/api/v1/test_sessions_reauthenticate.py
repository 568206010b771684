"""POST /v1/sessions/current/reauthenticate, and what a fresh sign-in is asked for."""

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
def renew():
    """Gives the password once more, and goes on with the new token: `renew(jane)`."""

    def give(person, password=PASSWORD, **more):
        answer = person.post(PATH, json={"password": password, **more})
        return answer, replace(person, token=answer.json.get("token"))

    return give


@pytest.fixture
def age(app):
    """Moves somebody's sign-in into the past, while the session goes on being used."""

    def move(person, **by):
        with app.app_context():
            row = Session.get(person.id, person.session_id)
            row.update([Session.authenticated_at.set(now() - timedelta(**by))])

    return move


@pytest.fixture
def tries(app):
    def count(person):
        with app.app_context():
            return User.get(person.id).failed_attempts

    return count


class TestRenew:
    def test_new_token(self, jane, renew):
        """ASVS 7.2.4: a new token signs in, and the old one is dead at once."""
        answer, fresh = renew(jane)

        assert answer.status_code == 201
        assert fresh.token != jane.token
        assert fresh.get("/v1/users/me").status_code == 200
        assert outcome(jane.get("/v1/users/me")) == (401, "unauthenticated", [])

    def test_the_answer(self, jane, renew):
        """The answer is that of a sign-in: the session, its token, its end and the user."""
        answer, fresh = renew(jane)

        assert set(answer.json) == {"id", "token", "expires_at", "user"}
        assert answer.json["id"] != jane.session_id
        assert answer.json["user"] == fresh.get("/v1/users/me").json

    def test_in_place(self, jane, renew):
        """There is one session afterwards, as before."""
        _, fresh = renew(jane)

        sessions = fresh.get("/v1/sessions").json["items"]
        assert [session["current"] for session in sessions] == [True]

    def test_others_go_on(self, jane, elsewhere, renew):
        """Giving the password here signs nobody out elsewhere."""
        phone = elsewhere(jane)
        renew(jane)

        assert phone.get("/v1/users/me").status_code == 200

    def test_event(self, app, jane, renew):
        """The user's events tell it from a sign-in."""
        renew(jane)

        with app.app_context():
            *_, event = AuditEvent.query(jane.id)
        assert (event.type, event.actor_id) == ("session.renewed", jane.id)

    def test_twice_with_one_token(self, jane, renew):
        """The old session cannot be renewed again."""
        renew(jane)

        assert outcome(jane.post(PATH, json={"password": PASSWORD}))[:2] == (401, "unauthenticated")

    def test_twenty_at_once(self, app, jane):
        """ASVS 7.2.4, 15.4.2: one session becomes one session, however many ask."""
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
        # Who finds all places for hashes taken may come again.
        assert set(statuses) <= {201, 401, 429, 503}


class TestRefusals:
    def test_wrong_password(self, jane, renew, stored):
        """A wrong password changes nothing, and the present session goes on."""
        before = stored()
        answer, _ = renew(jane, WRONG)

        assert outcome(answer) == (401, "invalid-credentials", [])
        assert stored() == before
        assert jane.get("/v1/users/me").status_code == 200

    def test_counts(self, jane, renew, tries):
        """ASVS 6.3.1: each wrong password is a try to sign in; a right one ends the count."""
        renew(jane, WRONG)
        renew(jane, WRONG)
        counted = tries(jane)
        renew(jane)

        assert counted == 2
        assert tries(jane) is None

    def test_lock(self, jane, renew, client):
        """ASVS 6.3.1: a stolen session guesses no better than whoever signs in."""
        for _ in range(FREE_ATTEMPTS):
            renew(jane, WRONG)
        answer, _ = renew(jane)
        elsewhere = client.post("/v1/sessions", json={"login": "jane", "password": PASSWORD})

        assert outcome(answer) == (429, "too-many-requests", [])
        assert int(answer.headers["Retry-After"]) >= 1
        assert outcome(elsewhere)[:2] == (429, "too-many-requests")
        assert jane.get("/v1/users/me").status_code == 200

    def test_key(self, jane, stored):
        """Only a session may: a key has no password."""
        machine = with_key(jane)
        before = stored()["Session"]

        assert outcome(machine.post(PATH, json={"password": PASSWORD}))[:2] == (403, "forbidden")
        assert stored()["Session"] == before

    def test_anonymous(self, client):
        """Nobody who is not signed in."""
        assert outcome(client.post(PATH, json={"password": PASSWORD}))[:2] == (
            401,
            "unauthenticated",
        )

    def test_second_factor(self, jane, alter, renew):
        """ASVS 6.3.4: the second factor is asked for here, too."""
        alter(jane, has_second_factor=True)

        for more in ({}, {"otp": ""}, {"otp": "000000"}):
            answer, _ = renew(jane, **more)
            assert outcome(answer) == (401, "second-factor-required", [])

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
    def test_members(self, jane, body, pointers):
        """Only the password, and the code of the second factor: whose it is, the session says."""
        assert outcome(jane.post(PATH, json=body)) == (422, "invalid-request", pointers)

    def test_somebody_elses_password(self, jane, enrol, renew):
        """ASVS 8.2.2: only the session's own user's password will do."""
        enrol("zoe", password="one more stone bridge")

        answer, _ = renew(jane, "one more stone bridge")
        assert outcome(answer) == (401, "invalid-credentials", [])


class TestFresh:
    """ASVS 7.5.1."""

    @pytest.mark.parametrize(
        "method, path, body",
        [
            ("PUT", "/v1/users/me/password", CHANGE),
            ("PATCH", "/v1/users/me", {"email": "new@example.com"}),
            ("PATCH", "/v1/users/me", {"email": "jane@example.com", "full_name": "Jane"}),
            ("DELETE", "/v1/users/me", None),
        ],
    )
    def test_stale_and_fresh(self, jane, age, renew, stored, method, path, body):
        """What is sensitive is refused to a stale session, and granted to the renewed one."""
        age(jane, minutes=11)
        before = stored()
        refused = jane.request(method, path, json=body)
        unchanged = stored() == before
        _, fresh = renew(jane)
        granted = fresh.request(method, path, json=body)

        assert outcome(refused) == (401, "fresh-sign-in-required", [])
        assert unchanged
        assert granted.status_code in (200, 204)

    def test_by_its_id(self, jane, age):
        """One's own id is oneself: no way around it."""
        age(jane, minutes=11)

        assert outcome(jane.patch(jane.path, json={"email": "n@example.com"}))[0] == 401
        assert outcome(jane.delete(jane.path))[0] == 401
        assert outcome(jane.put(f"{jane.path}/password", json=CHANGE))[0] == 401

    def test_wrong_password(self, jane, age, renew):
        """A wrong password freshens nothing."""
        age(jane, minutes=11)
        renew(jane, WRONG)

        answer = jane.delete("/v1/users/me")
        assert outcome(answer) == (401, "fresh-sign-in-required", [])
        assert "insufficient_user_authentication" in answer.headers["WWW-Authenticate"]

    def test_old_token_is_not_freshened(self, jane, age, renew):
        """ASVS 7.2.4: whoever has stolen the old token gains nothing by it."""
        age(jane, minutes=11)
        renew(jane)

        assert outcome(jane.delete("/v1/users/me"))[:2] == (401, "unauthenticated")
