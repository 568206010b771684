"""API keys: made, found, revoked, and what ends them by itself."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pynamodb.signals import pre_dynamodb_send

from models import Actor, ApiKey, ApiKeys, Email, EmailKind, User
from models.errors import ApiKeyNotFound, InvalidField, Unauthenticated
from models.tables import api_key as table
from models.tables.audit_event import AuditEvent
from tests.support.email_queue import EmailQueue

DAY = timedelta(days=1)
ABSENT_ID = "0" * 64


@pytest.fixture
def outbox() -> EmailQueue:
    return EmailQueue()


@pytest.fixture
def api_keys(context: None, outbox: EmailQueue) -> ApiKeys:
    return ApiKeys(outbox)


@pytest.fixture
def ada(register):
    return register("ada", roles=["user", "admin"])


@pytest.fixture
def make(api_keys: ApiKeys, ada: User) -> Callable[..., tuple[ApiKey, str]]:
    """Makes a key of ada's: `make(roles=["admin"])`."""

    def create(**attributes: Any) -> tuple[ApiKey, str]:
        details = {"name": "nightly", "roles": ["user"], "lifetime": DAY, **attributes}
        return api_keys.create(ada, by=Actor(ada.id, "192.0.2.1"), **details)

    return create


class TestCreate:
    def test_key_signs_in(self, api_keys, make, ada):
        """The token leads to the key and its owner."""
        key, token = make()

        found = api_keys.authenticate(token)
        assert (found.key.id, found.user.id) == (key.id, ada.id)
        assert (found.key.name, found.key.roles) == ("nightly", ["user"])

    def test_token_is_not_stored(self, make):
        """ASVS 16.2.5: the tables hold a digest; the token is nowhere in them, nor in a repr."""
        key, token = make()

        stored = [row.attribute_values for model in (ApiKey, AuditEvent) for row in model.scan()]
        assert token not in str(stored)
        assert token not in repr(key)
        assert key.id not in repr(key)

    def test_two_tokens(self, make):
        """ASVS 7.2.3: every key has a token of its own with at least 128 random bits."""
        (_, first), (_, second) = make(), make()

        assert first.startswith("rsk_")
        assert len(first) - len("rsk_") == 54
        assert first[27:] != second[27:]

    def test_event(self, make, ada):
        """The event has the key, the actor and the client."""
        key, _ = make()

        *_, event = AuditEvent.query(ada.id)
        assert event.type == "api-key.created"
        assert (event.actor_id, event.ip, event.key_id) == (ada.id, "192.0.2.1", key.id)

    def test_mail(self, make, outbox):
        """ASVS 6.3.7: the email has the name of the key, never the key."""
        make()

        expected = Email(EmailKind.API_KEY_CREATED, "ada@example.com", "ada", detail="nightly")
        assert outbox.mails == [expected]

    def test_roles_of_the_owner(self, make):
        """A key may have each role of its owner, or none."""
        key, _ = make(roles=["user", "admin", "admin"])

        assert key.roles == ["admin", "user"]
        assert make(roles=[])[0].roles == []

    def test_foreign_role(self, api_keys, register, outbox):
        """A key never has a role that its owner has not, and a refusal makes nothing."""
        eve = register("eve")

        with pytest.raises(InvalidField, match="admin") as refused:
            api_keys.create(eve, "sly", ["user", "admin"], DAY, Actor(eve.id))

        assert refused.value.field == "roles"
        assert api_keys.list_for(eve) == []
        assert outbox.mails == []

    @pytest.mark.parametrize("name", ["n", "n" * 100, "Nächtlicher Lauf 日本", "<b>&amp;"])
    def test_name(self, make, name):
        """A name has 1 to 100 characters that can be printed."""
        assert make(name=name)[0].name == name

    @pytest.mark.parametrize(
        "name", ["", " ", " n", "n" * 101, "n\n", "n\x00", "n\x7f", "n\u202egnp.exe", "\ufeff"]
    )
    def test_name_is_not_printable(self, make, name):
        """ASVS 16.4.1: a name with control characters, or that turns text around, is refused."""
        with pytest.raises(InvalidField) as refused:
            make(name=name)

        assert refused.value.field == "name"

    def test_most(self, api_keys, make, ada, monkeypatch):
        """The number of keys per user is limited; expired keys do not count."""
        monkeypatch.setattr("models.services.api_keys.MAX_API_KEYS", 2)
        make()
        _expire(make()[0])
        make()

        with pytest.raises(InvalidField, match="Revoke one"):
            make()

        assert len(api_keys.list_for(ada)) == 2

    def test_suspended_meanwhile(self, accounts, api_keys, make, ada, register, outbox):
        """Who ends a stolen account's sessions finds no new key afterwards (ASVS 15.4.2)."""
        register("john", roles=["admin"])
        accounts.update(ada, {"status": "suspended"})

        with pytest.raises(Unauthenticated):
            make()

        assert api_keys.list_for(ada) == []
        assert outbox.mails == []

    def test_deleted_meanwhile(self, accounts, api_keys, make, ada, register):
        """A deleted user cannot get a key."""
        register("john", roles=["admin"])
        accounts.delete(ada)

        with pytest.raises(Unauthenticated):
            make()

        assert list(ApiKey.scan()) == []


class TestFind:
    @pytest.mark.parametrize(
        "spoil",
        [
            lambda token: "",
            lambda token: token[:-4],
            lambda token: token + "AAAA",
            lambda token: token.replace("rsk_", "rst_"),
            lambda token: token.removeprefix("rsk_"),
            lambda token: token[:-4] + "AAAA",
            lambda token: token.replace("rsk_", "rsk_é"),
            lambda token: "rsk_!",
        ],
    )
    def test_no_key(self, api_keys, make, spoil):
        """What is not exactly a token of a key leads nowhere."""
        _, token = make()

        with pytest.raises(Unauthenticated):
            api_keys.authenticate(spoil(token))

    def test_id_is_not_the_token(self, api_keys, make):
        """The ID of a key does not authenticate."""
        key, _ = make()

        with pytest.raises(Unauthenticated):
            api_keys.authenticate(key.id)
        with pytest.raises(Unauthenticated):
            api_keys.authenticate(f"rsk_{key.id}")

    def test_expired(self, api_keys, make):
        """The clock ends a key, however late DynamoDB removes its row (ASVS 7.3.2)."""
        key, token = make()
        _expire(key)

        with pytest.raises(Unauthenticated):
            api_keys.authenticate(token)
        assert len(list(ApiKey.scan())) == 1

    def test_suspended(self, accounts, api_keys, make, ada, register):
        """ASVS 7.4.2: a suspended user's keys rest at once, and work again afterwards."""
        register("john", roles=["admin"])
        _, token = make()
        suspended = accounts.update(ada, {"status": "suspended"})

        with pytest.raises(Unauthenticated):
            api_keys.authenticate(token)
        assert len(api_keys.list_for(suspended)) == 1
        accounts.update(suspended, {"status": "active"})
        assert api_keys.authenticate(token)

    def test_deleted(self, accounts, api_keys, make, ada, register):
        """ASVS 7.4.2: a deleted user's keys are dead at once, before their rows are removed."""
        register("john", roles=["admin"])
        _, token = make()
        accounts.delete(ada)

        with pytest.raises(Unauthenticated):
            api_keys.authenticate(token)

    def test_role_is_taken(self, accounts, api_keys, make, ada, register):
        """ASVS 8.3.2: a role that the owner loses is gone from all of its keys at once."""
        register("john", roles=["admin"])
        _, token = make(roles=["admin", "user"])
        accounts.update(ada, {"roles": ["user"]})

        found = api_keys.authenticate(token)
        assert found.key.roles_for(found.user) == ["user"]

    def test_role_is_given(self, accounts, api_keys, register):
        """A role that the owner gets later is no role of an older key."""
        eve = register("eve")
        _, token = api_keys.create(eve, "old", ["user"], DAY, Actor(eve.id))
        accounts.update(eve, {"roles": ["admin", "user"]})

        found = api_keys.authenticate(token)
        assert found.key.roles_for(found.user) == ["user"]

    def test_another_user(self, api_keys, make, ada, register):
        """A second user, existing or not, is read in the same round trip."""
        eve = register("eve")
        _, token = make()

        assert api_keys.authenticate(token, other_user_id=eve.id).other.id == eve.id
        assert api_keys.authenticate(token, other_user_id=ada.id).other.id == ada.id
        assert api_keys.authenticate(token, other_user_id=ABSENT_ID).other is None
        assert api_keys.authenticate(token).other is None

    def test_one_round_trip(self, api_keys, make, register):
        """Key, owner and the other user cost one call to DynamoDB."""
        eve = register("eve")
        _, token = make()
        api_keys.authenticate(token)
        calls: list[str] = []

        def note(sender: Any, operation_name: str, **_: Any) -> None:
            calls.append(operation_name)

        with pre_dynamodb_send.connected_to(note):
            api_keys.authenticate(token, other_user_id=eve.id)

        assert calls == ["BatchGetItem"]


class TestLastUse:
    def test_first_use(self, api_keys, make, ada):
        """A key that was never used says so, and its first use is noted."""
        key, token = make()
        before = api_keys.list_for(ada)[0].last_used_at
        api_keys.authenticate(token)

        assert before is None
        assert api_keys.list_for(ada)[0].last_used_at >= key.created_at

    def test_every_five_minutes(self, api_keys, make, ada):
        """The last use is updated only after five minutes."""
        key, token = make()
        recent = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=4)
        key.update([ApiKey.last_used_at.set(recent)])
        api_keys.authenticate(token)

        assert api_keys.list_for(ada)[0].last_used_at == recent
        key.update([ApiKey.last_used_at.set(recent - timedelta(minutes=2))])
        api_keys.authenticate(token)
        assert api_keys.list_for(ada)[0].last_used_at > recent

    def test_revoked_meanwhile(self, make):
        """A use that is noted too late neither succeeds nor brings a revoked key back."""
        key, _ = make()
        ApiKey(key.user_id, key.key_digest).delete()

        with pytest.raises(Unauthenticated):
            key.touch()

        assert list(ApiKey.scan()) == []


class TestList:
    def test_newest_first(self, api_keys, make, ada):
        """The newest key comes first."""
        older, _ = make(name="older")
        older.update([ApiKey.created_at.set(older.created_at - DAY)])
        make(name="newer")

        assert [key.name for key in api_keys.list_for(ada)] == ["newer", "older"]

    def test_own(self, api_keys, make, register):
        """A list has only the keys of its user."""
        make()

        assert api_keys.list_for(register("eve")) == []

    def test_expired(self, api_keys, make, ada):
        """A key whose time is over is not listed."""
        _expire(make()[0])

        assert api_keys.list_for(ada) == []


class TestRevoke:
    def test_at_once(self, api_keys, make, ada):
        """ASVS 7.4.1: a revoked key is dead at once."""
        key, token = make()
        api_keys.authenticate(token)
        api_keys.revoke(ada, key.id, Actor(ada.id))

        with pytest.raises(Unauthenticated):
            api_keys.authenticate(token)
        assert api_keys.list_for(ada) == []

    def test_event(self, api_keys, make, ada):
        """The event has the revoked key and the actor."""
        key, _ = make()
        api_keys.revoke(ada, key.id, Actor("an admin", "192.0.2.9"))

        *_, event = AuditEvent.query(ada.id)
        assert event.type == "api-key.revoked"
        assert (event.actor_id, event.ip, event.key_id) == ("an admin", "192.0.2.9", key.id)

    @pytest.mark.parametrize("id", [ABSENT_ID, "", "nope", "0" * 63, "0" * 64 + "\n", "A" * 64])
    def test_unknown(self, api_keys, make, ada, id):
        """A key that is not there cannot be revoked, and no event says that it was."""
        make()

        with pytest.raises(ApiKeyNotFound):
            api_keys.revoke(ada, id, Actor(ada.id))

        assert [event.type for event in AuditEvent.query(ada.id)][-1] == "api-key.created"

    def test_of_somebody_else(self, api_keys, make, register):
        """ASVS 8.2.2: a user cannot revoke another user's key by its ID."""
        key, token = make()
        eve = register("eve")

        with pytest.raises(ApiKeyNotFound):
            api_keys.revoke(eve, key.id, Actor(eve.id))

        assert api_keys.authenticate(token)

    def test_twice_at_once(self, database, api_keys, make, ada):
        """Of many who revoke a key at the same moment one does, and one event tells of it."""
        key, _ = make()
        barrier = threading.Barrier(8, timeout=30)

        def revoke(_: int) -> str:
            with database.context():
                barrier.wait()
                try:
                    api_keys.revoke(ada, key.id, Actor(ada.id))
                    return "revoked"
                except ApiKeyNotFound:
                    return "not found"

        with ThreadPoolExecutor(8) as pool:
            outcomes = sorted(pool.map(revoke, range(8)))

        events = [event.type for event in AuditEvent.query(ada.id)]
        assert outcomes == ["not found"] * 7 + ["revoked"]
        assert events.count("api-key.revoked") == 1


class TestRemoveRows:
    def test_of_one_user(self, api_keys, make, ada, register):
        """All rows of the user are removed, including expired ones, and no others."""
        eve = register("eve")
        api_keys.create(eve, "hers", [], DAY, Actor(eve.id))
        _expire(make()[0])
        make()
        table.remove_rows(ada.id, before_epoch=1)

        assert [key.user_id for key in ApiKey.scan()] == [eve.id]

    def test_later_ones(self, make, ada):
        """Rows of keys that were created in a later epoch stay."""
        ada.update([User.api_key_epoch.set(1)])
        key, _ = make()
        table.remove_rows(ada.id, before_epoch=1)

        assert [row.id for row in ApiKey.scan()] == [key.id]

    def test_with_the_user(self, accounts, make, ada, register):
        """A deleted user leaves no row behind."""
        register("john", roles=["admin"])
        make()
        accounts.delete(ada)

        assert list(ApiKey.scan()) == []


def _expire(key: ApiKey) -> None:
    key.update([ApiKey.expires_at.set(datetime.now(UTC) - timedelta(seconds=1))])
