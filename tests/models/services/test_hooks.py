"""Functions of an operator before and after changes: what they get, refuse, add and cannot do."""

import json
import logging
import threading
from dataclasses import FrozenInstanceError
from datetime import timedelta

import pytest

from models import (
    Actor,
    Hooks,
    IdempotentRequest,
    MetadataRules,
    Move,
    NameMoves,
    SecondFactors,
    Totp,
    UserImport,
    compile_schema,
)
from models.errors import (
    EmailTaken,
    HookFailed,
    IdempotencyKeyReused,
    InvalidCredentials,
    Refused,
    SecondFactorCodeRequired,
    VersionMismatch,
)
from models.hooks import Additions, Caller, Refusal
from models.tables.audit_event import AuditEvent
from models.tables.login_attempts import FREE_ATTEMPTS
from models.tables.session import Session
from tests.support.authenticator import Authenticator, Clock
from tests.support.invariants import audited_users
from tests.support.person import CLIENT, NEW_PASSWORD, PASSWORD

SECRET = "a text for the log only"
LIMIT = timedelta(milliseconds=100)
WRONG = "not the password at all"


class Operator:
    """The functions of a module of hooks. Each records its argument, and does what the test says.

    Attributes:
        calls: The names of the called functions and their arguments.
        answers: What each function returns; it raises an exception.
    """

    def __init__(self):
        self.calls = []
        self.answers = {}

    def functions(self, *names):
        """Return functions with these names."""
        return {name: lambda argument, name=name: self.answer(name, argument) for name in names}

    def answer(self, name, argument):
        """Return what the test wants of a function."""
        self.calls.append((name, argument))
        return self.answers.get(name, lambda argument: None)(argument)

    @property
    def names(self):
        """The names of the called functions."""
        return [name for name, _ in self.calls]


def refuse(message, **details):
    """Return a function that refuses."""

    def function(argument):
        raise Refusal(message, **details)

    return function


def fail(argument):
    """Raise an error."""
    raise RuntimeError(SECRET)


def add(**app_metadata):
    """Return a function that adds fields."""
    return lambda argument: Additions(app_metadata=app_metadata)


def added_as_is(app_metadata):
    """Return a function that adds what is no object of JSON, too."""
    return lambda argument: Additions(app_metadata=app_metadata)


def events_of(user):
    """Return the types and reasons of the events of a user."""
    return [(event.type, event.reason) for event in AuditEvent.query(user.id)]


@pytest.fixture
def clock():
    """Return a clock that tests set."""
    return Clock()


@pytest.fixture
def second_factors(mailbox, clock):
    """Return the service of second factors, with the clock."""
    return SecondFactors(Totp(["a key that only tests have"], clock=clock), mailbox)


@pytest.fixture
def operator():
    """Return the operator of the test."""
    return Operator()


@pytest.fixture
def hook(accounts, sign_in, credentials, confirmations, operator):
    """Return a function that gives all services functions with these names."""

    def install(*names, metadata=None):
        functions = operator.functions(*names)
        hooks = Hooks(functions, module="acme", limit=LIMIT, metadata=metadata)
        accounts.hooks = hooks
        for service in (sign_in, credentials, confirmations):
            service._hooks = hooks

    return install


@pytest.fixture
def moves(confirmations):
    """Return the service that moves names."""
    return NameMoves(confirmations)


@pytest.fixture
def release():
    """Return an event that ends the functions that wait for it, at the end of the test at last."""
    event = threading.Event()
    yield event
    event.set()


class TestRegistration:
    def test_argument(self, hook, operator, register):
        """A function gets the user and the caller, and no password or digest of one."""
        hook("before_registration")
        by = Actor("crm", "192.0.2.1", "key", user_agent="a browser")
        user = register("ada", metadata={"tags": ["a"]}, external_id="crm-1", by=by)
        ((_, registration),) = operator.calls

        assert registration.user.id == user.id
        assert registration.user.username == "ada"
        assert registration.user.external_id == "crm-1"
        assert registration.user.roles == ("user",)
        assert registration.caller == Caller(
            user_id="crm", ip="192.0.2.1", user_agent="a browser", api_key_id="key"
        )
        assert not registration.is_import
        assert not hasattr(registration.user, "password_hash")
        assert PASSWORD not in repr(registration)
        assert "ada@example.com" not in repr(registration)

    def test_immutable(self, hook, operator, register):
        """A function cannot change its argument, at any depth."""

        def mutate(registration):
            with pytest.raises(FrozenInstanceError):
                registration.user.email = "eve@example.com"
            with pytest.raises(TypeError):
                registration.user.metadata["plan"] = "gold"
            with pytest.raises(TypeError):
                registration.user.metadata["nested"]["plan"] = "gold"
            registration.user.metadata["nested"]["tags"].append("gold")

        hook("before_registration")
        operator.answers["before_registration"] = mutate
        with pytest.raises(HookFailed):
            register("ada", metadata={"nested": {"tags": []}})

        assert audited_users() == []

    def test_refusal(self, hook, operator, register):
        """A refusal names a field, and nothing is stored."""
        hook("before_registration", "after_registration")
        operator.answers["before_registration"] = refuse(
            "Use your work address.", field="email", others=[Refusal("Closed today.")]
        )
        with pytest.raises(Refused) as raised:
            register("ada")
        errors = [raised.value, *raised.value.other_failures]

        assert [(error.field, str(error)) for error in errors] == [
            ("email", "Use your work address."),
            ("", "Closed today."),
        ]
        assert operator.names == ["before_registration"]
        assert audited_users() == []

    def test_addition(self, hook, operator, register, accounts):
        """Fields are added to app_metadata, in the transaction of the registration."""
        hook("before_registration", "after_registration")
        operator.answers["before_registration"] = add(plan="trial", seats=3)
        user = register("ada", app_metadata={"plan": "free", "crm": 1})
        stored = accounts.get(user.id)

        assert stored.app_metadata == {"plan": "trial", "seats": 3, "crm": 1}
        assert stored.version == 1
        assert events_of(user) == [("user.registered", None)]
        assert operator.calls[1][1].user.app_metadata["plan"] == "trial"

    def test_every_way(self, hook, operator, accounts, register):
        """Users without a password and imported ones pass the same functions."""
        hook("before_registration", "after_registration")
        UserImport(accounts).import_user(username="grace", email="grace@example.com")

        assert operator.names == ["before_registration", "after_registration"]
        assert all(argument.is_import for _, argument in operator.calls)

    def test_import_is_repeated(self, hook, operator, accounts):
        """A repeated import of a user calls no function, even if it would be refused by now."""
        imports = UserImport(accounts)
        details = {"username": "grace", "email": "grace@example.com"}
        imports.import_user(**details)
        hook("before_registration", "after_registration")
        operator.answers["before_registration"] = refuse("No more imports.")

        assert imports.import_user(**details) is None
        assert operator.calls == []

    def test_dry_run(self, hook, operator, accounts):
        """A dry run calls no function."""
        hook("before_registration", "after_registration")
        UserImport(accounts).dry_run(username="grace", email="grace@example.com")

        assert operator.calls == []

    def test_conflict(self, hook, operator, register, ada):
        """A registration that fails calls no function afterwards."""
        hook("before_registration", "after_registration")
        with pytest.raises(EmailTaken):
            register("eve", email=ada.email)

        assert operator.names == ["before_registration"]

    def test_repeat(self, hook, operator, register):
        """A repeat with the same idempotency key calls no function, even if it would be refused."""
        hook("before_registration", "after_registration")
        first = register("ada", request=make_request())
        operator.answers["before_registration"] = refuse("Closed today.")
        request = make_request()
        second = register("ada", request=request)

        assert second.id == first.id
        assert request.is_replayed
        assert operator.names == ["before_registration", "after_registration"]

    def test_repeat_with_another_body(self, hook, register):
        """A key that is reused for another body is an error, as without functions."""
        hook("before_registration")
        register("ada", request=make_request("crm"))
        with pytest.raises(IdempotencyKeyReused):
            register("eve", request=make_request("crm", {"username": "eve"}))

    def test_failure(self, hook, operator, register, caplog):
        """An error is logged with its stack trace, and the caller gets none of it."""
        hook("before_registration")
        operator.answers["before_registration"] = fail
        with pytest.raises(HookFailed) as raised:
            register("ada")

        assert SECRET not in str(raised.value)
        assert raised.value.__cause__ is None
        (record,) = caplog.records
        assert record.getMessage() == "hook acme.before_registration failed: it raised an error"
        assert SECRET in caplog.text
        assert audited_users() == []

    def test_repeat_after_a_failure(self, hook, operator, register):
        """After a failure the same request can be sent again."""
        hook("before_registration")
        operator.answers["before_registration"] = fail
        with pytest.raises(HookFailed):
            register("ada", request=make_request())
        operator.answers.clear()

        assert register("ada", request=make_request()).username == "ada"


def make_request(caller_id=None, body=None):
    """Return a request with an idempotency key."""
    body = body or {"username": "ada"}
    return IdempotentRequest(key="a-key", operation="create_user", caller_id=caller_id, body=body)


class TestSignIn:
    def test_argument(self, hook, operator, sign_in, ada):
        """Functions get the user, the client and the factors."""
        hook("before_sign_in", "after_sign_in")
        sign_in.sign_in("ada", PASSWORD, CLIENT)
        (_, before), (_, after) = operator.calls

        assert operator.names == ["before_sign_in", "after_sign_in"]
        assert (before.user.id, before.amr, before.caller.ip) == (ada.id, ("pwd",), CLIENT.ip)
        assert (after.amr, after.caller) == (before.amr, before.caller)
        assert before.user.last_login_at is None
        assert after.user.last_login_at is not None

    @pytest.mark.parametrize("login", ["ada", "nobody"])
    def test_wrong_credentials(self, hook, operator, sign_in, ada, login):
        """Without correct credentials no function is called: it reveals no account."""
        hook("before_sign_in", "after_sign_in")
        operator.answers["before_sign_in"] = refuse("Closed today.")
        with pytest.raises(InvalidCredentials):
            sign_in.sign_in(login, WRONG, CLIENT)

        assert operator.calls == []

    def test_suspended(self, hook, operator, sign_in, accounts, ada):
        """For a suspended user no function is called."""
        accounts.update(ada, {"status": "suspended"})
        hook("before_sign_in")
        with pytest.raises(InvalidCredentials):
            sign_in.sign_in("ada", PASSWORD, CLIENT)

        assert operator.calls == []

    def test_refusal(self, hook, operator, sign_in, ada):
        """A refused sign-in opens no session and is recorded."""
        hook("before_sign_in", "after_sign_in")
        operator.answers["before_sign_in"] = refuse("Closed today.")
        with pytest.raises(Refused, match="Closed today"):
            sign_in.sign_in("ada", PASSWORD, CLIENT)

        assert operator.names == ["before_sign_in"]
        assert list(Session.query(ada.id)) == []
        assert events_of(ada)[1:] == [("sign-in.failed", "refused")]

    @pytest.mark.parametrize(
        "answer, error", [(refuse("Closed today."), Refused), (fail, HookFailed)]
    )
    def test_no_lockout(self, hook, operator, sign_in, ada, answer, error):
        """However often a function refuses or fails, the user is not locked out."""
        hook("before_sign_in")
        operator.answers["before_sign_in"] = answer
        for _ in range(FREE_ATTEMPTS + 1):
            with pytest.raises(error):
                sign_in.sign_in("ada", PASSWORD, CLIENT)
        operator.answers.clear()

        assert sign_in.sign_in("ada", PASSWORD, CLIENT)

    def test_failures_stay_counted(self, hook, operator, sign_in, accounts, ada):
        """A refused sign-in takes back its own attempt, and none that has failed."""
        hook("before_sign_in")
        operator.answers["before_sign_in"] = refuse("Closed today.")
        for password, error in [(WRONG, InvalidCredentials)] * 2 + [(PASSWORD, Refused)] * 3:
            with pytest.raises(error):
                sign_in.sign_in("ada", password, CLIENT)

        assert accounts.get(ada.id).failed_attempts == 2

    def test_known_device(self, hook, operator, sign_in, ada):
        """On a known device a refused attempt is taken back, too."""
        device = sign_in.sign_in("ada", PASSWORD, CLIENT).device_token
        hook("before_sign_in")
        operator.answers["before_sign_in"] = refuse("Closed today.")
        for _ in range(FREE_ATTEMPTS + 1):
            with pytest.raises(Refused):
                sign_in.sign_in("ada", PASSWORD, CLIENT, device_token=device)
        operator.answers.clear()

        assert sign_in.sign_in("ada", PASSWORD, CLIENT, device_token=device)

    def test_addition(self, hook, operator, sign_in, accounts, ada):
        """Fields are added to app_metadata, and the session shows them."""
        hook("before_sign_in")
        operator.answers["before_sign_in"] = add(plan="gold")
        opened = sign_in.sign_in("ada", PASSWORD, CLIENT)

        assert accounts.get(ada.id).app_metadata == {"plan": "gold"}
        assert opened.user.app_metadata == {"plan": "gold"}
        assert [type for type, _ in events_of(ada)] == [
            "user.registered",
            "user.updated",
            "session.opened",
        ]

    def test_same_addition(self, hook, operator, sign_in, database_calls, ada):
        """What a user has already costs nothing."""
        hook("before_sign_in")
        operator.answers["before_sign_in"] = add(plan="gold")
        sign_in.sign_in("ada", PASSWORD, CLIENT)
        with database_calls() as with_function:
            sign_in.sign_in("ada", PASSWORD, CLIENT)
        hook()
        with database_calls() as without:
            sign_in.sign_in("ada", PASSWORD, CLIENT)

        assert with_function == without

    def test_once(self, hook, operator, sign_in, ada, monkeypatch):
        """A sign-in that is retried after a conflict calls a function once."""
        hook("before_sign_in", "after_sign_in")
        create = sign_in.create_session
        conflicts = [VersionMismatch(), VersionMismatch()]

        def create_late(*args, **kwargs):
            if conflicts:
                raise conflicts.pop()
            return create(*args, **kwargs)

        monkeypatch.setattr(sign_in, "create_session", create_late)
        sign_in.sign_in("ada", PASSWORD, CLIENT)

        assert operator.names == ["before_sign_in", "after_sign_in"]

    def test_second_factor(self, hook, operator, sign_in, second_factors, clock, ada):
        """The function is called when the code was verified, in one step or in two."""
        by = Actor(ada.id, CLIENT.ip)
        phone = Authenticator(second_factors.enroll(ada, by).secret, clock)
        second_factors.confirm(ada, phone.code(), by)
        clock.move(1)
        hook("before_sign_in")
        operator.answers["before_sign_in"] = refuse("Closed today.")
        with pytest.raises(SecondFactorCodeRequired) as raised:
            sign_in.sign_in("ada", PASSWORD, CLIENT)
        called_without_code = list(operator.calls)
        step = raised.value.subject, raised.value.session_epoch
        with pytest.raises(Refused):
            sign_in.continue_sign_in(*step, phone.code(), CLIENT)
        operator.answers.clear()

        assert called_without_code == []
        # A refused sign-in has not used up the code.
        assert sign_in.sign_in("ada", PASSWORD, CLIENT, otp=phone.code())
        assert [argument.amr for _, argument in operator.calls] == [("pwd", "otp")] * 2

    def test_reauthentication(self, hook, operator, sign_in, ada):
        """Reauthentication is no sign-in."""
        opened = sign_in.sign_in("ada", PASSWORD, CLIENT)
        hook("before_sign_in", "after_sign_in")
        sign_in.reauthenticate(opened.session, PASSWORD, CLIENT)

        assert operator.calls == []

    def test_reset(self, hook, operator, credentials, sign_in, mailbox, ada):
        """A refused sign-in after a reset changes nothing, and the token stays valid."""
        credentials.request_reset(ada.email, by=Actor(ip=CLIENT.ip))
        token = mailbox.pop().token
        hook("before_sign_in", "after_sign_in")
        operator.answers["before_sign_in"] = refuse("Closed today.")
        with pytest.raises(Refused):
            credentials.reset_password(token, NEW_PASSWORD, sign_in=CLIENT)
        operator.answers["before_sign_in"] = add(plan="gold")
        opened = credentials.reset_password(token, NEW_PASSWORD, sign_in=CLIENT)

        assert opened.user.app_metadata == {"plan": "gold"}
        assert operator.names == ["before_sign_in", "before_sign_in", "after_sign_in"]

    def test_reset_without_sign_in(self, hook, operator, credentials, mailbox, ada):
        """A reset that opens no session calls no function for sign-ins."""
        credentials.request_reset(ada.email, by=Actor(ip=CLIENT.ip))
        hook("before_sign_in", "after_sign_in")
        credentials.reset_password(mailbox.pop().token, NEW_PASSWORD)

        assert operator.calls == []


class TestUpdate:
    def test_argument(self, hook, operator, accounts, ada):
        """Functions get both states, and the names of the fields that differ."""
        hook("before_update", "after_update")
        accounts.update(ada, {"full_name": "Ada", "roles": ["admin"]}, by=Actor("john"))
        (_, before), (_, after) = operator.calls

        assert before.changed_fields == ("full_name", "roles")
        assert (before.before.full_name, before.after.full_name) == (None, "Ada")
        assert before.caller.user_id == "john"
        assert after == before

    def test_nothing_changes(self, hook, operator, accounts, ada):
        """An update that changes nothing calls no function."""
        hook("before_update", "after_update")
        accounts.update(ada, {"full_name": None})

        assert operator.calls == []

    def test_refusal(self, hook, operator, accounts, ada):
        """A refused update changes nothing."""
        hook("before_update", "after_update")
        operator.answers["before_update"] = refuse("Names are fixed.", field="full_name")
        with pytest.raises(Refused):
            accounts.update(ada, {"full_name": "Ada"})

        assert operator.names == ["before_update"]
        assert accounts.get(ada.id).version == 1

    def test_addition(self, hook, operator, accounts, ada):
        """Fields are added in the transaction of the update, to what it changes itself."""
        hook("before_update", "after_update")
        operator.answers["before_update"] = add(is_checked=False)
        accounts.update(ada, {"app_metadata": {"plan": "gold"}, "full_name": "Ada"})
        (event,) = list(AuditEvent.query(ada.id))[1:]

        assert accounts.get(ada.id).app_metadata == {"plan": "gold", "is_checked": False}
        assert event.changed_fields == ["full_name", "app_metadata"]
        assert operator.calls[1][1].after.app_metadata["is_checked"] is False

    def test_once(self, hook, operator, accounts, ada, run_concurrently):
        """Updates that conflict call each function once, and lose no addition."""
        hook("before_update", "after_update")
        operator.answers["before_update"] = lambda update: Additions(
            app_metadata={str(update.after.full_name): 1}
        )
        names = [f"Ada {number}" for number in range(8)]
        outcomes = run_concurrently(
            *(lambda name=name: accounts.update(ada, {"full_name": name}) for name in names)
        )

        assert {outcome.id for outcome in outcomes} == {ada.id}
        assert sorted(operator.names) == ["after_update"] * 8 + ["before_update"] * 8
        assert accounts.get(ada.id).app_metadata == dict.fromkeys(names, 1)

    def test_version(self, hook, operator, accounts, ada):
        """An update of another version than the client has read calls no function."""
        hook("before_update")
        with pytest.raises(VersionMismatch):
            accounts.update(ada, {"full_name": "Ada"}, versions=[7])

        assert operator.calls == []

    def test_requested_address(self, hook, operator, accounts, confirmations, mailbox, ada):
        """A requested address is an update, and so is its confirmation, which asks no more."""
        hook("before_update", "after_update")
        accounts.update(ada, {"email": "new@example.com"}, confirms_email=True, by=Actor(ada.id))
        token = next(mail.token for mail in mailbox if mail.token)
        confirmations.confirm(token, by=Actor(ada.id))
        (_, requested), _, (_, confirmed) = operator.calls

        assert operator.names == ["before_update", "after_update", "after_update"]
        assert requested.after.pending_email == "new@example.com"
        assert requested.after.email == "ada@example.com"
        assert set(confirmed.changed_fields) == {"email", "pending_email"}
        assert confirmed.after.email == "new@example.com"
        assert confirmed.after.email_verified

    def test_first_proof_by_a_reset(self, hook, operator, credentials, mailbox, ada):
        """A reset that verifies the address is reported as an update."""
        credentials.request_reset(ada.email, by=Actor(ip=CLIENT.ip))
        hook("after_update")
        credentials.reset_password(mailbox.pop().token, NEW_PASSWORD)
        ((_, update),) = operator.calls

        assert update.changed_fields == ("email_verified",)


class TestMove:
    def test_both_users(self, hook, operator, accounts, moves, register, ada):
        """A moved username is an update of both users."""
        copy = register("copy")
        hook("before_update", "after_update")
        moves._hooks = accounts.hooks
        moves.move(ada, Move(copy.id, username="copy"), by=Actor("john"))
        by_name = [
            (name, update.before.id, update.after.username) for name, update in operator.calls
        ]

        assert by_name == [
            ("before_update", ada.id, "copy"),
            ("before_update", copy.id, None),
            ("after_update", copy.id, None),
            ("after_update", ada.id, "copy"),
        ]

    def test_merge(self, hook, operator, accounts, moves, register, ada):
        """A user who is deleted by a merge is not asked about, and additions are stored."""
        copy = register("copy")
        hook("before_update")
        moves._hooks = accounts.hooks
        operator.answers["before_update"] = add(is_merged=True)
        move = Move(copy.id, email="copy@example.com", deletes_source=True)
        after = moves.move(ada, move, by=Actor("john"))

        assert [update.before.id for _, update in operator.calls] == [ada.id]
        assert accounts.get(ada.id).app_metadata == after.app_metadata == {"is_merged": True}

    def test_refusal(self, hook, operator, accounts, moves, register, ada):
        """A refused move changes neither user."""
        copy = register("copy")
        hook("before_update", "after_update")
        moves._hooks = accounts.hooks
        operator.answers["before_update"] = refuse("Names are fixed.", field="username")
        with pytest.raises(Refused):
            moves.move(ada, Move(copy.id, username="copy"), by=Actor("john"))

        assert operator.names == ["before_update"]
        assert [user.version for user in audited_users()] == [1, 1]


class TestAfter:
    @pytest.mark.parametrize("answer", [fail, refuse("Too late."), add(plan="gold")])
    def test_error(self, hook, operator, register, accounts, caplog, answer):
        """What a function raises or returns after a change is logged, and changes nothing."""
        hook("after_registration")
        operator.answers["after_registration"] = answer
        user = register("ada")

        assert accounts.get(user.id).app_metadata is None
        assert [record.levelname for record in caplog.records] == ["ERROR"]

    def test_timeout(self, hook, operator, register, release, caplog):
        """A function that takes too long delays the response no further, and still runs."""
        hook("after_registration")
        operator.answers["after_registration"] = lambda argument: release.wait(30) and None
        user = register("ada")

        assert audited_users()[0].id == user.id
        assert "hook acme.after_registration failed: it takes more than 0.1 s" in caplog.text


class TestLimits:
    def test_timeout(self, hook, operator, register, release, caplog):
        """A function that takes too long fails with one line in the log."""
        hook("before_registration")
        operator.answers["before_registration"] = lambda argument: release.wait(30)
        with pytest.raises(HookFailed):
            register("ada")

        (record,) = caplog.records
        assert "before_registration failed: it takes more than 0.1 s" in record.getMessage()
        assert record.exc_info is None

    def test_late_refusal(self, hook, operator, register, release):
        """What a function says after the limit has no effect: the next call is another one."""
        hook("before_registration")
        operator.answers["before_registration"] = lambda argument: (
            release.wait(30),
            refuse("Late.")(argument),
        )
        with pytest.raises(HookFailed):
            register("ada")
        release.set()
        operator.answers.clear()

        assert register("ada")

    @pytest.mark.parametrize(
        "answer, said",
        [
            (lambda argument: {"plan": "gold"}, "it returned a value of the type dict"),
            (added_as_is([1]), "a value of the type list, no mapping"),
            (added_as_is({1: 2}), "has a value of the type dict"),
            (added_as_is({"at": object()}), "has a value of the type object"),
            (added_as_is({"at": float("nan")}), "has a value of the type float"),
            (added_as_is({"at": 2**64}), "has a value of the type int"),
            (added_as_is({"at": "\0"}), "has a value of the type str"),
            (added_as_is({"at": "\ud800"}), "has a value of the type str"),
            (added_as_is({"text": "x" * 4096}), "is not valid: The app_metadata has 4107 bytes"),
            (added_as_is(json.loads('{"a":' * 40 + "1" + "}" * 40)), "is nested more than 32"),
            (refuse(""), "its refusal has no message"),
            (refuse(b"bytes"), "the message of its refusal is no text"),
            (refuse("One.", field="emial"), "names the field 'emial', which is not among: app_"),
            (refuse("One.", field="x" * 1000), f"names the field '{'x' * 50}', which"),
            (refuse("A list.", others=["no refusal"]), "the message of its refusal is no text"),
            (refuse("No list.", others=5), "its result cannot be read"),
            (lambda argument: exit(0), "it raised an error"),
        ],
    )
    def test_wrong_outcome(self, hook, operator, register, caplog, answer, said):
        """What a function may not return or raise is its failure, and nothing is stored."""
        hook("before_registration")
        operator.answers["before_registration"] = answer
        with pytest.raises(HookFailed):
            register("ada")

        assert said in caplog.text
        assert audited_users() == []

    def test_no_thread(self, hook, register, monkeypatch, caplog):
        """Without a thread a function fails."""

        def refuse_to_start(thread):
            raise RuntimeError("can't start new thread")

        hook("before_registration")
        monkeypatch.setattr(threading.Thread, "start", refuse_to_start)
        with pytest.raises(HookFailed):
            register("ada")

        assert "it was not called: can't start new thread" in caplog.text

    def test_coroutine(self, hook, operator, register, caplog):
        """A coroutine that a function returns is closed, and is a failure."""

        async def later():
            raise AssertionError

        hook("before_registration")
        operator.answers["before_registration"] = lambda argument: later()
        with pytest.raises(HookFailed):
            register("ada")

        assert "it returned a value of the type coroutine" in caplog.text

    def test_schema(self, hook, operator, register, caplog):
        """An addition that breaks the schema of the operator is the failure of the function."""
        schema = {"properties": {"app_metadata": {"properties": {"plan": {"enum": ["free"]}}}}}
        hook(
            "before_registration",
            metadata=MetadataRules(compile_schema(json.dumps(schema).encode())),
        )
        operator.answers["before_registration"] = add(plan="gold")
        with pytest.raises(HookFailed):
            register("ada")

        assert "its app_metadata is not valid" in caplog.text

    def test_message(self, hook, operator, register):
        """The sentence of a refusal is bounded, and one line."""
        hook("before_registration")
        operator.answers["before_registration"] = refuse("one\ntwo\x1b[0m\u202e" + "x" * 400)
        with pytest.raises(Refused) as raised:
            register("ada")

        assert str(raised.value).startswith("one two [0m x")
        assert len(str(raised.value)) == 300

    def test_many_refusals(self, hook, operator, register):
        """A refusal names at most 20 faults."""
        hook("before_registration")
        operator.answers["before_registration"] = refuse(
            "One.", others=[Refusal("Another.") for _ in range(1000)]
        )
        with pytest.raises(Refused) as raised:
            register("ada")

        assert len(raised.value.other_failures) == 19


class TestWithoutHooks:
    def test_cost(self, hook, operator, register, sign_in, accounts, database_calls):
        """Functions that add nothing cost no database call."""
        with database_calls() as without:
            accounts.update(register("ada"), {"full_name": "Ada"})
            sign_in.sign_in("ada", PASSWORD, CLIENT)
        hook("before_registration", "before_update", "before_sign_in", "after_sign_in")
        with database_calls() as with_functions:
            accounts.update(register("eve"), {"full_name": "Eve"})
            sign_in.sign_in("eve", PASSWORD, CLIENT)

        assert with_functions == without

    def test_no_thread(self, register, sign_in):
        """Without functions no thread is started."""
        register("ada")
        sign_in.sign_in("ada", PASSWORD, CLIENT)

        assert sign_in._hooks._calls._idle == 0

    def test_log(self, register, caplog):
        """Without functions nothing is logged."""
        caplog.set_level(logging.DEBUG, "roster.hooks")
        register("ada")

        assert [record for record in caplog.records if record.name == "roster.hooks"] == []
