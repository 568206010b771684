"""At most 100 sessions per user: a new one ends the oldest (M9)."""

from datetime import timedelta

import pytest

from models import Lifetimes, OpenedSession, Session, User
from models.clock import now
from models.errors import Unauthenticated
from models.services.session_limit import MAX_SESSIONS
from models.tables.audit_event import AuditEvent
from tests.support.person import CLIENT, PASSWORD


@pytest.fixture
def fill(ada):
    """Return a function that stores sessions of ada, from the newest to the oldest."""

    def store(count, **attributes):
        user = User.get(ada.id)
        tokens = []
        for age in range(1, count + 1):
            session, token = Session.new(user, CLIENT, Lifetimes())
            session.created_at = now() - timedelta(minutes=age)
            for name, value in attributes.items():
                setattr(session, name, value)
            session.save()
            tokens.append(token)
        ada.update([User.session_rows.set(len(list(Session.query(ada.id))))])
        return tokens

    return store


def is_signed_in(sign_in, token):
    """Return whether a token authenticates."""
    try:
        return bool(sign_in.authenticate(token))
    except Unauthenticated:
        return False


class TestLimit:
    def test_oldest_ends(self, fill, sign_in, ada):
        """The sign-in after the hundredth ends the oldest session, and no other."""
        tokens = fill(MAX_SESSIONS)

        new = sign_in.sign_in("ada", PASSWORD, CLIENT)[1]

        assert [is_signed_in(sign_in, token) for token in (new, *tokens[:-1])] == [True] * 100
        assert not is_signed_in(sign_in, tokens[-1])
        assert len(sign_in.list_for(User.get(ada.id))) == MAX_SESSIONS

    def test_event(self, fill, sign_in, ada):
        """An event tells why the session has ended."""
        fill(MAX_SESSIONS)
        sign_in.sign_in("ada", PASSWORD, CLIENT)

        [event] = AuditEvent.query(ada.id, filter_condition=AuditEvent.reason.exists())
        assert (event.type, event.reason) == ("session.ended", "too-many-sessions")

    def test_below(self, fill, sign_in, ada):
        """Up to the limit no session ends."""
        fill(MAX_SESSIONS - 1)

        sign_in.sign_in("ada", PASSWORD, CLIENT)

        assert len(sign_in.list_for(User.get(ada.id))) == MAX_SESSIONS
        assert User.get(ada.id).session_rows == MAX_SESSIONS

    def test_reauthentication(self, fill, sign_in, ada):
        """Reauthentication replaces a session, and ends no other."""
        fill(MAX_SESSIONS - 1)
        session = sign_in.sign_in("ada", PASSWORD, CLIENT)[0]

        sign_in.reauthenticate(session, PASSWORD, CLIENT)

        assert len(sign_in.list_for(User.get(ada.id))) == MAX_SESSIONS

    def test_rows_of_ended_sessions(self, fill, sign_in, ada):
        """Rows of sessions that have expired do not count, and are removed before active ones."""
        fill(20, expires_at=now() - timedelta(minutes=1))
        fill(MAX_SESSIONS - 20)

        sign_in.sign_in("ada", PASSWORD, CLIENT)

        assert len(sign_in.list_for(User.get(ada.id))) == MAX_SESSIONS - 20 + 1
        assert len(list(Session.query(ada.id))) == MAX_SESSIONS - 20 + 1
        assert User.get(ada.id).session_rows == MAX_SESSIONS - 20 + 1

    def test_far_above(self, fill, sign_in, ada):
        """Thousands of rows of an earlier version are removed by several sign-ins."""
        fill(MAX_SESSIONS + 60)

        counts = []
        for _ in range(3):
            sign_in.sign_in("ada", PASSWORD, CLIENT)
            counts.append(len(list(Session.query(ada.id))))

        assert counts == [136, 112, MAX_SESSIONS]

    def test_first_sign_ins(self, sign_in, ada):
        """The rows of a user are counted from the first sign-in on."""
        for _ in range(3):
            sign_in.sign_in("ada", PASSWORD, CLIENT)

        assert User.get(ada.id).session_rows == 3

    def test_at_the_same_time(self, fill, sign_in, run_concurrently, ada):
        """Concurrent sign-ins all succeed, and the next one restores the limit (ASVS 15.4.2)."""
        fill(MAX_SESSIONS)
        outcomes = run_concurrently(*[lambda: sign_in.sign_in("ada", PASSWORD, CLIENT)] * 8)
        assert all(isinstance(each, OpenedSession) for each in outcomes), outcomes

        sign_in.sign_in("ada", PASSWORD, CLIENT)

        assert len(sign_in.list_for(User.get(ada.id))) == MAX_SESSIONS
