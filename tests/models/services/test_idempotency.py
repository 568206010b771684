"""One request with an idempotency key at the same moment on several threads, and lost replies."""

import time
from datetime import timedelta

import pytest

from models import (
    Actor,
    ApiKeys,
    Authority,
    IdempotentRequest,
    OAuthClient,
    OAuthClients,
    Role,
    User,
)
from models.errors import (
    IdempotencyKeyReused,
    IdempotencyKeyUsed,
    RoleRequired,
    SecondFactorNotUsed,
    Unauthenticated,
    UsernameTaken,
)
from models.tables.api_key import keys_of
from models.tables.audit_event import AuditEvent
from tests.support.invariants import audited_users
from tests.support.person import CLIENT, PASSWORD

KEY = "a-key-of-a-client"


def make_request(**values):
    """Return a request; each has an object of its own."""
    return IdempotentRequest(
        **{"key": KEY, "operation": "test", "caller_id": "ada", "body": {}, **values}
    )


class TestRaces:
    def test_sign_up(self, run_concurrently, register):
        """Of twenty equal sign-ups one creates the user, and all show it."""
        requests = [make_request(caller_id=None) for _ in range(20)]
        outcomes = run_concurrently(
            *(lambda request=request: register("ada", request=request) for request in requests)
        )

        (user,) = audited_users()
        assert [each.id for each in outcomes] == [user.id] * 20
        assert [request.is_replayed for request in requests].count(False) == 1
        assert len(list(AuditEvent.query(user.id))) == 1

    def test_sign_up_of_two_people(self, run_concurrently, register):
        """Of two people with one username and the same key, one gets it, and the other an error."""
        bodies = [{"email": f"{number}@example.com"} for number in range(2)] * 10
        outcomes = run_concurrently(
            *(
                lambda body=body: register(
                    "ada", **body, request=make_request(caller_id=None, body=body)
                )
                for body in bodies
            )
        )

        (user,) = audited_users()
        kinds = {type(each) for each in outcomes}
        assert kinds == {User, UsernameTaken}
        assert {each.id for each in outcomes if isinstance(each, User)} == {user.id}

    def test_api_key(self, run_concurrently, register, mailbox):
        """Of ten equal requests one creates a key, and all show it with the same token."""
        ada, keys = register("ada"), ApiKeys(mailbox)
        outcomes = run_concurrently(
            *[
                lambda: keys.create(
                    ada, "nightly", [], timedelta(days=1), Actor(ada.id), request=make_request()
                )
            ]
            * 10
        )

        (row,) = keys_of(ada.id)
        assert {(key.id, token) for key, token in outcomes} == {(row.id, outcomes[0][1])}
        assert keys.authenticate(outcomes[0][1]).user.id == ada.id

    def test_client(self, run_concurrently, context):
        """Of ten equal requests one creates a client, and all show the same secret."""
        clients = OAuthClients()
        outcomes = run_concurrently(
            *[
                lambda: clients.create(
                    "billing", audience="https://billing.example.com", request=make_request()
                )
            ]
            * 10
        )

        assert [client.id for client in OAuthClient.scan()] == [outcomes[0][0].id]
        assert {(client.id, secret) for client, secret in outcomes} == {
            (outcomes[0][0].id, outcomes[0][1])
        }

    def test_secret(self, run_concurrently, context):
        """Of ten equal requests one adds a secret, and all show it."""
        clients = OAuthClients()
        client, _ = clients.create("billing")
        outcomes = run_concurrently(
            *[lambda: clients.add_secret(client.id, request=make_request())] * 10
        )

        assert len({(secret.id, text) for secret, text in outcomes}) == 1
        assert len(clients.get(client.id).secrets) == 2

    def test_bodies(self, run_concurrently, context):
        """Of requests with one key and two bodies those with one body get an answer."""
        clients = OAuthClients()
        outcomes = run_concurrently(
            *(
                lambda name=name: clients.create(name, request=make_request(body={"name": name}))
                for name in ["billing", "invoices"] * 5
            )
        )

        rejected = [each for each in outcomes if isinstance(each, IdempotencyKeyReused)]
        assert len(rejected) == 5
        assert len(list(OAuthClient.scan())) == 1


@pytest.fixture
def admin(register, sign_in):
    """Return an admin, and a function that returns it as an actor with its session."""
    joan = register("joan", roles=["admin"])
    opened = sign_in.sign_in("joan", PASSWORD, CLIENT)
    return joan, lambda: Actor(joan.id, authority=Authority(joan, opened.session, role=Role.ADMIN))


class TestAuthority:
    """The authority of the caller is lost after the request was authorized."""

    @pytest.fixture
    def clients(self, context):
        return OAuthClients()

    @pytest.fixture(params=["create", "add_secret"])
    def execute(self, request, clients):
        """Return a function that executes a request of an actor."""
        id = clients.create("gateway")[0].id
        return {
            "create": lambda by: clients.create("billing", by=by, request=make_request()),
            "add_secret": lambda by: clients.add_secret(id, by=by, request=make_request()),
        }[request.param]

    def test_held(self, execute, admin):
        """A repeat by the same admin shows the same."""
        _, actor = admin

        assert execute(actor())[1] == execute(actor())[1]

    def test_demoted(self, execute, admin, accounts, register):
        """A repeat shows nothing to an admin who was demoted in between."""
        joan, actor = admin
        execute(actor())
        register("john", roles=["admin"])
        accounts.update(joan, {"roles": ["user"]})

        with pytest.raises(RoleRequired):
            execute(actor())

    def test_session_ended(self, execute, admin):
        """A repeat shows nothing once the session has ended."""
        _, actor = admin
        execute(actor())
        actor().authority.credential.delete()

        with pytest.raises(Unauthenticated):
            execute(actor())


class TestSecondFactor:
    @pytest.fixture
    def make_key(self, ada, sign_in, mailbox):
        """Return a function that executes a request for a key in a session with these factors."""
        session, keys = sign_in.sign_in("ada", PASSWORD, CLIENT).session, ApiKeys(mailbox)

        def make(*methods):
            session.amr = list(methods)
            by = Actor(ada.id, authority=Authority(ada, session))
            return keys.create(ada, "nightly", [], timedelta(days=1), by, request=make_request())

        return make

    def test_not_used(self, make_key):
        """A key of a session with a second factor is not shown in a session without it."""
        make_key("pwd", "otp")

        with pytest.raises(SecondFactorNotUsed):
            make_key("pwd")

    def test_used(self, make_key):
        """A key of a session without a second factor stays one in a session with it."""
        _, token = make_key("pwd")
        key, repeated = make_key("pwd", "otp")

        assert repeated == token
        assert not key.used_second_factor


class TestUnfinished:
    """DynamoDB can show items of a transaction one after the other while it is committed."""

    def test_created_item_appears_later(self, context, monkeypatch):
        """The repeat waits for what the record names."""
        clients = OAuthClients()
        client, secret = clients.create("billing", request=make_request())
        client.delete()
        waits = []
        monkeypatch.setattr(time, "sleep", lambda seconds: (waits.append(seconds), client.save()))

        repeated, shown = clients.create("billing", request=make_request())

        assert (repeated.id, shown) == (client.id, secret)
        assert waits == [0.05]

    def test_created_item_is_gone(self, context):
        """The repeat ends with an error if it does not appear."""
        clients = OAuthClients()
        client, _ = clients.create("billing", request=make_request())
        client.delete()

        with pytest.raises(IdempotencyKeyUsed):
            clients.create("billing", request=make_request())


class TestDigests:
    def test_parts_do_not_run_together(self, context):
        """Requests whose parts are equal only after joining them are different."""
        clients = OAuthClients()
        requests = [
            make_request(operation="a", caller_id="bc"),
            make_request(operation="ab", caller_id="c"),
            make_request(caller_id='ada", "'),
            make_request(target="x"),
        ]
        made = [clients.create("billing", request=request)[0].id for request in requests]

        assert len(set(made)) == 4

    def test_other_secret_keys(self, context):
        """Another service with other secret keys does not recognize the request."""
        made = [OAuthClients().create("billing", request=make_request())[0].id for _ in range(2)]

        assert made[0] != made[1]

    def test_repr(self):
        """Neither the key nor the body is in the representation of a request."""
        request = make_request(body={"password": "a secret"})

        assert [each for each in (KEY, "a secret") if each in repr(request)] == []
