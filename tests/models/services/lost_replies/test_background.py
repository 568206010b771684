"""Background work when DynamoDB or the way to it misbehaves."""

import pytest

from models import AccountMailer, Actor, Email, EmailKind, MergedEvents, Statistics
from models.tables.audit_event import AuditEvent
from models.tables.daily_count import Counted
from tests.support.faulty_proxy import (
    conflicted,
    failed,
    failed_afterwards,
    lost_reply,
    lost_request,
    over_capacity,
    throttled,
)

WRITE = "UpdateItem"
ONCE = [lost_reply, lost_request, failed, failed_afterwards, throttled, over_capacity]


def counts_of(user) -> list[int]:
    """Return the counts of the merged events of a user."""
    return [event.occurrences for event in AuditEvent.query(user.id) if event.occurrences]


@pytest.mark.parametrize("fault", [*ONCE, conflicted])
def test_daily_count(proxy, background, context, fault):
    """Three sign-ins are counted as three, although the first attempt to write them went wrong."""
    statistics = Statistics(background)
    for _ in range(3):
        statistics.count(Counted.SIGN_INS)
    proxy.next("TransactWriteItems", fault)

    assert background.drain(10)
    assert statistics.read(1).days[0].sign_ins == 3


@pytest.mark.parametrize("fault", ONCE)
class TestOnce:
    """Each write counts exactly once although its first attempt went wrong."""

    def test_merged_event(self, proxy, background, ada, fault):
        """Three rejected requests are counted as three."""
        for _ in range(3):
            MergedEvents(background).access_denied(Actor(ada.id), "forbidden")
        proxy.next(WRITE, fault)

        assert background.drain(10)
        assert counts_of(ada) == [3]

    def test_notice(self, proxy, background, ada, mailbox, fault):
        """The user is notified of a wrong code, once."""
        ada.email_verified = True
        mailer = AccountMailer(mailbox, background)
        proxy.next(WRITE, fault)
        for _ in range(2):
            mailer.send(Email.to_user(EmailKind.WRONG_CODE, ada))
            assert background.drain(10)

        assert [email.kind for email in mailbox] == [EmailKind.WRONG_CODE]


def test_unavailable(proxy, background, ada, caplog):
    """Without the database the work is dropped with a warning, and later work is done."""
    events = MergedEvents(background)
    events.access_denied(Actor(ada.id), "forbidden")
    proxy.always(WRITE, failed)
    assert background.drain(10)
    proxy.behave()
    events.access_denied(Actor(ada.id), "forbidden")
    assert background.drain(10)

    assert "background work was dropped, the database is unavailable" in caplog.text
    assert counts_of(ada) == [1]
