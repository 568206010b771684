"""Forgotten passwords: a token that came out of the mail sets a new one."""

from datetime import timedelta
from functools import partial

import pytest

from models import Actor, ApiKeys, EmailKind, OpenedSession, User
from models.clock import now
from models.errors import (
    InvalidCredentials,
    InvalidToken,
    SecondFactorCodeRequired,
    Unauthenticated,
    WeakPassword,
)
from models.tables.audit_event import AuditEvent
from models.tables.one_time_token import OneTimeToken
from models.tables.session import Session
from tests.support.authenticator import Authenticator, Clock
from tests.support.metadata import add_key
from tests.support.person import CLIENT, NEW_PASSWORD, PASSWORD

OTHER_PASSWORD = "one more bridge made of wood"
WEAK = "example.com example.com"
SOMEBODY = Actor(ip="192.0.2.7")
ROUNDS = range(10)


@pytest.fixture
def reset_token(credentials, ada, mailbox):
    """A token that ada was just mailed; the mailbox is empty again."""
    credentials.request_reset(ada.email, by=SOMEBODY)
    token = mailbox.pop().token
    assert mailbox == []
    return token


@pytest.fixture
def verified(ada):
    """The address of ada is verified."""
    ada.update([User.email_verified.set(True)])


def kinds(mails):
    return [mail.kind for mail in mails]


def events_of(user):
    """The types of a user's events in the order they happened."""
    return [event.type for event in AuditEvent.query(user.id)]


class TestFinishReset:
    def test_new_password(self, credentials, reset_token, sign_in):
        """The new password signs in, the old one does not."""
        credentials.reset_password(reset_token, NEW_PASSWORD)

        assert sign_in.sign_in("ada", NEW_PASSWORD, CLIENT)
        with pytest.raises(InvalidCredentials):
            sign_in.sign_in("ada", PASSWORD, CLIENT)

    def test_token_is_gone(self, credentials, reset_token, ada):
        """ASVS 6.5.1: the token is deleted."""
        credentials.reset_password(reset_token, NEW_PASSWORD)

        assert list(OneTimeToken.query(ada.id)) == []

    def test_sessions(self, credentials, reset_token, ada, sign_in):
        """CVE-2023-40273: every session ends, and its row is swept away."""
        tokens = [sign_in.sign_in("ada", PASSWORD, CLIENT)[1] for _ in range(3)]
        credentials.reset_password(reset_token, NEW_PASSWORD)

        for token in tokens:
            with pytest.raises(Unauthenticated):
                sign_in.authenticate(token)
        assert list(Session.query(ada.id)) == []

    def test_api_keys(self, credentials, reset_token, verified, ada, mailbox):
        """API keys stay valid, as they do after a change of password."""
        keys = ApiKeys(mailbox)
        _, key = keys.create(ada, "nightly", ["user"], timedelta(days=1), Actor(ada.id))
        credentials.reset_password(reset_token, NEW_PASSWORD)

        assert keys.authenticate(key).user.id == ada.id

    def test_notice(self, credentials, reset_token, verified, mailbox):
        """ASVS 6.3.7: the stored address is notified without a token."""
        credentials.reset_password(reset_token, NEW_PASSWORD)

        (mail,) = mailbox
        assert (mail.kind, mail.to) == (EmailKind.PASSWORD_CHANGED, "ada@example.com")
        assert mail.token is None

    def test_event(self, credentials, reset_token, verified, ada):
        """The event tells from where, and has no trace of a sweep left to do."""
        credentials.reset_password(reset_token, NEW_PASSWORD, by=SOMEBODY)

        *_, event = AuditEvent.query(ada.id)
        assert (event.type, event.ip, event.pending_cleanup) == (
            "password.reset",
            "192.0.2.7",
            None,
        )

    def test_address_is_verified(self, credentials, reset_token, accounts, ada):
        """The token came out of the mailbox, which shows whose it is."""
        credentials.reset_password(reset_token, NEW_PASSWORD)

        assert accounts.get(ada.id).email_verified

    def test_without_a_password(self, credentials, ada, mailbox, sign_in):
        """A user without a password gets one."""
        ada.update([User.password_hash.remove()])
        credentials.request_reset(ada.email, by=SOMEBODY)
        credentials.reset_password(mailbox[0].token, NEW_PASSWORD)

        assert sign_in.sign_in("ada", NEW_PASSWORD, CLIENT)

    def test_lock(self, credentials, reset_token, lock, sign_in):
        """ASVS 6.1.1: a password reset ends a lockout immediately."""
        lock("ada")
        credentials.reset_password(reset_token, NEW_PASSWORD)

        assert sign_in.sign_in("ada", NEW_PASSWORD, CLIENT)

    def test_second_factor(self, credentials, verified, mailbox, second_factors, ada, sign_in):
        """ASVS 6.4.3: a reset does not get around the second factor."""
        secret = second_factors.enroll(ada, Actor(ada.id)).secret
        phone = Authenticator(secret, Clock(now().timestamp()))
        second_factors.confirm(ada, phone.code(), Actor(ada.id))
        mailbox.clear()
        credentials.request_reset(ada.email, by=SOMEBODY)
        credentials.reset_password(mailbox.pop().token, NEW_PASSWORD)

        with pytest.raises(SecondFactorCodeRequired):
            sign_in.sign_in("ada", NEW_PASSWORD, CLIENT)
        assert User.get(ada.id).has_second_factor
        assert sign_in.sign_in("ada", NEW_PASSWORD, CLIENT, otp=phone.code(1))

    def test_second_factor_enabled_afterwards(
        self, credentials, reset_token, second_factors, ada, sign_in
    ):
        """A token from before the second factor was enabled is void, as every session is."""
        secret = second_factors.enroll(ada, Actor(ada.id)).secret
        phone = Authenticator(secret, Clock(now().timestamp()))
        second_factors.confirm(ada, phone.code(), Actor(ada.id))

        with pytest.raises(InvalidToken):
            credentials.reset_password(reset_token, NEW_PASSWORD)

    def test_weak(self, credentials, reset_token, ada, sign_in, mailbox):
        """A weak password is refused, and the token can be used with a better one."""
        for weak in ("short", WEAK, "aaaaaaaaaaaaaaaaaaaa"):
            with pytest.raises(WeakPassword) as caught:
                credentials.reset_password(reset_token, weak)
            assert caught.value.field == "new_password"

        assert mailbox == []
        credentials.reset_password(reset_token, NEW_PASSWORD)
        assert sign_in.sign_in("ada", NEW_PASSWORD, CLIENT)

    def test_suspended_afterwards(self, credentials, reset_token, accounts, ada, sign_in):
        """GHSA-26c5-ppr8-f33p: a new password lets no suspended user in."""
        credentials.reset_password(reset_token, NEW_PASSWORD)
        accounts.update(ada, {"status": "suspended"})

        with pytest.raises(InvalidCredentials):
            sign_in.sign_in("ada", NEW_PASSWORD, CLIENT)


class TestVoid:
    """Tokens that are not expired, and of which none was used, but that are good for nothing."""

    @pytest.fixture
    def refused(self, credentials, reset_token, ada):
        """Sees to it that the token changes nothing."""

        def check():
            before = User.get(ada.id).serialize()
            with pytest.raises(InvalidToken):
                credentials.reset_password(reset_token, OTHER_PASSWORD)
            assert User.get(ada.id).serialize() == before

        return check

    def test_used(self, credentials, reset_token, refused):
        """ASVS 6.5.1: a token works once."""
        credentials.reset_password(reset_token, NEW_PASSWORD)

        refused()

    def test_expired(self, ada, refused):
        """ASVS 6.5.5: after ten minutes it is worth nothing."""
        (row,) = OneTimeToken.query(ada.id)
        assert row.expires_at - now() <= timedelta(minutes=10)
        row.update([OneTimeToken.expires_at.set(now())])

        refused()

    def test_password_was_changed(self, credentials, sign_in, refused):
        """A change of the password invalidates the token."""
        session, _, user, _ = sign_in.sign_in("ada", PASSWORD, CLIENT)
        credentials.change_password(
            user, current_password=PASSWORD, new_password=NEW_PASSWORD, session=session
        )

        refused()

    def test_another_reset(self, credentials, ada, mailbox, refused):
        """Of several tokens the first that is used makes the others void."""
        credentials.request_reset(ada.email, by=SOMEBODY)
        credentials.reset_password(mailbox.pop().token, NEW_PASSWORD)

        refused()

    def test_address_was_changed(self, accounts, ada, refused):
        """A change of the email address invalidates the token."""
        accounts.update(ada, {"email": "new@example.com"})

        refused()

    def test_suspended(self, accounts, ada, refused):
        """A suspended user sets no password."""
        accounts.update(ada, {"status": "suspended"})

        refused()

    def test_suspended_before(self, credentials, accounts, ada, mailbox):
        """GHSA-26c5-ppr8-f33p: nor with a token that an admin had mailed after the suspension."""
        suspended = accounts.update(ada, {"status": "suspended"})
        credentials.send_reset(suspended, by=Actor("an admin"))

        with pytest.raises(InvalidToken):
            credentials.reset_password(mailbox[-1].token, NEW_PASSWORD)
        assert User.get(ada.id).password_hash == ada.password_hash

    def test_reactivated(self, accounts, ada, refused):
        """What was mailed before a suspension does not come back after it."""
        suspended = accounts.update(ada, {"status": "suspended"})
        accounts.update(suspended, {"status": "active"})

        refused()

    def test_signed_out_everywhere(self, sign_in, ada, refused):
        """Ending all sessions invalidates the token, too."""
        sign_in.end_all(ada, by=Actor(ada.id))

        refused()

    def test_other_purpose(self, credentials, confirmations, ada, mailbox):
        """ASVS 6.6.2: a token that confirms an address resets no password."""
        confirmations.request(ada.email, by=SOMEBODY)

        with pytest.raises(InvalidToken):
            credentials.reset_password(mailbox[0].token, NEW_PASSWORD)

    @pytest.mark.parametrize("token", ["", "rso_", "null", "0", "rso_" + "A" * 54])
    def test_no_token(self, credentials, ada, hashes, token):
        """CVE-2019-18818: what is no token changes nothing, and costs no hash (ASVS 15.2.2)."""
        hashes.clear()

        with pytest.raises(InvalidToken):
            credentials.reset_password(token, NEW_PASSWORD)

        assert hashes == []

    def test_deleted(self, credentials, reset_token, accounts, ada):
        """A token brings no deleted user back."""
        accounts.delete(ada)

        with pytest.raises(InvalidToken):
            credentials.reset_password(reset_token, NEW_PASSWORD)
        assert list(User.scan()) == []


class TestAtOnce:
    def test_one_token(self, run_concurrently, credentials, reset_token, verified, ada, mailbox):
        """ASVS 6.5.1, 15.4.2: of twenty who bring one token at the same moment one succeeds."""
        outcomes = run_concurrently(
            *[lambda: credentials.reset_password(reset_token, NEW_PASSWORD)] * 20
        )

        assert outcomes.count(None) == 1
        assert [type(each) for each in outcomes].count(InvalidToken) == 19
        assert User.get(ada.id).session_epoch == 2
        assert events_of(ada).count("password.reset") == 1
        assert kinds(mailbox) == [EmailKind.PASSWORD_CHANGED]

    @pytest.mark.parametrize("turn", ROUNDS)
    def test_two_tokens(self, run_concurrently, credentials, ada, mailbox, sign_in, turn):
        """Of two tokens that are used at the same moment one counts, and so does its password."""
        credentials.request_reset(ada.email, by=SOMEBODY)
        credentials.request_reset(ada.email, by=SOMEBODY)
        first, second = (mail.token for mail in mailbox)
        outcomes = run_concurrently(
            lambda: credentials.reset_password(first, NEW_PASSWORD),
            lambda: credentials.reset_password(second, OTHER_PASSWORD),
        )

        passwords = [NEW_PASSWORD, OTHER_PASSWORD]
        winner = outcomes.index(None)
        assert type(outcomes[1 - winner]) is InvalidToken
        assert sign_in.sign_in("ada", passwords[winner], CLIENT)
        with pytest.raises(InvalidCredentials):
            sign_in.sign_in("ada", passwords[1 - winner], CLIENT)

    @pytest.mark.parametrize("turn", ROUNDS)
    def test_old_password(
        self, run_concurrently, credentials, reset_token, ada, accounts, sign_in, turn
    ):
        """CVE-2023-40273: no session that the old password opened meanwhile lives afterwards."""
        done, *outcomes = run_concurrently(
            lambda: credentials.reset_password(reset_token, NEW_PASSWORD),
            *[lambda: sign_in.sign_in("ada", PASSWORD, CLIENT)] * 8,
        )

        assert done is None
        assert {type(each) for each in outcomes} <= {OpenedSession, InvalidCredentials}
        assert sign_in.list_for(accounts.get(ada.id)) == []

    def test_other_changes(
        self, run_concurrently, credentials, reset_token, accounts, ada, sign_in
    ):
        """A reset neither loses nor is hindered by changes to the user."""
        changes = [{"metadata": partial(add_key, n)} for n in range(5)]
        outcomes = run_concurrently(
            lambda: credentials.reset_password(reset_token, NEW_PASSWORD),
            *(lambda c=c: accounts.update(ada, c) for c in changes),
        )

        assert {type(each) for each in outcomes} == {type(None), User}
        assert accounts.get(ada.id).metadata == {f"key-{n}": n for n in range(5)}
        assert sign_in.sign_in("ada", NEW_PASSWORD, CLIENT)

    @pytest.mark.parametrize("turn", ROUNDS)
    def test_deleted(self, run_concurrently, credentials, reset_token, accounts, ada, turn):
        """A user who is deleted at the same moment is gone, and the token says no more than no."""
        deleted, outcome = run_concurrently(
            lambda: accounts.delete(ada),
            lambda: credentials.reset_password(reset_token, NEW_PASSWORD),
        )

        assert deleted is None
        assert type(outcome) in (type(None), InvalidToken)
        assert list(User.scan()) == []
        assert list(OneTimeToken.scan()) == []
