"""API keys when DynamoDB or the way to it misbehaves."""

from datetime import timedelta

import pytest

from flask_pynamodb import is_unavailable
from models import Actor, ApiKey, ApiKeys
from models.errors import Unauthenticated
from models.tables.audit_event import AuditEvent
from tests.support.email_queue import EmailQueue
from tests.support.faulty_proxy import (
    conflicted,
    failed,
    failed_afterwards,
    lost_reply,
    lost_request,
    over_capacity,
    throttled,
    unprocessed,
)

WRITE = "TransactWriteItems"
DAY = timedelta(days=1)
ONCE = [lost_reply, lost_request, failed, failed_afterwards, throttled, over_capacity, conflicted]


@pytest.fixture
def outbox() -> EmailQueue:
    return EmailQueue()


@pytest.fixture
def api_keys(outbox: EmailQueue) -> ApiKeys:
    return ApiKeys(outbox)


def kinds_of(user) -> list[str]:
    return [event.type for event in AuditEvent.query(user.id)]


@pytest.mark.parametrize("fault", ONCE)
class TestOnce:
    """Each operation is carried out exactly once although its first try went wrong."""

    def test_create(self, proxy, api_keys, ada, outbox, fault):
        """Who makes a key gets one that works, one event and one mail tell of it."""
        proxy.next(WRITE, fault)
        key, token = api_keys.create(ada, "nightly", ["user"], DAY, Actor(ada.id))

        assert api_keys.authenticate(token).key.id == key.id
        assert [row.id for row in ApiKey.scan()] == [key.id]
        assert kinds_of(ada) == ["user.registered", "api-key.created"]
        assert len(outbox.mails) == 1

    def test_revoke(self, proxy, api_keys, ada, fault):
        """Who revokes a key is not told that there was none."""
        key, token = api_keys.create(ada, "nightly", ["user"], DAY, Actor(ada.id))
        proxy.next(WRITE, fault)
        api_keys.revoke(ada, key.id, Actor(ada.id))

        with pytest.raises(Unauthenticated):
            api_keys.authenticate(token)
        assert kinds_of(ada)[-2:] == ["api-key.created", "api-key.revoked"]

    def test_first_use(self, proxy, api_keys, ada, fault):
        """A use that is noted at the second try signs in."""
        _, token = api_keys.create(ada, "nightly", ["user"], DAY, Actor(ada.id))
        proxy.next(WRITE, fault)

        assert api_keys.authenticate(token).user.id == ada.id


class TestForEver:
    @pytest.mark.parametrize("fault", [lost_request, failed, throttled, over_capacity])
    def test_create(self, proxy, api_keys, ada, outbox, fault):
        """With an unavailable database no key is created, and no email is sent."""
        proxy.always(WRITE, fault)

        with pytest.raises(Exception) as caught:
            api_keys.create(ada, "nightly", ["user"], DAY, Actor(ada.id))

        proxy.behave()
        assert is_unavailable(caught.value)
        assert list(ApiKey.scan()) == []
        assert outbox.mails == []

    def test_find(self, proxy, api_keys, ada):
        """A key that cannot be read is not a key that was revoked."""
        _, token = api_keys.create(ada, "nightly", ["user"], DAY, Actor(ada.id))
        proxy.always("BatchGetItem", unprocessed)

        with pytest.raises(Exception) as caught:
            api_keys.authenticate(token)

        assert is_unavailable(caught.value)
