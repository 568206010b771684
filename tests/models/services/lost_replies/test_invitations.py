"""Invitations when DynamoDB or the connection to it fails."""

import pytest

from models import Invitation, Invitations
from models.tables.audit_event import AuditEvent
from tests.support.faulty_proxy import (
    conflicted,
    failed,
    failed_afterwards,
    lost_reply,
    lost_request,
    over_capacity,
    throttled,
)
from tests.support.invariants import audited_users
from tests.support.person import PASSWORD

WRITE = "TransactWriteItems"
FAULTS = [lost_reply, lost_request, failed, failed_afterwards, throttled, over_capacity]


@pytest.fixture
def invitations(accounts):
    return Invitations(accounts)


@pytest.mark.parametrize("fault", [*FAULTS, conflicted])
class TestOnce:
    """Each write is executed once although its first attempt has failed."""

    def test_create(self, proxy, invitations, mailbox, fault):
        """One invitation with one event exists, and one email is sent."""
        proxy.next(WRITE, fault)
        row = invitations.create("eve@example.com")

        assert [each.id for each in Invitation.scan()] == [row.id]
        assert [event.type for event in AuditEvent.query(row.id)] == ["invitation.created"]
        assert len(mailbox) == 1

    def test_accept(self, proxy, invitations, mailbox, fault):
        """One user exists, and the invitation is gone."""
        invitations.create("eve@example.com")
        proxy.next(WRITE, fault)
        user = invitations.accept(mailbox[-1].token, password=PASSWORD)

        assert [each.id for each in audited_users()] == [user.id]
        assert list(Invitation.scan()) == []

    def test_revoke(self, proxy, invitations, fault):
        """The invitation is gone, with one event."""
        row = invitations.create("eve@example.com")
        proxy.next(WRITE, fault)
        invitations.revoke(row.id)

        assert list(Invitation.scan()) == []
        types = [event.type for event in AuditEvent.query(row.id)]
        assert types == ["invitation.created", "invitation.revoked"]
