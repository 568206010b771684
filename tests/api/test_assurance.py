"""The second factor belongs to the session: what was verified, not what the account has.

ASVS 6.3.3, 6.3.4, 7.4.3; NIST SP 800-63B-4: a session has the assurance of its authentication.
"""

import time
from dataclasses import replace
from datetime import timedelta

import pytest

from models import SecondFactorRule, Session, User
from models.clock import now
from models.services.second_factors import ENROLLMENT_LIFETIME
from models.tables.login_attempts import MAX_CONSECUTIVE_FAILURES
from models.tables.second_factor import SecondFactor
from tests.support.api_keys import with_key
from tests.support.authenticator import Authenticator
from tests.support.person import PASSWORD, Person
from tests.support.responses import ADA, outcome

FACTOR = "/v1/users/me/second-factor"


def enroll(person: Person) -> Authenticator:
    """Start to set up a second factor."""
    response = person.post(FACTOR)
    assert response.status_code == 201, response.text
    return Authenticator(response.json["secret"], time.time)


def enable(person: Person) -> Authenticator:
    """Set up a second factor; its first code counts as used."""
    phone = enroll(person)
    confirmed = person.post(f"{FACTOR}/confirm", json={"otp": phone.code()})
    assert confirmed.status_code == 200, confirmed.text
    return phone


def another_session(person: Person) -> Person:
    """Return the same person with another session."""
    return replace(person).sign_in()


def with_code(person: Person, phone: Authenticator) -> Person:
    """Return the same person with a session that used the second factor."""
    body = {"login": person.username, "password": PASSWORD, "otp": phone.code(1)}
    response = person.client.post("/v1/sessions", json=body)
    assert response.status_code == 201, response.text
    return replace(person, token=response.json["token"], session_id=response.json["id"])


def methods_of(person: Person) -> list[str]:
    """Return the factors of a person's current session."""
    [row] = [row for row in person.get("/v1/sessions").json["items"] if row["current"]]
    return row["amr"]


@pytest.fixture
def strict_john(make_app, john) -> Person:
    """John, an admin, on a service that requires a second factor of admins."""
    app = make_app(second_factor=SecondFactorRule.ADMINS, rate_limits=False)
    return replace(john, client=app.test_client())


class TestEnable:
    def test_other_sessions_end(self, john):
        """A session of the password alone ends when a second factor is enabled (H3)."""
        thief = another_session(john)

        enable(john)

        assert thief.get("/v1/users/me").status_code == 401
        assert john.get("/v1/users/me").status_code == 200
        assert methods_of(john) == ["pwd", "otp"]

    def test_asking_session_has_the_rights(self, strict_john):
        """The session that confirmed the second factor has used it."""
        assert outcome(strict_john.get("/v1/users"))[:2] == (403, "second-factor-missing")

        enable(strict_john)

        assert strict_john.get("/v1/users").status_code == 200
        assert strict_john.post("/v1/users", json={**ADA, "roles": ["admin"]}).status_code == 201

    def test_earlier_key_has_no_rights(self, strict_john):
        """A key from before the second factor has no rights of an admin (H3)."""
        key = with_key(strict_john, roles=["admin"])

        enable(strict_john)

        assert outcome(key.get("/v1/users"))[:2] == (403, "second-factor-missing")
        assert key.get("/v1/users/me").status_code == 200

    def test_later_key_has_the_rights(self, strict_john):
        """A key that was created in a session with the second factor has its owner's rights."""
        enable(strict_john)

        assert with_key(strict_john, roles=["admin"]).get("/v1/users").status_code == 200

    def test_expired_enrollment(self, app, jane):
        """An enrollment that was not confirmed in time cannot be confirmed (L7)."""
        phone = enroll(jane)
        with app.app_context():
            past = now() - ENROLLMENT_LIFETIME - timedelta(seconds=1)
            SecondFactor.get(jane.id).update([SecondFactor.created_at.set(past)])

        response = jane.post(f"{FACTOR}/confirm", json={"otp": phone.code()})

        assert outcome(response)[:2] == (404, "second-factor-not-found")

    def test_guesses_are_attempts(self, app, jane, edit_row):
        """A wrong first code counts as a failed attempt to sign in (L7)."""
        phone = enroll(jane)
        edit_row(jane, failed_attempts=MAX_CONSECUTIVE_FAILURES, last_attempt_at=now())

        response = jane.post(f"{FACTOR}/confirm", json={"otp": phone.code()})

        assert outcome(response)[:2] == (429, "too-many-requests")

    def test_success_resets_attempts(self, app, jane):
        """A confirmed second factor resets the failed attempts."""
        phone = enroll(jane)
        assert jane.post(f"{FACTOR}/confirm", json={"otp": "000000"}).status_code == 422
        with app.app_context():
            assert User.get(jane.id).failed_attempts == 1

        assert jane.post(f"{FACTOR}/confirm", json={"otp": phone.code()}).status_code == 200
        with app.app_context():
            assert User.get(jane.id).failed_attempts is None


class TestSessionWithout:
    """A session without the factor, of a user with one: from an earlier version of Roster."""

    @pytest.fixture
    def phone(self, app, strict_john) -> Authenticator:
        """Enable the second factor of john, whose session forgets it."""
        phone = enable(strict_john)
        with app.app_context():
            row = Session.get(strict_john.id, strict_john.session_id)
            row.update([Session.amr.remove()])
        return phone

    def test_no_rights(self, strict_john, phone):
        """It has no rights of an admin."""
        assert outcome(strict_john.get("/v1/users"))[:2] == (403, "second-factor-missing")

    def test_reauthenticate(self, strict_john, phone):
        """Reauthentication with a code gives it the rights."""
        body = {"password": PASSWORD, "otp": phone.code(1)}

        response = strict_john.post("/v1/sessions/current/reauthenticate", json=body)

        renewed = replace(strict_john, token=response.json["token"])
        assert renewed.get("/v1/users").status_code == 200
        assert methods_of(renewed) == ["pwd", "otp"]

    def test_disable(self, strict_john, phone):
        """It cannot disable the second factor: that takes a code (H3)."""
        response = strict_john.delete(FACTOR)

        assert outcome(response)[:2] == (401, "fresh-sign-in-required")
        assert strict_john.get(FACTOR).json["enabled"] is True


class TestDisable:
    def test_other_sessions_end(self, jane):
        """Disabling ends every other session, and keeps the asking one (ASVS 7.4.3)."""
        other = with_code(jane, enable(jane))

        assert jane.delete(FACTOR).status_code == 204

        assert other.get("/v1/users/me").status_code == 401
        assert jane.get("/v1/users/me").status_code == 200

    def test_by_an_admin(self, john, jane):
        """If an admin disables it, all sessions of the user end."""
        enable(jane)

        assert john.delete(f"{jane.path}/second-factor").status_code == 204

        assert jane.get("/v1/users/me").status_code == 401


class TestRecoveryCodes:
    def test_other_sessions_end(self, jane):
        """New recovery codes end every other session, and keep the asking one."""
        other = with_code(jane, enable(jane))

        assert jane.post(f"{FACTOR}/recovery-codes").status_code == 200

        assert other.get("/v1/users/me").status_code == 401
        assert jane.get("/v1/users/me").status_code == 200


class TestMethods:
    def test_password(self, jane):
        """A session shows that a password was verified, and when."""
        [row] = jane.get("/v1/sessions").json["items"]

        assert row["amr"] == ["pwd"]
        assert row["authenticated_at"] == row["created_at"]

    def test_code(self, jane):
        """A session with a code shows both factors."""
        assert methods_of(with_code(jane, enable(jane))) == ["pwd", "otp"]
