"""Signing in, the session of a token, ending sessions."""

from datetime import UTC, datetime, timedelta

import pytest
from passlib.hash import bcrypt

from models import Actor, Client, Lifetimes
from models.errors import InvalidCredentials, SessionNotFound, Unauthenticated, UserNotFound
from models.tables.audit_event import AuditEvent
from models.tables.session import Session
from models.tables.user import User
from tests.support.person import CLIENT, PASSWORD


@pytest.fixture
def opened(sign_in, ada):
    """A session of ada's and its token."""
    session, token, _, _ = sign_in.sign_in("ada", PASSWORD, CLIENT)
    return session, token


class TestOpen:
    @pytest.mark.parametrize("login", ["ada", "ADA", "ada@example.com", "ADA@EXAMPLE.COM"])
    def test_login(self, sign_in, ada, login):
        """User name and address both sign in, whatever their case."""
        session, token, user, _ = sign_in.sign_in(login, PASSWORD, CLIENT)

        assert user.id == ada.id
        assert sign_in.authenticate(token).session.id == session.id

    @pytest.mark.parametrize(
        ("login", "password"),
        [("ada", "wrong"), ("nobody", PASSWORD), ("", ""), ("ada\0", PASSWORD)],
    )
    def test_refused(self, sign_in, ada, login, password):
        """An unknown login and a wrong password are refused in the same words."""
        with pytest.raises(InvalidCredentials, match=r"^The login or the password is wrong\.$"):
            sign_in.sign_in(login, password, CLIENT)

        assert list(Session.scan()) == []

    def test_suspended(self, sign_in, accounts, ada):
        """The right password of a suspended user is refused like a wrong one."""
        accounts.update(ada, {"status": "suspended"})

        with pytest.raises(InvalidCredentials, match=r"^The login or the password is wrong\.$"):
            sign_in.sign_in("ada", PASSWORD, CLIENT)

    def test_token_is_not_stored(self, opened):
        """The table holds a digest; the token is nowhere in it (ASVS 16.2.5)."""
        session, token = opened

        assert token not in str([row.attribute_values for row in Session.scan()])
        assert token not in repr(session)

    def test_two_tokens(self, sign_in, ada):
        """Every sign-in has a token of its own with at least 128 random bits (ASVS 7.2.3)."""
        first, second = (sign_in.sign_in("ada", PASSWORD, CLIENT)[1] for _ in range(2))

        assert first[:24] == second[:24]
        assert len(first) - len("rst_") == 54
        assert first[27:] != second[27:]

    def test_event(self, opened, ada):
        """The event tells who signed in from where."""
        *_, event = AuditEvent.query(ada.id)

        assert (event.type, event.actor_id, event.ip) == ("session.opened", ada.id, "192.0.2.1")

    def test_version_stays(self, accounts, opened, ada):
        """A sign-in is no edit: it notes the time and leaves the version alone."""
        user = accounts.get(ada.id)

        assert user.version == 1
        assert user.last_login_at is not None

    def test_old_hash(self, sign_in, accounts, ada):
        """A bcrypt hash signs in and is replaced by an argon2id hash in the same step."""
        ada.update([User.password_hash.set(bcrypt.using(rounds=4).hash(PASSWORD))])

        sign_in.sign_in("ada", PASSWORD, CLIENT)

        assert accounts.get(ada.id).password_hash.startswith("$argon2id$")
        assert sign_in.sign_in("ada", PASSWORD, CLIENT)

    def test_long_user_agent(self, sign_in, ada):
        """An endless user agent is cut."""
        session, _, _, _ = sign_in.sign_in("ada", PASSWORD, Client(None, "x" * 5000))

        assert len(session.user_agent) == 400


class TestFind:
    @pytest.mark.parametrize(
        "damage",
        [
            lambda token: token[:-2] + ("AA" if token[-2:] != "AA" else "BB"),
            lambda token: token[:-1],
            lambda token: token + "A",
            lambda token: token.replace("rst_", "rsk_"),
            lambda token: token.removeprefix("rst_"),
            lambda token: "rst_" + "A" * 54,
            lambda token: "rst_" + "!" * 54,
            lambda token: token + "\u00e9",
            lambda token: "",
        ],
    )
    def test_damaged_token(self, sign_in, opened, damage):
        """A token with any difference is invalid."""
        with pytest.raises(Unauthenticated):
            sign_in.authenticate(damage(opened[1]))

    def test_other_user(self, sign_in, opened, register):
        """A second user comes along in the same round trip."""
        bob = register("bob")

        assert sign_in.authenticate(opened[1], other_user_id=bob.id).other.username == "bob"

    def test_other_user_is_the_same(self, sign_in, opened, ada):
        """Asking for oneself is no second read."""
        assert sign_in.authenticate(opened[1], other_user_id=ada.id).other.id == ada.id

    def test_idle_too_long(self, sign_in, opened):
        """A session that was not used in time is dead, whether its row is there or not."""
        past = datetime.now(UTC) - timedelta(seconds=1)
        opened[0].update([Session.expires_at.set(past)])

        with pytest.raises(Unauthenticated):
            sign_in.authenticate(opened[1])

    def test_absolute_end(self, make_sign_in, ada):
        """However much it is used, a session ends (ASVS 7.3.2)."""
        brief = make_sign_in(Lifetimes(timedelta(days=7), timedelta(seconds=0)))
        _, token, _, _ = brief.sign_in("ada", PASSWORD, CLIENT)

        with pytest.raises(Unauthenticated):
            brief.authenticate(token)

    def test_use_prolongs(self, sign_in, opened):
        """Use moves the end, but not past the absolute one, and is noted in the row."""
        long_ago = datetime.now(UTC) - timedelta(days=6)
        opened[0].update([Session.last_used_at.set(long_ago)])

        sign_in.authenticate(opened[1])

        (row,) = Session.query(opened[0].user_id)
        assert row.last_used_at > long_ago + timedelta(days=5)
        assert row.expires_at <= row.ends_at

    def test_use_is_noted_seldom(self, sign_in, opened):
        """A read is a read: a use a moment after the last one writes nothing."""
        sign_in.authenticate(opened[1])

        (row,) = Session.query(opened[0].user_id)
        assert row.last_used_at == opened[0].last_used_at

    def test_ended_while_noted(self, sign_in, opened):
        """Noting the use of a session that was just ended does not bring it back."""
        opened[0].update([Session.last_used_at.set(datetime.now(UTC) - timedelta(days=6))])
        (stale,) = Session.query(opened[0].user_id)
        stale.delete()

        with pytest.raises(Unauthenticated):
            stale.touch(Lifetimes())

        assert list(Session.scan()) == []


class TestEnd:
    def test_one(self, sign_in, opened, ada):
        """The ended session is dead, the other one lives."""
        _, other, _, _ = sign_in.sign_in("ada", PASSWORD, CLIENT)

        sign_in.end(ada, opened[0].id, by=Actor(ada.id))

        with pytest.raises(Unauthenticated):
            sign_in.authenticate(opened[1])
        assert sign_in.authenticate(other)

    @pytest.mark.parametrize("id", ["", "current", "x" * 5000, "0" * 64])
    def test_unknown(self, sign_in, ada, id):
        """An id that is none of this user's sessions is not found."""
        with pytest.raises(SessionNotFound):
            sign_in.end(ada, id, by=Actor())

    def test_session_of_another_user(self, sign_in, opened, register):
        """A user cannot end another user's session by its ID (ASVS 8.2.2)."""
        with pytest.raises(SessionNotFound):
            sign_in.end(register("eve"), opened[0].id, by=Actor())

        assert sign_in.authenticate(opened[1])

    def test_all(self, sign_in, opened, ada):
        """All sessions die in one write, and their rows are swept."""
        sign_in.end_all(ada, by=Actor(ada.id))

        with pytest.raises(Unauthenticated):
            sign_in.authenticate(opened[1])
        assert list(Session.scan()) == []

    def test_all_of_a_deleted_user(self, sign_in, accounts, ada):
        """Ending the sessions of a user who is gone brings no part of it back."""
        accounts.delete(ada)

        with pytest.raises(UserNotFound):
            sign_in.end_all(ada, by=Actor())

        assert list(User.scan()) == []

    def test_all_of_oneself_deleted(self, sign_in, accounts, ada):
        """A user who is deleted while ending all sessions has no valid session."""
        accounts.delete(ada)

        with pytest.raises(Unauthenticated):
            sign_in.end_all(ada, by=Actor(ada.id))

    def test_dead_ones_are_not_listed(self, sign_in, opened, ada, accounts):
        """A row that only waits to be removed is no session."""
        opened[0].update([Session.expires_at.set(datetime.now(UTC))])

        assert sign_in.list_for(accounts.get(ada.id)) == []
