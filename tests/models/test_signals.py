"""Signals for apps that embed Roster: sent after the commit, and harmless."""

import pytest

from models import Actor
from models.errors import EmailTaken, InvalidCredentials
from roster import signals
from tests.support.person import CLIENT, PASSWORD

ALL = ("user_registered", "user_updated", "user_deleted", "session_opened")


@pytest.fixture
def received():
    """Return a list of the names and values of all signals."""
    found = []
    receivers = {
        name: (lambda sender, name=name, **values: found.append((name, values))) for name in ALL
    }
    for name, receiver in receivers.items():
        getattr(signals, name).connect(receiver)
    yield found
    for name, receiver in receivers.items():
        getattr(signals, name).disconnect(receiver)


@pytest.fixture
def connect():
    """Return a function that connects a receiver for the test."""
    connected = []

    def until_the_end(signal, receiver):
        signal.connect(receiver)
        connected.append((signal, receiver))

    yield until_the_end
    for signal, receiver in connected:
        signal.disconnect(receiver)


class TestSignals:
    def test_life_of_a_user(self, accounts, sign_in, register, received):
        """Each change sends its signal, with an immutable copy of the user and the caller."""
        user = register("ada", by=Actor("crm"))
        user = accounts.update(user, {"full_name": "Ada"}, by=Actor("john"))
        sign_in.sign_in("ada", PASSWORD, CLIENT)
        accounts.delete(accounts.get(user.id), by=Actor("jane"))
        values = [next(iter(each.values())) for _, each in received]

        assert [name for name, _ in received] == [
            "user_registered",
            "user_updated",
            "session_opened",
            "user_deleted",
        ]
        assert [each.caller.user_id for each in values] == ["crm", "john", user.id, "jane"]
        assert values[1].changed_fields == ("full_name",)
        assert values[3].user.id == user.id

    def test_after_the_commit(self, accounts, register, connect):
        """When a receiver is called, the change can be read."""
        found = []
        connect(
            signals.user_registered,
            lambda sender, registration: found.append(accounts.get(registration.user.id)),
        )
        user = register("ada")

        assert [each.id for each in found] == [user.id]

    def test_failed_changes(self, register, sign_in, received):
        """What fails sends no signal."""
        register("ada")
        received.clear()
        with pytest.raises(EmailTaken):
            register("eve", email="ada@example.com")
        with pytest.raises(InvalidCredentials):
            sign_in.sign_in("ada", "not the password at all", CLIENT)

        assert received == []

    def test_nothing_changes(self, accounts, register, received):
        """An update that changes nothing sends no signal."""
        user = register("ada")
        received.clear()
        accounts.update(user, {"full_name": None})

        assert received == []

    def test_reauthentication(self, register, sign_in, received):
        """Reauthentication opens no session."""
        register("ada")
        opened = sign_in.sign_in("ada", PASSWORD, CLIENT)
        received.clear()
        sign_in.reauthenticate(opened.session, PASSWORD, CLIENT)

        assert received == []

    @pytest.mark.parametrize("error", [RuntimeError("a receiver of ours"), SystemExit(1)])
    def test_receiver_fails(self, register, connect, received, caplog, error):
        """An error of one receiver is logged; the others and the change do not notice."""

        def fail(sender, registration):
            raise error

        connect(signals.user_registered, fail)
        user = register("ada")

        assert user.username == "ada"
        assert [name for name, _ in received] == ["user_registered"]
        assert "signal user-registered: a receiver failed" in caplog.text

    def test_asynchronous_receiver(self, register, connect, caplog):
        """A receiver that is a coroutine function is not run, which is logged."""

        async def receive(sender, registration):
            raise AssertionError

        connect(signals.user_registered, receive)
        register("ada")

        assert "a receiver is asynchronous and was not run" in caplog.text
