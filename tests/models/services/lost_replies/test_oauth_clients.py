"""Clients when DynamoDB or the connection to it fails."""

import pytest

from models import OAuthClient, OAuthClients
from models.tables.audit_event import AuditEvent
from models.tables.identifier import Identifier
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
URI = "https://billing.example.com"
FAULTS = [lost_reply, lost_request, failed, failed_afterwards, throttled, over_capacity]


@pytest.fixture
def clients(context: None) -> OAuthClients:
    return OAuthClients()


def types_of(client):
    return [event.type for event in AuditEvent.query(client.id)]


@pytest.mark.parametrize("fault", [*FAULTS, conflicted])
class TestOnce:
    """Each write is executed once although its first attempt has failed."""

    def test_create(self, proxy, clients, fault):
        """One client with one audience and one event exists, and its secret authenticates."""
        proxy.next(WRITE, fault)
        client, secret = clients.create("billing", audience=URI)

        assert clients.authenticate(secret).id == client.id
        assert [row.id for row in OAuthClient.scan()] == [client.id]
        assert [row.owner for row in Identifier.scan()] == [client.id]
        assert types_of(client) == ["client.created"]

    def test_update(self, proxy, clients, fault):
        """The change counts once."""
        client, _ = clients.create("billing", audience=URI)
        proxy.next(WRITE, fault)
        updated = clients.update(client.id, {"audience": None, "disabled": True})

        assert (updated.version, updated.audience, updated.disabled) == (2, None, True)
        assert list(Identifier.scan()) == []
        assert types_of(client) == ["client.created", "client.disabled"]

    def test_secrets(self, proxy, clients, fault):
        """One secret is added and authenticates, and it is revoked."""
        client, _ = clients.create("billing")
        proxy.next(WRITE, fault)
        added, secret = clients.add_secret(client.id)
        clients.authenticate(secret)
        proxy.next(WRITE, fault)
        clients.revoke_secret(client.id, added.id)

        assert clients.get(client.id).secrets == client.secrets
        assert types_of(client)[1:] == ["client-secret.created", "client-secret.revoked"]

    def test_delete(self, proxy, clients, fault):
        """The client is gone with its audience, and the caller learns that it was deleted."""
        client, _ = clients.create("billing", audience=URI)
        proxy.next(WRITE, fault)
        clients.delete(client.id)

        assert [*OAuthClient.scan(), *Identifier.scan()] == []
        assert types_of(client) == ["client.created", "client.deleted"]


@pytest.mark.parametrize("fault", FAULTS)
class TestLastUse:
    def test_recorded(self, proxy, clients, fault):
        """A secret authenticates although recording its use fails at first."""
        client, secret = clients.create("billing")
        proxy.next("UpdateItem", fault)

        assert clients.authenticate(secret).id == client.id
        assert clients.get(client.id).last_used_at is not None
