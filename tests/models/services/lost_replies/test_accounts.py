"""Results and stored rows when DynamoDB or the network fails."""

from datetime import timedelta

import pytest

from flask_pynamodb import is_unavailable
from models import CHEAPEST_PROFILE, Actor, resume_cleanup
from models.errors import UsernameTaken, UserNotFound
from models.tables.audit_event import AuditEvent
from models.tables.session import Session
from roster.app import create_app
from tests.support.faulty_proxy import (
    conflicted,
    failed,
    failed_afterwards,
    half_processed,
    in_progress,
    lost_reply,
    lost_request,
    over_capacity,
    throttled,
    unprocessed,
)
from tests.support.invariants import audited_users
from tests.support.person import CLIENT, NEW_PASSWORD, PASSWORD

WRITE = "TransactWriteItems"
# Whether or not the first try was carried out, the second one has to end well.
ONCE = [lost_reply, lost_request, failed, failed_afterwards, throttled, over_capacity, conflicted]
FOR_EVER = [lost_request, failed, throttled, over_capacity, conflicted, in_progress]


@pytest.mark.parametrize("fault", ONCE)
class TestOnce:
    """Each operation is carried out exactly once although its first try went wrong."""

    def test_register(self, proxy, register, fault):
        """The sign-up returns the new user, not that the name is taken."""
        proxy.next(WRITE, fault)
        user = register("ada", roles=["admin"])

        assert proxy.count(WRITE) == 2
        assert [user.id for user in audited_users()] == [user.id]
        assert len(list(AuditEvent.query(user.id))) == 1

    def test_register_without_username(self, proxy, register, fault):
        """The sign-up returns the new user, not that the address is taken."""
        proxy.next(WRITE, fault)
        user = register("nell", username=None)

        assert [(each.id, each.username) for each in audited_users()] == [(user.id, None)]

    def test_add_username(self, proxy, accounts, register, fault):
        """The user has the added name, and the call does not fail with "taken"."""
        nell = register("nell", username=None)
        proxy.next(WRITE, fault)
        after = accounts.update(nell, {"username": "nell"})

        assert (after.username, after.version) == ("nell", 2)
        assert [user.version for user in audited_users()] == [2]

    def test_remove_username(self, proxy, accounts, ada, fault):
        """The name is removed once, and finds no user."""
        proxy.next(WRITE, fault)
        after = accounts.update(ada, {"username": None})

        assert (after.username, after.version) == (None, 2)
        assert [user.version for user in audited_users()] == [2]
        assert accounts.find("ada") is None

    def test_rename(self, proxy, accounts, ada, fault):
        """Who takes a new name and address has both, and the old ones are free."""
        proxy.next(WRITE, fault)
        after = accounts.update(ada, {"username": "eve", "email": "eve@example.com"})

        assert (after.username, after.version) == ("eve", 2)
        assert [user.version for user in audited_users()] == [2]
        assert accounts.find("ada") is None

    def test_external_id(self, proxy, accounts, ada, fault):
        """A user that is given an ID of another system has it, and not that it is taken."""
        proxy.next(WRITE, fault)
        after = accounts.update(ada, {"external_id": "crm-1"})

        assert (after.external_id, after.version) == ("crm-1", 2)
        assert [user.external_id for user in audited_users()] == ["crm-1"]

    def test_delete(self, proxy, accounts, ada, fault):
        """The user is deleted, and the call does not fail with "not found"."""
        proxy.next(WRITE, fault)
        accounts.delete(ada)

        assert audited_users() == []

    def test_change_password(self, credentials, proxy, accounts, sign_in, ada, fault):
        """The new password is set, and the call does not fail with a wrong password."""
        session, token, _, _ = sign_in.sign_in("ada", PASSWORD, CLIENT)
        proxy.next(WRITE, fault)
        credentials.change_password(
            ada, current_password=PASSWORD, new_password=NEW_PASSWORD, session=session
        )

        assert sign_in.sign_in("ada", NEW_PASSWORD, CLIENT)
        assert sign_in.authenticate(token).user.session_epoch == 2

    def test_sign_in(self, proxy, sign_in, ada, fault):
        """The sign-in creates one session with a valid token."""
        proxy.next(WRITE, fault)
        _, token, _, _ = sign_in.sign_in("ada", PASSWORD, CLIENT)

        assert sign_in.authenticate(token).user.id == ada.id
        assert len(sign_in.list_for(ada)) == 1

    def test_end_session(self, proxy, sign_in, ada, fault):
        """The sign-out does not fail with "no such session"."""
        session, _, _, _ = sign_in.sign_in("ada", PASSWORD, CLIENT)
        proxy.next(WRITE, fault)
        sign_in.end(ada, session.id, by=Actor(ada.id))

        assert sign_in.list_for(ada) == []

    def test_demote_an_admin(self, proxy, accounts, register, fault):
        """One admin less is counted, not two: the other one stays the last."""
        register("john", roles=["admin"])
        ada = register("ada", roles=["admin"])
        proxy.next(WRITE, fault)
        accounts.update(ada, {"roles": ["user"]})

        assert [user.is_active_admin for user in audited_users()].count(True) == 1

    def test_suspend(self, proxy, accounts, sign_in, ada, fault):
        """The sessions end once, with one rise of the epoch."""
        sign_in.sign_in("ada", PASSWORD, CLIENT)
        proxy.next(WRITE, fault)
        after = accounts.update(ada, {"status": "suspended"})

        assert after.session_epoch == 2
        assert list(Session.query(ada.id)) == []


class TestTaken:
    @pytest.mark.parametrize("fault", ONCE)
    def test_name_is_taken_in_fact(self, proxy, register, ada, fault):
        """A refusal stays a refusal, however often it has to be asked for."""
        proxy.next(WRITE, fault)

        with pytest.raises(UsernameTaken):
            register("ada", email="eve@example.com")

        assert len(audited_users()) == 1


class TestConflict:
    def test_twice(self, proxy, register):
        """A transaction that meets others is sent again until it is alone."""
        proxy.next(WRITE, conflicted, conflicted)
        register("ada")

        assert proxy.count(WRITE) == 3
        assert len(audited_users()) == 1


class TestForEver:
    @pytest.mark.parametrize("fault", FOR_EVER)
    def test_writes(self, proxy, register, fault):
        """The error says that the database is unavailable, and nothing is written."""
        proxy.always(WRITE, fault)

        with pytest.raises(Exception) as caught:
            register("ada")

        proxy.behave()
        assert is_unavailable(caught.value)
        assert audited_users() == []

    @pytest.mark.parametrize("fault", [lost_request, failed, throttled, over_capacity])
    def test_reads(self, proxy, accounts, ada, fault):
        """A user that cannot be read is not a user that does not exist."""
        proxy.always("GetItem", fault)

        with pytest.raises(Exception) as caught:
            accounts.get(ada.id)

        assert is_unavailable(caught.value)
        assert not isinstance(caught.value, UserNotFound)

    @pytest.mark.parametrize("fault", [lost_request, failed, throttled, over_capacity])
    def test_sweeps(self, proxy, accounts, sign_in, ada, fault):
        """A user is deleted at once although its session rows cannot be removed yet."""
        sign_in.sign_in("ada", PASSWORD, CLIENT)
        proxy.always("BatchWriteItem", fault)
        accounts.delete(ada)
        proxy.behave()

        assert audited_users() == []
        assert len(list(Session.query(ada.id))) == 1
        assert resume_cleanup(older_than=timedelta(0)) == 1
        assert list(Session.query(ada.id)) == []


class TestBatch:
    @pytest.mark.parametrize("fault", [unprocessed, half_processed])
    def test_keys_are_left_once(self, proxy, sign_in, ada, fault):
        """Keys that DynamoDB had no capacity for are asked for again."""
        _, token, _, _ = sign_in.sign_in("ada", PASSWORD, CLIENT)
        proxy.next("BatchGetItem", fault)

        assert sign_in.authenticate(token).user.id == ada.id
        assert proxy.count("BatchGetItem") == 2

    def test_keys_are_left_for_ever(self, proxy, sign_in, ada):
        """A session that cannot be read is not a session that has ended."""
        _, token, _, _ = sign_in.sign_in("ada", PASSWORD, CLIENT)
        proxy.always("BatchGetItem", unprocessed)

        with pytest.raises(Exception) as caught:
            sign_in.authenticate(token)

        assert is_unavailable(caught.value)


class TestHttp:
    @pytest.fixture
    def app(self, database, config):
        """Return the whole app, routes included, that reaches the engine through the proxy."""
        return create_app(config, profile=CHEAPEST_PROFILE)

    @pytest.mark.parametrize("fault", FOR_EVER)
    def test_sign_up(self, proxy, context, client, fault):
        """The client learns that it may try again, and nothing of the inside."""
        proxy.always(WRITE, fault)
        person = {"username": "ada", "email": "ada@example.com", "password": PASSWORD}
        response = client.post("/v1/users", json=person)
        proxy.behave()

        assert response.status_code == 503
        assert response.json["type"] == "/problems/store-unavailable"
        assert int(response.headers["Retry-After"]) > 0
        assert "proxy" not in response.text
        assert audited_users() == []
        assert client.post("/v1/users", json=person).status_code == 201

    def test_token_cannot_be_checked(self, proxy, context, client, sign_in, ada):
        """An unavailable database ends no session: 503, not 401."""
        _, token, _, _ = sign_in.sign_in("ada", PASSWORD, CLIENT)
        proxy.always("BatchGetItem", throttled)
        response = client.get("/v1/users/me", headers={"Authorization": f"Bearer {token}"})

        assert response.status_code == 503

    def test_sign_in(self, proxy, context, client, ada):
        """A store that is out of reach makes no password wrong: 503, not 401."""
        proxy.always("GetItem", throttled)
        response = client.post("/v1/sessions", json={"login": "ada", "password": PASSWORD})

        assert response.status_code == 503
