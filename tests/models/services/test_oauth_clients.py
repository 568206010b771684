"""Clients: created, changed, authenticated, and what becomes of them in other processes."""

from datetime import datetime, timedelta

import pytest

from models import Actor, ClientScope, OAuthClient, OAuthClients
from models.clock import now
from models.errors import (
    AudienceTaken,
    ClientNotFound,
    ClientSecretNotFound,
    InvalidClient,
    InvalidField,
    TooManySecrets,
    VersionMismatch,
)
from models.services.oauth_clients import CACHE_TIME
from models.tables.audit_event import AuditEvent
from models.tables.identifier import Identifier

URI = "https://billing.example.com"
OTHER_URI = "https://invoices.example.com"
ABSENT_ID = "01a1fb1b-6876-7644-9935-000000000000"
OPERATOR = Actor(ip="192.0.2.1")


class Clock:
    """A clock that can be set."""

    def __init__(self) -> None:
        self.time = now()

    def __call__(self) -> datetime:
        return self.time


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def clients(context: None, clock: Clock) -> OAuthClients:
    return OAuthClients(clock)


@pytest.fixture
def other_process(context: None, clock: Clock) -> OAuthClients:
    """Return the service of another process on the same tables."""
    return OAuthClients(clock)


def types_of(client):
    """Return the types of a client's events, oldest first."""
    return [event.type for event in AuditEvent.query(client.id)]


def audiences():
    return {row.value: row.owner for row in Identifier.scan()}


class TestCreate:
    def test_secret_authenticates(self, clients):
        """The secret leads to the client."""
        client, secret = clients.create("billing", scopes=[ClientScope.INTROSPECT], by=OPERATOR)

        found = clients.authenticate(secret)
        assert (found.id, found.name, found.scopes) == (client.id, "billing", ["introspect"])
        assert types_of(client) == ["client.created"]

    def test_secret_is_not_stored(self, clients):
        """ASVS 16.2.5: a table has a digest; the secret is in no row and no repr."""
        client, secret = clients.create("billing")

        rows = [str(row.serialize()) for row in OAuthClient.scan()]
        assert secret not in "".join([*rows, repr(client), repr(client.secrets)])
        assert client.secrets[0].digest not in repr(client.secrets)

    def test_audience_is_unique(self, clients):
        """An audience belongs to one client; nothing is written for the second one."""
        first, _ = clients.create("billing", audience=URI)

        with pytest.raises(AudienceTaken):
            clients.create("invoices", audience=URI)
        assert audiences() == {f"audience#{URI}": first.id}
        assert [row.id for row in OAuthClient.scan()] == [first.id]

    def test_audience_race(self, clients, run_concurrently):
        """Of two clients that are created with one audience at the same time, one exists."""
        outcomes = run_concurrently(*[lambda: clients.create("billing", audience=URI)] * 2)

        assert [type(each).__name__ for each in outcomes].count("AudienceTaken") == 1
        assert len(list(OAuthClient.scan())) == 1

    @pytest.mark.parametrize(
        "audience",
        [
            "billing",
            "//billing.example.com",
            "https://billing.example.com/#part",
            "https://billing.example.com/ ",
            'https://billing.example.com/"',
            "https://b\u0131lling.example.com",
            "https://billing.example.com\n",
            "1https://billing.example.com",
            "https://" + "b" * 200,
            "",
        ],
    )
    def test_invalid_audience(self, clients, audience):
        """RFC 8707, 2: an audience is an absolute URI without a fragment."""
        with pytest.raises(InvalidField) as caught:
            clients.create("billing", audience=audience)

        assert caught.value.field == "audience"

    def test_invalid_fields(self, clients):
        """All faulty fields are reported together."""
        with pytest.raises(InvalidField) as caught:
            clients.create(" ", scopes=["everything"], audience="billing")

        others = [each.field for each in caught.value.other_failures]
        assert [caught.value.field, *others] == ["name", "scopes", "audience"]


class TestUpdate:
    def test_fields(self, clients):
        """Changed fields are stored and named by one event."""
        client, _ = clients.create("billing", audience=URI)
        changes = {"name": "invoices", "scopes": ["introspect"], "audience": OTHER_URI}

        updated = clients.update(client.id, changes)

        [_, event] = AuditEvent.query(client.id)
        assert clients.get(client.id).serialize() == updated.serialize()
        assert audiences() == {f"audience#{OTHER_URI}": client.id}
        assert (event.type, event.changed_fields) == (
            "client.updated",
            ["name", "scopes", "audience"],
        )

    def test_without_effect(self, clients):
        """A change to the present values writes nothing."""
        client, _ = clients.create("billing", scopes=[ClientScope.INTROSPECT])
        same = {"name": "billing", "scopes": ["introspect", "introspect"], "disabled": False}

        assert clients.update(client.id, same).version == client.version
        assert types_of(client) == ["client.created"]

    def test_taken_audience(self, clients):
        """A taken audience leaves the client as it was."""
        clients.create("billing", audience=URI)
        client, _ = clients.create("invoices", audience=OTHER_URI)

        with pytest.raises(AudienceTaken):
            clients.update(client.id, {"audience": URI, "name": "billing"})
        assert clients.get(client.id).serialize() == client.serialize()

    def test_version(self, clients):
        """A change for another version is rejected."""
        client, _ = clients.create("billing")

        with pytest.raises(VersionMismatch):
            clients.update(client.id, {"name": "invoices"}, versions=[client.version + 1])
        assert clients.get(client.id).name == "billing"

    def test_race(self, clients, run_concurrently):
        """Concurrent changes of different fields all count."""
        client, _ = clients.create("billing")

        run_concurrently(
            lambda: clients.update(client.id, {"name": "invoices"}),
            lambda: clients.update(client.id, {"audience": URI}),
            lambda: clients.add_secret(client.id),
        )

        found = clients.get(client.id)
        assert (found.name, found.audience, len(found.secrets)) == ("invoices", URI, 2)
        assert found.version == 4


class TestSecrets:
    def test_rotation(self, clients):
        """A client is replaced its secret without a gap."""
        client, old = clients.create("billing")
        _, new = clients.add_secret(client.id)
        both = [clients.authenticate(secret).id for secret in (old, new)]

        clients.revoke_secret(client.id, client.secrets[0].id)

        assert both == [client.id, client.id]
        assert clients.authenticate(new).id == client.id
        with pytest.raises(InvalidClient):
            clients.authenticate(old)
        assert types_of(client) == [
            "client.created",
            "client-secret.created",
            "client-secret.revoked",
        ]

    def test_two_at_most(self, clients, run_concurrently):
        """A client never has more than two secrets, whatever is added at the same time."""
        client, _ = clients.create("billing")

        outcomes = run_concurrently(*[lambda: clients.add_secret(client.id)] * 4)

        assert len([each for each in outcomes if isinstance(each, TooManySecrets)]) == 3
        assert len(clients.get(client.id).secrets) == 2

    def test_unknown_secret(self, clients):
        """A secret of another client is not found."""
        client, _ = clients.create("billing")
        other, _ = clients.create("invoices")

        with pytest.raises(ClientSecretNotFound):
            clients.revoke_secret(client.id, other.secrets[0].id)
        assert len(clients.get(other.id).secrets) == 1


class TestDelete:
    def test_audience_becomes_available(self, clients):
        """Nothing of a deleted client is left but its events."""
        client, secret = clients.create("billing", audience=URI)

        clients.delete(client.id)

        with pytest.raises(ClientNotFound):
            clients.get(client.id)
        with pytest.raises(InvalidClient):
            clients.authenticate(secret)
        assert audiences() == {}
        assert types_of(client) == ["client.created", "client.deleted"]

    def test_twice(self, clients, run_concurrently):
        """Of two deletions at the same time, one finds the client."""
        client, _ = clients.create("billing", audience=URI)

        outcomes = run_concurrently(*[lambda: clients.delete(client.id)] * 2)

        assert sorted(type(each).__name__ for each in outcomes) == ["ClientNotFound", "NoneType"]
        assert types_of(client) == ["client.created", "client.deleted"]

    @pytest.mark.parametrize("id", [ABSENT_ID, "", "me", "audience#x"])
    def test_unknown(self, clients, id):
        """A client that does not exist is not found, whatever the form of its ID."""
        with pytest.raises(ClientNotFound):
            clients.delete(id)


class TestList:
    def test_pages(self, clients):
        """Pages are newest first and have every client once."""
        ids = [clients.create(f"client {number}")[0].id for number in range(5)]

        first, after = clients.newest_first(limit=2)
        second, later = clients.newest_first(after=after, limit=2)
        third, end = clients.newest_first(after=later, limit=2)

        assert [each.id for each in (*first, *second, *third)] == ids[::-1]
        assert end is None

    def test_exact_page(self, clients):
        """A page that ends with the last client has no next page."""
        clients.create("billing")

        assert clients.newest_first(limit=1)[1] is None
        assert clients.newest_first(after=ABSENT_ID.replace("01a1", "0000")) == ([], None)


class TestAuthenticate:
    @pytest.mark.parametrize(
        "change",
        [
            lambda secret: "",
            lambda secret: secret[:-1],
            lambda secret: secret[:-1] + ("A" if secret[-1] != "A" else "B"),
            lambda secret: secret.replace("rsc_", "rst_"),
            lambda secret: secret + "A",
            lambda secret: secret.upper(),
            lambda secret: "rsc_" + "A" * 54,
            lambda secret: "rsc_\u00e4",
        ],
    )
    def test_wrong_secret(self, clients, change):
        """Only the exact secret authenticates."""
        _, secret = clients.create("billing")

        with pytest.raises(InvalidClient):
            clients.authenticate(change(secret))

    def test_secret_of_another_client(self, clients):
        """The correct secret under the ID of another client is wrong."""
        client, secret = clients.create("billing")
        other, _ = clients.create("invoices")

        assert clients.authenticate(secret, client_id=client.id).id == client.id
        with pytest.raises(InvalidClient):
            clients.authenticate(secret, client_id=other.id)

    def test_known_client_costs_nothing(self, clients, other_process, database_calls):
        """A client is read once in 30 seconds."""
        _, secret = clients.create("billing")
        other_process.authenticate(secret)

        with database_calls() as calls:
            other_process.authenticate(secret)
        assert calls == []

    @pytest.mark.parametrize("end", ["disable", "delete", "revoke"])
    def test_other_process(self, clients, other_process, clock, end):
        """Another process rejects a secret at the latest 30 seconds after its end."""
        client, secret = clients.create("billing")
        other_process.authenticate(secret)
        {
            "disable": lambda: clients.update(client.id, {"disabled": True}),
            "delete": lambda: clients.delete(client.id),
            "revoke": lambda: clients.revoke_secret(client.id, client.secrets[0].id),
        }[end]()

        clock.time += CACHE_TIME

        with pytest.raises(InvalidClient):
            other_process.authenticate(secret)

    def test_new_secret_in_other_process(self, clients, other_process):
        """A new secret is accepted at once, by a process that has the client in memory as well."""
        client, secret = clients.create("billing")
        other_process.authenticate(secret)

        _, added = clients.add_secret(client.id)

        assert other_process.authenticate(added).id == client.id

    def test_enabled_again(self, clients, other_process, clock):
        """A client that is enabled again is accepted at once."""
        client, secret = clients.create("billing")
        clients.update(client.id, {"disabled": True})
        with pytest.raises(InvalidClient):
            other_process.authenticate(secret)

        clients.update(client.id, {"disabled": False})

        assert other_process.authenticate(secret).id == client.id
        assert types_of(client) == ["client.created", "client.disabled", "client.enabled"]

    def test_last_use(self, clients, clock, database_calls):
        """The use of a secret is recorded, at most once in five minutes."""
        client, secret = clients.create("billing")
        clients.authenticate(secret)
        clock.time += CACHE_TIME

        with database_calls() as calls:
            clients.authenticate(secret)

        found = clients.get(client.id)
        assert found.last_used_at is not None
        assert now() - found.last_used_at < timedelta(minutes=1)
        assert calls == ["GetItem"]
        assert found.version == client.version
