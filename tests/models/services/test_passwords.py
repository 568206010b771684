"""Password changes with the current password, and the end of lockouts."""

import pytest

from models import Actor, EmailKind, User
from models.errors import (
    TooManyAttempts,
    Unauthenticated,
    UserNotFound,
    WeakPassword,
    WrongPassword,
)
from models.tables.audit_event import AuditEvent
from models.tables.login_attempts import FREE_ATTEMPTS
from models.tables.session import Session
from tests.support.person import CLIENT, NEW_PASSWORD, PASSWORD

WRONG = "not the password at all"
WEAK = "example.com example.com"


class TestChangePassword:
    def test_other_sessions_end(self, credentials, ada, sign_in):
        """Every session ends but the one that asks (ASVS 7.4.3)."""
        _, elsewhere, _, _ = sign_in.sign_in("ada", PASSWORD, CLIENT)
        session, here, user, _ = sign_in.sign_in("ada", PASSWORD, CLIENT)

        credentials.change_password(
            user, current_password=PASSWORD, new_password=NEW_PASSWORD, session=session
        )

        assert sign_in.authenticate(here).user.id == ada.id
        with pytest.raises(Unauthenticated):
            sign_in.authenticate(elsewhere)
        assert [row.id for row in Session.query(ada.id)] == [session.id]

    def test_notice(self, credentials, ada, sign_in, mailbox):
        """ASVS 6.3.7: the user is notified by email, without a token."""
        session, _, user, _ = sign_in.sign_in("ada", PASSWORD, CLIENT)
        credentials.change_password(
            user, current_password=PASSWORD, new_password=NEW_PASSWORD, session=session
        )

        (mail,) = mailbox
        assert (mail.kind, mail.to) == (EmailKind.PASSWORD_CHANGED, "ada@example.com")
        assert mail.token is None

    def test_event(self, credentials, ada, sign_in):
        """The event tells who changed it, and from where."""
        session, _, user, _ = sign_in.sign_in("ada", PASSWORD, CLIENT)
        credentials.change_password(
            user,
            current_password=PASSWORD,
            new_password=NEW_PASSWORD,
            session=session,
            by=Actor(ada.id, "192.0.2.1"),
        )

        *_, event = AuditEvent.query(ada.id)
        assert (event.type, event.actor_id, event.ip) == ("password.changed", ada.id, "192.0.2.1")

    def test_wrong_current_password(self, credentials, ada, sign_in, mailbox):
        """Who cannot tell the current password changes nothing (ASVS 6.2.3)."""
        session, _, user, _ = sign_in.sign_in("ada", PASSWORD, CLIENT)

        with pytest.raises(WrongPassword):
            credentials.change_password(
                user, current_password=WRONG, new_password=NEW_PASSWORD, session=session
            )

        assert mailbox == []
        assert User.get(ada.id).session_epoch == 1
        assert sign_in.sign_in("ada", PASSWORD, CLIENT)

    def test_wrong_ones_count(self, credentials, ada, sign_in):
        """ASVS 6.3.1: attempts through a stolen session count like those of a sign-in."""
        session, _, user, _ = sign_in.sign_in("ada", PASSWORD, CLIENT)
        for _ in range(FREE_ATTEMPTS):
            with pytest.raises(WrongPassword):
                credentials.change_password(
                    user, current_password=WRONG, new_password=NEW_PASSWORD, session=session
                )

        for password in (PASSWORD, WRONG):
            with pytest.raises(TooManyAttempts):
                credentials.change_password(
                    user, current_password=password, new_password=NEW_PASSWORD, session=session
                )
        with pytest.raises(TooManyAttempts):
            sign_in.sign_in("ada", PASSWORD, CLIENT)

    def test_ends_the_count(self, credentials, ada, sign_in):
        """A correct password resets the attempts."""
        session, _, user, _ = sign_in.sign_in("ada", PASSWORD, CLIENT)
        with pytest.raises(WrongPassword):
            credentials.change_password(
                user, current_password=WRONG, new_password=NEW_PASSWORD, session=session
            )
        credentials.change_password(
            user, current_password=PASSWORD, new_password=NEW_PASSWORD, session=session
        )

        assert User.get(ada.id).failed_attempts is None

    def test_weak(self, credentials, ada, sign_in, hashes):
        """A weak password is refused before the current one is looked at, and costs no try."""
        session, _, user, _ = sign_in.sign_in("ada", PASSWORD, CLIENT)
        hashes.clear()

        with pytest.raises(WeakPassword) as caught:
            credentials.change_password(
                user,
                current_password=WRONG,
                new_password=WEAK,
                session=session,
            )

        assert caught.value.field == "new_password"
        assert hashes == []
        assert User.get(ada.id).failed_attempts is None

    def test_session_ended_meanwhile(self, credentials, ada, sign_in):
        """A session that was just ended cannot change the password any more."""
        session, _, user, _ = sign_in.sign_in("ada", PASSWORD, CLIENT)
        sign_in.end(user, session.id, by=Actor())

        with pytest.raises(Unauthenticated):
            credentials.change_password(
                user, current_password=PASSWORD, new_password=NEW_PASSWORD, session=session
            )

        assert sign_in.sign_in("ada", PASSWORD, CLIENT)

    def test_signed_out_everywhere_meanwhile(self, credentials, ada, sign_in):
        """ASVS 7.4.1: a session that has ended, but has its row still, does not come back."""
        session, token, user, _ = sign_in.sign_in("ada", PASSWORD, CLIENT)
        # The moment between the write that ends all sessions and the removal of their rows.
        ada.update([User.session_epoch.add(1)])

        with pytest.raises(Unauthenticated):
            credentials.change_password(
                user, current_password=PASSWORD, new_password=NEW_PASSWORD, session=session
            )

        with pytest.raises(Unauthenticated):
            sign_in.authenticate(token)
        assert sign_in.sign_in("ada", PASSWORD, CLIENT)

    def test_suspended_meanwhile(self, credentials, accounts, ada, sign_in):
        """ASVS 7.4.2: a suspension is no time to change a password in."""
        session, _, user, _ = sign_in.sign_in("ada", PASSWORD, CLIENT)
        accounts.update(user, {"status": "suspended"})
        Session(**session.attribute_values).save()

        with pytest.raises(Unauthenticated):
            credentials.change_password(
                user, current_password=PASSWORD, new_password=NEW_PASSWORD, session=session
            )

    def test_deleted_meanwhile(self, credentials, accounts, ada, sign_in):
        """Changing the password of a user who is gone brings no part of it back."""
        session, _, user, _ = sign_in.sign_in("ada", PASSWORD, CLIENT)
        accounts.delete(user)

        with pytest.raises(Unauthenticated):
            credentials.change_password(
                user, current_password=PASSWORD, new_password=NEW_PASSWORD, session=session
            )

        assert list(User.scan()) == []


class TestUnlock:
    def test_next_try(self, credentials, ada, lock, sign_in):
        """The next try is granted at once."""
        lock("ada")
        with pytest.raises(TooManyAttempts):
            sign_in.sign_in("ada", PASSWORD, CLIENT)

        credentials.unlock(ada, by=Actor("an admin"))

        assert sign_in.sign_in("ada", PASSWORD, CLIENT)

    def test_count_begins_anew(self, credentials, ada, lock, sign_in):
        """All free tries are there again, and no more than those."""
        lock("ada")
        credentials.unlock(ada, by=Actor("an admin"))
        lock("ada")

        with pytest.raises(TooManyAttempts):
            sign_in.sign_in("ada", PASSWORD, CLIENT)

    def test_event(self, credentials, ada):
        """The event tells which admin it was, and from where."""
        credentials.unlock(ada, by=Actor("an admin", "192.0.2.1"))

        *_, event = AuditEvent.query(ada.id)
        assert event.type == "user.unlocked"
        assert (event.actor_id, event.ip) == ("an admin", "192.0.2.1")

    def test_nothing_else(self, credentials, accounts, ada):
        """It is no edit: neither the version nor the epoch rises."""
        before = accounts.get(ada.id)
        credentials.unlock(ada, by=Actor("an admin"))

        assert accounts.get(ada.id).serialize() == before.serialize()

    def test_gone(self, credentials, accounts, ada):
        """Unlocking a user who is gone brings no part of it back."""
        accounts.delete(ada)

        with pytest.raises(UserNotFound):
            credentials.unlock(ada, by=Actor("an admin"))

        assert list(User.scan()) == []
