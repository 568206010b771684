"""Reauthentication: a new session replaces the current one."""

from datetime import timedelta

import pytest

from models import Actor, Client, OpenedSession, User
from models.clock import now
from models.errors import (
    InvalidCredentials,
    SecondFactorCodeRequired,
    TooManyAttempts,
    Unauthenticated,
)
from models.tables.audit_event import AuditEvent
from models.tables.login_attempts import FREE_ATTEMPTS
from models.tables.session import Session
from tests.support.authenticator import Authenticator, Clock
from tests.support.person import CLIENT, PASSWORD

WRONG = "not the password at all"
THERE = Client("192.0.2.2", "another browser")


@pytest.fixture
def opened(sign_in, ada):
    """Ada's session, and its token."""
    return sign_in.sign_in("ada", PASSWORD, CLIENT)[:2]


@pytest.fixture
def stale(opened):
    """Ada's session, some hours after she gave her password."""
    session, _ = opened
    session.update([Session.authenticated_at.set(now() - timedelta(hours=3))])
    return session


class TestRenew:
    def test_fresh(self, sign_in, stale):
        """ASVS 7.5.1: the new session is fresh, and says from where it was asked for."""
        renewed, token, _, _ = sign_in.reauthenticate(stale, PASSWORD, THERE)

        found = sign_in.authenticate(token).session
        assert not stale.is_recent(timedelta(minutes=10))
        assert found.is_recent(timedelta(minutes=10))
        assert (found.id, found.ip) == (renewed.id, "192.0.2.2")

    def test_old_token(self, sign_in, opened, ada):
        """ASVS 7.2.4: the old token is dead, and its row is gone."""
        session, token = opened
        renewed, _, _, _ = sign_in.reauthenticate(session, PASSWORD, CLIENT)

        with pytest.raises(Unauthenticated):
            sign_in.authenticate(token)
        assert [row.id for row in Session.query(ada.id)] == [renewed.id]

    def test_wrong_password(self, sign_in, opened, ada):
        """A wrong password leaves the session as it was, and is recorded as a failed sign-in."""
        session, token = opened
        with pytest.raises(InvalidCredentials):
            sign_in.reauthenticate(session, WRONG, CLIENT)

        *_, event = AuditEvent.query(ada.id)
        assert sign_in.authenticate(token)
        assert (event.type, event.reason) == ("sign-in.failed", "wrong-password")
        assert User.get(ada.id).failed_attempts == 1

    def test_too_many(self, sign_in, opened):
        """ASVS 6.3.1: it shares the count of sign-ins, so that no session is a way around it."""
        session, _ = opened
        for _ in range(FREE_ATTEMPTS // 2):
            with pytest.raises(InvalidCredentials):
                sign_in.reauthenticate(session, WRONG, CLIENT)
            with pytest.raises(InvalidCredentials):
                sign_in.sign_in("ada", WRONG, CLIENT)

        with pytest.raises(TooManyAttempts):
            sign_in.reauthenticate(session, PASSWORD, CLIENT)

    def test_second_factor(self, sign_in, second_factors, opened, ada):
        """ASVS 6.3.4: it asks for the second factor like any sign-in."""
        session, _ = opened
        phone = Authenticator(
            second_factors.enroll(ada, Actor(ada.id)).secret, Clock(now().timestamp())
        )
        second_factors.confirm(ada, phone.code(), Actor(ada.id), session=session)

        with pytest.raises(SecondFactorCodeRequired):
            sign_in.reauthenticate(session, PASSWORD, CLIENT)
        assert sign_in.reauthenticate(session, PASSWORD, CLIENT, otp=phone.code(1))

    def test_address_not_confirmed(self, make_sign_in, opened):
        """Where addresses have to be confirmed it is no way around that."""
        session, _ = opened
        strict = make_sign_in(requires_verified_email=True)

        with pytest.raises(InvalidCredentials):
            strict.reauthenticate(session, PASSWORD, CLIENT)

    def test_many_at_once(self, run_concurrently, sign_in, opened, ada):
        """ASVS 15.4.2: one session becomes one session, however many ask."""
        session, _ = opened
        outcomes = run_concurrently(
            *[lambda: sign_in.reauthenticate(session, PASSWORD, CLIENT)] * 10
        )

        assert [type(each) for each in outcomes].count(OpenedSession) == 1
        assert [type(each) for each in outcomes].count(Unauthenticated) == 9
        assert len(list(Session.query(ada.id))) == 1


class TestMeanwhile:
    def test_ended(self, sign_in, opened, ada):
        """A session that was just ended is not continued by another one."""
        session, _ = opened
        sign_in.end(ada, session.id, by=Actor())

        with pytest.raises(Unauthenticated):
            sign_in.reauthenticate(session, PASSWORD, CLIENT)
        assert list(Session.query(ada.id)) == []

    def test_signed_out_everywhere(self, sign_in, opened, ada):
        """ASVS 7.4.1: nor one that has ended, but has its row still."""
        session, _ = opened
        # The moment between the write that ends all sessions and the removal of their rows.
        ada.update([User.session_epoch.add(1)])

        with pytest.raises(Unauthenticated):
            sign_in.reauthenticate(session, PASSWORD, CLIENT)
        assert [row.id for row in Session.query(ada.id)] == [session.id]

    def test_suspended(self, sign_in, accounts, opened, ada):
        """ASVS 7.4.2: a suspended user does not get in this way."""
        session, _ = opened
        accounts.update(ada, {"status": "suspended"})

        with pytest.raises(InvalidCredentials):
            sign_in.reauthenticate(session, PASSWORD, CLIENT)

    def test_deleted(self, sign_in, accounts, opened, ada):
        """The session of a user who is gone has ended, and no part of the user comes back."""
        session, _ = opened
        accounts.delete(ada)

        with pytest.raises(Unauthenticated):
            sign_in.reauthenticate(session, PASSWORD, CLIENT)
        assert list(User.scan()) == []
