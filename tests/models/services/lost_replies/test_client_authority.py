"""Changes by a client when DynamoDB or the connection to it fails."""

import pytest

from models import Actor, ClientAuthority, ClientScope, OAuthClients, User
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

WRITE = "TransactWriteItems"
FAULTS = [lost_reply, lost_request, failed, failed_afterwards, throttled, over_capacity, conflicted]


@pytest.fixture
def actor(context):
    """Return a client that may write users."""
    client, secret = OAuthClients().create("sync", scopes=[ClientScope.USERS_WRITE])
    scope = ClientScope.USERS_WRITE
    return Actor(client.id, authority=ClientAuthority(client, client.find_secret(secret), scope))


@pytest.mark.parametrize("fault", FAULTS)
class TestOnce:
    """Each change is executed once although its first attempt has failed."""

    def test_register(self, proxy, accounts, actor, fault):
        """One user with one event exists."""
        proxy.next(WRITE, fault)
        ada = accounts.register(
            username="ada",
            email="ada@example.com",
            password="a stone bridge over the river",
            by=actor,
        )

        assert [row.id for row in User.scan()] == [ada.id]
        assert [event.actor_id for event in AuditEvent.query(ada.id)] == [actor.user_id]

    def test_update(self, proxy, accounts, ada, actor, fault):
        """The change counts once."""
        proxy.next(WRITE, fault)
        after = accounts.update(ada, {"full_name": "Ada"}, by=actor)
        events = [event.type for event in AuditEvent.query(ada.id)]

        assert (after.version, User.get(ada.id).full_name) == (2, "Ada")
        assert events.count("user.updated") == 1
