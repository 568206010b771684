"""`Idempotency-Key`: a repeated request is answered like the first one, and changes nothing."""

import logging
from dataclasses import replace
from datetime import timedelta
from typing import Any, NamedTuple

import pytest

from models import MAX_API_KEYS, ApiKey, User
from models.clock import now
from models.security import tokens
from models.tables.audit_event import AuditEvent
from models.tables.idempotency_record import IdempotencyRecord
from tests.support.person import NEW_PASSWORD
from tests.support.preconditions import KEYED
from tests.support.responses import ADA, outcome

OTHER_KEY = {"Idempotency-Key": "1c4fad6f-65a3-4c2d-9a1f-7e4b2a8d3ca1"}
# The secret key of the tests, and another one.
OLD, NEW = "only for tests", "another secret key"


class Operation(NamedTuple):
    """An operation with an idempotency key.

    Attributes:
        path: The path; `{client}` is replaced by the ID of a client.
        body: The body.
        other: Another valid body.
        shown: The field of the response that differs for each execution.
    """

    path: str
    body: Any
    other: Any
    shown: str


USER = Operation("/v1/users", ADA, {**ADA, "full_name": "Ada"}, "id")
API_KEY = Operation("/v1/users/me/api-keys", {"name": "nightly"}, {"name": "hourly"}, "key")
CLIENT = Operation("/v1/clients", {"name": "billing"}, {"name": "invoices"}, "secret")
SECRET = Operation("/v1/clients/{client}/secrets", None, None, "secret")
WITH_BODY = [USER, API_KEY, CLIENT]
WITH_SECRET = [API_KEY, CLIENT, SECRET]


def each(operations):
    return pytest.mark.parametrize("operation", operations, ids=lambda one: one.path)


@pytest.fixture
def billing(john):
    """Return the ID of a client with one secret."""
    return john.post("/v1/clients", json={"name": "gateway"}).json["id"]


@pytest.fixture
def send(john, billing):
    """Return a function that sends an operation, by default as john and with a key."""

    def send(operation, by=john, headers=KEYED, body=None):
        path = operation.path.format(client=billing)
        return by.post(path, json=body or operation.body, headers=headers)

    return send


@pytest.fixture
def records(app):
    """Return a function that reads the records of idempotency keys."""

    def read():
        with app.app_context():
            return list(IdempotencyRecord.scan(IdempotencyRecord.value.startswith("request#")))

    return read


@pytest.fixture
def expire(app, records):
    """Return a function that lets a day go by for the only record; it returns the time left."""

    def let_go_by():
        (row,) = records()
        kept = row.held_until - now()
        with app.app_context():
            row.update([IdempotencyRecord.held_until.set(now() - timedelta(seconds=1))])
        return kept

    return let_go_by


@pytest.fixture
def add_keys(app):
    """Return a function that gives a person API keys, below the rate limit of HTTP."""

    def add(person, number):
        with app.app_context():
            owner = User.get(person.id)
            for _ in range(number):
                ApiKey.new(
                    owner, "old", [], timedelta(days=1), token=tokens.make("rsk_", owner.id)
                ).save()

    return add


def replayed(response):
    """Return the status of a response and whether it says that it is a replay."""
    return response.status_code, response.headers.get("Idempotency-Replayed")


def shown(response):
    """Return what a response shows, and the headers about it."""
    return response.json, response.headers["Location"], response.headers.get("ETag")


class TestRepeat:
    @each([USER, *WITH_SECRET])
    def test_same_answer(self, send, operation, snapshot):
        """The repeat shows the same as the first response, and writes nothing, not even events."""
        first = send(operation)
        before = snapshot()

        second = send(operation)

        assert [replayed(first), replayed(second)] == [(201, None), (201, "true")]
        assert shown(second) == shown(first)
        assert snapshot() == before

    @each(WITH_SECRET)
    def test_other_key(self, send, operation, john):
        """A request with another key is another request."""
        first = send(operation)
        john.delete(first.headers["Location"])

        second = send(operation, headers=OTHER_KEY)

        assert replayed(second) == (201, None)
        assert second.json[operation.shown] != first.json[operation.shown]

    @each([USER, *WITH_SECRET])
    def test_without_key(self, send, operation, records, snapshot):
        """Without a key no record is written, and a later key finds nothing."""
        send(operation, headers={})

        assert records() == []
        assert "Idempotency-Replayed" not in send(operation).headers

    @each(WITH_SECRET)
    def test_after_a_day(self, send, operation, john, expire):
        """After 24 hours a key counts as new, even before DynamoDB removes the row."""
        first = send(operation)
        john.delete(first.headers["Location"])
        kept = expire()

        second = send(operation)

        assert timedelta(hours=23) < kept <= timedelta(hours=24)
        assert replayed(second) == (201, None)
        assert second.json[operation.shown] != first.json[operation.shown]

    @each([USER, *WITH_SECRET])
    def test_nothing_is_revealed(self, send, operation, records, caplog, snapshot):
        """Neither a table nor a log contains the key, the password or the secret."""
        caplog.set_level(logging.DEBUG)

        responses = [send(operation), send(operation), send(operation, body=operation.other)]

        texts = [caplog.text, str(snapshot()), repr(records())]
        hidden = [NEW_PASSWORD, *KEYED.values(), responses[0].json.get("key", NEW_PASSWORD)]
        hidden.append(responses[0].json.get("secret", NEW_PASSWORD))
        assert len(records()) == 1
        assert [each for each in hidden if each in "".join(texts)] == []

    @each(WITH_SECRET)
    def test_secret_has_its_form(self, send, operation):
        """A secret that can be shown again is as long as any other, and not that of another key."""
        secrets = [
            send(operation).json[operation.shown],
            send(CLIENT, headers=OTHER_KEY).json["secret"],
            send(CLIENT, headers={}, body=CLIENT.other).json["secret"],
        ]

        assert {len(secret) for secret in secrets} == {58}
        assert len({secret[-32:] for secret in secrets}) == 3

    @pytest.mark.parametrize("operation, path", [(USER, "/v1/users"), (CLIENT, "/v1/clients")])
    def test_created_once(self, send, john, operation, path):
        """After five repeats the resource exists once, with one event."""
        ids = {send(operation).json["id"] for _ in range(5)}

        items = [item["id"] for item in john.get(path).json["items"]]
        assert len(ids) == 1
        assert [id for id in items if id in ids] == list(ids)

    def test_secret_works(self, send, john):
        """The key that a repeat shows authenticates."""
        send(API_KEY)
        key = send(API_KEY).json["key"]

        assert replace(john, token=key).get("/v1/users/me").json["id"] == john.id

    def test_last_key(self, send, john, add_keys):
        """The repeat of the request for the last key that a user may have shows that key."""
        add_keys(john, MAX_API_KEYS - 1)
        first = send(API_KEY)

        assert shown(send(API_KEY)) == shown(first)
        assert outcome(send(API_KEY, headers=OTHER_KEY)) == (422, "invalid-request", ["/name"])

    def test_uses_are_not_shown(self, send, john, client):
        """A repeat shows the first response, although the user and the key were used since."""
        responses = [send(USER), send(API_KEY)]
        client.post("/v1/sessions", json={"login": "ada", "password": NEW_PASSWORD})
        replace(john, token=responses[1].json["key"]).get("/v1/users/me")

        assert [shown(send(USER)), shown(send(API_KEY))] == list(map(shown, responses))

    def test_two_operations(self, send):
        """One key for two operations, or for two clients, makes two requests."""
        responses = [send(operation) for operation in (USER, API_KEY, CLIENT, SECRET)]
        other = send(SECRET._replace(path=f"/v1/clients/{responses[2].json['id']}/secrets"))

        assert [replayed(each) for each in [*responses, other]] == [(201, None)] * 5

    def test_letter_case_of_id(self, send, billing):
        """A repeat may write the ID in the URL in another letter case."""
        first = send(SECRET)

        second = send(SECRET._replace(path=f"/v1/clients/{billing.upper()}/secrets"))

        assert shown(second) == shown(first)

    def test_events(self, send, app):
        """Repeats leave one audit event."""
        id, *others = [send(CLIENT).json["id"] for _ in range(3)]
        with app.app_context():
            types = [event.type for event in AuditEvent.query(id)]

        assert others == [id, id]
        assert types == ["client.created"]

    def test_emails(self, email_app, sent_emails, john, edit_row):
        """Repeats send one email."""
        edit_row(john, email_verified=True)
        caller = replace(john, client=email_app.test_client())
        for _ in range(3):
            caller.post(API_KEY.path, json=API_KEY.body, headers=KEYED)

        assert len(sent_emails()) == 1


class TestOtherBody:
    @each(WITH_BODY)
    def test_rejected(self, send, operation, snapshot):
        """The same key with another body is rejected, and nothing is written."""
        send(operation)
        before = snapshot()

        response = send(operation, body=operation.other)

        assert outcome(response) == (422, "idempotency-key-reused", ["/Idempotency-Key"])
        assert snapshot() == before

    def test_order_of_fields(self, send):
        """The same fields in another order are the same body."""
        first = send(USER)

        second = send(USER, body=dict(reversed(ADA.items())))

        assert shown(second) == shown(first)

    def test_other_password(self, send):
        """The password is a part of the body."""
        send(USER)

        response = send(USER, body={**ADA, "password": "another bridge over the river"})

        assert outcome(response) == (422, "idempotency-key-reused", ["/Idempotency-Key"])

    @pytest.mark.parametrize("value", [2**53 - 1, 1e300, {"a": [None, True, "é"]}])
    def test_any_metadata(self, send, value):
        """Whatever JSON can express is compared."""
        body = {**ADA, "metadata": {"value": value}}
        first = send(USER, body=body)

        assert shown(send(USER, body=body)) == shown(first)
        assert send(USER, body={**body, "metadata": {"value": 1}}).status_code == 422


class TestChangedSince:
    @each([USER, *WITH_SECRET])
    def test_removed(self, send, operation, john):
        """What was deleted or revoked since is not shown, and not created again."""
        first = send(operation)
        assert john.delete(first.headers["Location"]).status_code == 204

        response = send(operation)

        assert outcome(response) == (409, "idempotency-key-used", [])
        assert john.get(first.headers["Location"]).status_code in (404, 405)

    @pytest.mark.parametrize(
        "operation, change",
        [
            (USER, {"status": "suspended"}),
            (USER, {"full_name": "Ada"}),
            (CLIENT, {"disabled": True}),
            (CLIENT, {"scopes": ["introspect"]}),
        ],
    )
    def test_changed(self, send, operation, change, john):
        """What was changed since is not shown as it was."""
        john.patch(send(operation).headers["Location"], json=change)

        assert outcome(send(operation)) == (409, "idempotency-key-used", [])

    def test_revoked_key_stays_revoked(self, send, john):
        """A repeat does not bring a revoked key back."""
        first = send(API_KEY)
        john.delete(first.headers["Location"])
        send(API_KEY)

        assert replace(john, token=first.json["key"]).get("/v1/users/me").status_code == 401

    def test_all_keys_revoked(self, send, john):
        """A key that was revoked with all others is not shown."""
        send(API_KEY)
        john.delete(API_KEY.path)

        assert outcome(send(API_KEY)) == (409, "idempotency-key-used", [])

    def test_client_deleted(self, send, john, billing):
        """The client of a secret is not found once it is deleted."""
        send(SECRET)
        john.delete(f"/v1/clients/{billing}")

        assert outcome(send(SECRET)) == (404, "client-not-found", [])

    def test_new_password(self, send, client, john):
        """Once the user has changed its password, the first one shows nothing."""
        send(USER)
        login = {"login": "ada", "password": NEW_PASSWORD}
        ada = replace(john, token=client.post("/v1/sessions", json=login).json["token"])
        change = {"current_password": NEW_PASSWORD, "new_password": "another bridge on the river"}
        assert ada.put("/v1/users/me/password", json=change).status_code == 204

        assert outcome(send(USER)) == (409, "idempotency-key-used", [])


class TestAuthority:
    @each([USER, *WITH_SECRET])
    def test_session_ended(self, send, operation, john):
        """A repeat requires an active session."""
        send(operation)
        john.delete("/v1/sessions/current")

        assert outcome(send(operation)) == (401, "unauthenticated", [])

    @each([CLIENT, SECRET])
    def test_demoted(self, send, operation, john, create_user):
        """A repeat requires the role."""
        send(operation)
        create_user("joan", roles=["admin"]).patch(john.path, json={"roles": ["user"]})

        assert outcome(send(operation)) == (403, "forbidden", [])

    @each(WITH_SECRET)
    def test_stale(self, send, operation, john, make_app):
        """A repeat requires recent authentication."""
        send(operation)
        john.client = make_app(recent_auth=timedelta(0)).test_client()

        assert outcome(send(operation)) == (401, "fresh-sign-in-required", [])

    @each([CLIENT, API_KEY])
    def test_other_caller(self, send, operation, create_user):
        """The key of another caller has no effect, and what it created is not shown."""
        joan = create_user("joan", roles=["admin"])
        first = send(operation)
        second = send(operation, joan)
        third = send(operation, joan, body=operation.other, headers=OTHER_KEY)

        assert [replayed(second), replayed(third)] == [(201, None), (201, None)]
        assert second.json[operation.shown] != first.json[operation.shown]

    def test_new_session(self, send, john, second_session):
        """A repeat in another session of the same user is a repeat."""
        first = send(CLIENT)

        assert shown(send(CLIENT, second_session(john))) == shown(first)


class TestAnonymous:
    def test_repeat(self, client):
        """A sign-up is recognized without a session, by its key and its body."""
        first = client.post("/v1/users", json=ADA, headers=KEYED)
        second = client.post("/v1/users", json=ADA, headers=KEYED)

        assert [replayed(first), replayed(second)] == [(201, None), (201, "true")]
        assert shown(second) == shown(first)

    @pytest.mark.parametrize("headers", [KEYED, OTHER_KEY, {}])
    @pytest.mark.parametrize("change", [{"password": "another bridge over the river"}, {}])
    def test_stranger(self, client, headers, change):
        """A stranger without the key, or with another password, gets what he gets without one."""
        client.post("/v1/users", json={**ADA, "full_name": "Ada"}, headers=KEYED)

        response = client.post("/v1/users", json={**ADA, **change}, headers=headers)

        assert outcome(response) == (409, "username-taken", ["/email", "/username"])

    def test_one_key_of_two_strangers(self, client):
        """Two strangers who choose the same key do not disturb each other."""
        joan = {**ADA, "username": "joan", "email": "joan@example.com"}
        first = client.post("/v1/users", json=ADA, headers=KEYED)
        second = client.post("/v1/users", json=joan, headers=KEYED)

        assert [replayed(first), replayed(second)] == [(201, None), (201, None)]

    def test_signed_in_since(self, client, jane):
        """A repeat by a signed-in user is not that of an anonymous one."""
        client.post("/v1/users", json=ADA, headers=KEYED)

        assert jane.post("/v1/users", json=ADA, headers=KEYED).status_code == 409

    def test_counts_as_request(self, client):
        """A repeat counts for the rate limit."""
        first = client.post("/v1/users", json=ADA, headers=KEYED)
        second = client.post("/v1/users", json=ADA, headers=KEYED)

        assert [each.headers["RateLimit"].split(";")[1] for each in (first, second)] == [
            "r=299",
            "r=298",
        ]


class TestRejection:
    def test_is_not_remembered(self, client, jane):
        """A request that was rejected is executed when it is repeated."""
        body = {**ADA, "username": "jane"}
        rejected = client.post("/v1/users", json=body, headers=KEYED)
        jane.patch("/v1/users/me", json={"username": "joan"})
        jane.delete("/v1/users/me")
        body_of_free_name = {**ADA, "email": "jane@example.com"}
        repeated = client.post("/v1/users", json=body_of_free_name, headers=KEYED)

        assert rejected.status_code == 409
        assert replayed(repeated) == (201, None)

    def test_weak_password(self, john):
        """A rejected body does not bind the key."""
        rejected = john.post("/v1/users", json={**ADA, "password": "short"}, headers=KEYED)
        repeated = john.post("/v1/users", json=ADA, headers=KEYED)

        assert [rejected.status_code, replayed(repeated)] == [422, (201, None)]

    @pytest.mark.parametrize("taken", ["username", "email"])
    def test_user_of_another_request(self, client, taken):
        """A user from before, or of another request, is reported as taken."""
        client.post("/v1/users", json=ADA)
        other = {"username": "joan", "email": "joan@example.com", "password": NEW_PASSWORD}

        response = client.post("/v1/users", json={**other, taken: ADA[taken]}, headers=KEYED)

        assert outcome(response) == (409, f"{taken}-taken", [f"/{taken}"])


class TestHeader:
    @pytest.mark.parametrize(
        "value",
        ["", " ", "x" * 15, "x" * 129, "with a space inside", "tab\tinside-the-key", "ключ-" * 8],
    )
    @each([USER, *WITH_SECRET])
    def test_malformed(self, send, operation, value, snapshot):
        """A key that is too short, too long or not visible ASCII is named, and nothing is done."""
        before = snapshot()

        response = send(operation, headers={"Idempotency-Key": value})

        assert outcome(response) == (422, "invalid-request", ["/Idempotency-Key"])
        assert snapshot() == before

    @pytest.mark.parametrize(
        "value", ["x" * 16, "~" * 128, '"8e03978e-40d5-43dd"', "!#$%&'()*+,-./"]
    )
    def test_accepted(self, send, value):
        """16 to 128 visible characters are a key, with or without quotes."""
        headers = {"Idempotency-Key": value.ljust(16, ":")}

        assert [replayed(send(CLIENT, headers=headers)) for _ in range(2)] == [
            (201, None),
            (201, "true"),
        ]

    def test_letter_case(self, send):
        """Keys are compared to the letter."""
        headers = {"Idempotency-Key": KEYED["Idempotency-Key"].upper()}
        send(CLIENT)

        assert replayed(send(CLIENT, headers=headers)) == (201, None)

    def test_after_authentication(self, client):
        """An anonymous caller with a malformed key gets 401."""
        response = client.post("/v1/clients", json=CLIENT.body, headers={"Idempotency-Key": "x"})

        assert outcome(response) == (401, "unauthenticated", [])

    @pytest.mark.parametrize("value", [*KEYED.values(), "x"])
    def test_other_operations(self, jane, value):
        """Operations that are safe to repeat accept the header, and it has no effect."""
        headers = {"Idempotency-Key": value}
        responses = [
            jane.patch("/v1/users/me", json={"full_name": name}, headers=headers)
            for name in ("Jane", "Jane Doe")
        ]

        assert [each.json["full_name"] for each in responses] == ["Jane", "Jane Doe"]
        assert "Idempotency-Replayed" not in responses[1].headers


class TestRotation:
    @each([USER, *WITH_SECRET])
    def test_both_orders(self, send, operation, john, make_app):
        """A repeat is recognized by hosts that have the two secret keys in another order."""
        apps = [make_app(secret_keys=keys) for keys in ((OLD, NEW), (NEW, OLD))]
        people = [replace(john, client=app.test_client()) for app in apps]
        first = send(operation, people[0])

        assert shown(send(operation, people[1])) == shown(first)

    @each(WITH_SECRET)
    def test_key_removed(self, send, operation, john, make_app):
        """Without the secret key of that time the secret is not shown, and no other is created."""
        apps = [make_app(secret_keys=keys) for keys in ((OLD, NEW), (NEW,))]
        people = [replace(john, client=app.test_client()) for app in apps]
        send(operation, people[0])

        assert outcome(send(operation, people[1])) == (409, "idempotency-key-used", [])

    def test_key_removed_without_secret(self, send, john, make_app):
        """Without the secret key of that time a user is shown."""
        apps = [make_app(secret_keys=keys) for keys in ((OLD, NEW), (NEW,))]
        people = [replace(john, client=app.test_client()) for app in apps]
        first = send(USER, people[0])

        assert shown(send(USER, people[1])) == shown(first)
