"""The authority of a client, until the commit of what it changes."""

from dataclasses import replace

import pytest

from models import Actor, ClientAuthority, ClientScope, OAuthClient, OAuthClients, User
from models.clock import now
from models.errors import RoleRequired
from models.tables.audit_event import AuditEvent


@pytest.fixture
def secret(context):
    """Return the secret of a client that may write users."""
    _, text = OAuthClients().create("sync", scopes=[ClientScope.USERS_WRITE])
    return text


@pytest.fixture
def actor(secret):
    """Return that client as an actor."""
    client = OAuthClients().authenticate(secret)
    return Actor(
        client.id,
        authority=ClientAuthority(client, client.find_secret(secret), ClientScope.USERS_WRITE),
    )


class TestAdmins:
    def test_admin_since_a_moment(self, accounts, ada, actor):
        """A user who becomes an admin before the commit is not changed."""
        accounts.update(User.get(ada.id), {"roles": ["admin"]})

        with pytest.raises(RoleRequired):
            accounts.update(ada, {"full_name": "Ada"}, by=actor)
        assert User.get(ada.id).full_name is None

    def test_create(self, accounts, actor):
        """A client creates no admin, whatever the route lets through."""
        with pytest.raises(RoleRequired):
            accounts.register(
                username="ida",
                email="ida@example.com",
                password="a stone bridge over the river",
                roles=["admin"],
                by=actor,
            )
        assert list(User.scan()) == []


class TestUse:
    def test_recorded_meanwhile(self, accounts, ada, actor):
        """A use that is recorded meanwhile does not affect a change."""
        row = OAuthClient.get(actor.user_id)
        used = [replace(each, last_used_at=now()) for each in row.secrets]
        row.update([OAuthClient.secrets.set(used)])
        accounts.update(ada, {"full_name": "Ada"}, by=actor)
        [event] = [each for each in AuditEvent.query(ada.id) if each.type == "user.updated"]

        assert (event.actor_id, event.key_id) == (actor.user_id, None)
