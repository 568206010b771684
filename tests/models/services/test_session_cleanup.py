"""Session rows that an ended process left behind."""

from datetime import timedelta

import pytest

from models import Client, resume_cleanup
from models.tables.audit_event import ANONYMOUS, AuditEvent, EventType
from models.tables.session import Session
from tests.support.person import PASSWORD


@pytest.fixture
def ada(register, sign_in):
    """A user with two sessions."""
    register("ada")
    sign_in.sign_in("ada", PASSWORD, Client())
    return sign_in.sign_in("ada", PASSWORD, Client())[2]


def leave_behind(event_type, user):
    """Stored rows when a process ends between a change and its cleanup."""
    event = AuditEvent.create(event_type, user.id, ANONYMOUS, needs_cleanup=True)
    event.save()
    return event


class TestResumeSweeps:
    def test_deleted_user(self, ada):
        """The rows of a deleted user go, and the event is finished."""
        event = leave_behind(EventType.USER_DELETED, ada)

        assert resume_cleanup(timedelta(0)) == 1
        assert list(Session.query(ada.id)) == []
        event.refresh()
        assert event.pending_cleanup is None

    def test_living_sessions_stay(self, ada, accounts, sign_in):
        """Sessions opened after the event are none of its business."""
        accounts.update(ada, {"status": "suspended"})
        accounts.update(accounts.get(ada.id), {"status": "active"})
        _, token, _, _ = sign_in.sign_in("ada", PASSWORD, Client())
        leave_behind(EventType.USER_SUSPENDED, ada)

        resume_cleanup(timedelta(0))

        assert sign_in.authenticate(token)

    def test_user_gone_since(self, ada, accounts):
        """A user who was deleted after the event has no session worth keeping."""
        leave_behind(EventType.SESSIONS_ENDED, ada)
        accounts.delete(ada)

        assert resume_cleanup(timedelta(0)) == 1

    def test_just_now(self, ada):
        """A young mark belongs to a request that is still at it."""
        leave_behind(EventType.USER_DELETED, ada)

        assert resume_cleanup() == 0

    def test_nothing_left(self, ada, accounts):
        """A finished change leaves nothing to resume."""
        accounts.delete(ada)

        assert resume_cleanup(timedelta(0)) == 0


class TestSweep:
    def test_table_out_of_reach(self, ada, accounts, caplog):
        """A failing sweep does not fail the change: the user is gone, the mark stays."""
        Session.delete_table()

        accounts.delete(ada)

        assert accounts.find("ada") is None
        assert [event.user_id for event in AuditEvent.by_pending_cleanup.query("sweep")] == [ada.id]
        assert "remain until the next cleanup" in caplog.text
