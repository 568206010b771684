"""An address is its user's when the token that was mailed to it has come back."""

from functools import partial

import pytest

from models import (
    AccountEmails,
    Accounts,
    Actor,
    EmailKind,
    EmailVerification,
    LoginLookup,
    NoMailer,
    User,
)
from models.clock import now
from models.errors import (
    EmailNotConfigured,
    EmailTaken,
    IncorrectPassword,
    InvalidCredentials,
    InvalidToken,
    Unauthenticated,
    UsernameTaken,
)
from models.tables.audit_event import AuditEvent
from models.tables.login_attempts import Attempts
from models.tables.one_time_token import OneTimeToken
from tests.support.invariants import audited_users
from tests.support.metadata import add_key
from tests.support.person import CLIENT, PASSWORD

SOMEBODY = Actor(ip="192.0.2.7")
ROUNDS = range(10)


@pytest.fixture
def token(confirmations, ada, mailbox):
    """A token for the address that ada has; the mailbox is empty again."""
    confirmations.request(ada.email, by=SOMEBODY)
    return mailbox.pop().token


def events_of(user):
    """The types of a user's events in the order they happened."""
    return [event.type for event in AuditEvent.query(user.id)]


class TestStart:
    @pytest.mark.parametrize("email", ["ada@example.com", "ADA@example.com", "ada@EXAMPLE.com"])
    def test_stored_address(self, confirmations, ada, mailbox, email):
        """CVE-2019-19844: the mail goes to the address as it is stored, not as it was asked for."""
        confirmations.request(email, by=SOMEBODY)

        (mail,) = mailbox
        assert (mail.kind, mail.to) == (EmailKind.VERIFY_EMAIL, "ada@example.com")
        assert (mail.username, mail.minutes) == ("ada", 24 * 60)
        assert events_of(ada)[-1] == "email-verification.requested"

    @pytest.mark.parametrize(
        "email",
        [
            "m\u0131ke.s@example.com",
            "mike.\u017f@example.com",
            "mi\u212ae.s@example.com",
            "mike.s",
            "mike.s@example.com,eve@evil.example",
            "nobody@example.com",
            "",
        ],
    )
    def test_other_addresses(self, confirmations, register, mailbox, email):
        """CVE-2019-19844: an address that merely looks like mike's leads to no mail at all."""
        register("mike.s")
        confirmations.request(email, by=SOMEBODY)

        assert mailbox == []

    def test_confirmed_already(self, confirmations, ada, token, mailbox):
        """A verified address gets no further email."""
        confirmations.confirm(token, password=PASSWORD, by=SOMEBODY)
        confirmations.request(ada.email, by=SOMEBODY)

        assert mailbox == []

    def test_suspended(self, confirmations, accounts, ada, mailbox):
        """A suspended user is not mailed."""
        accounts.update(ada, {"status": "suspended"})
        mailbox.clear()
        confirmations.request(ada.email, by=SOMEBODY)

        assert mailbox == []

    def test_twenty_at_once(self, run_concurrently, confirmations, ada, mailbox):
        """However many ask at the same moment, one account gets five mails an hour."""
        run_concurrently(*[lambda: confirmations.request(ada.email, by=SOMEBODY)] * 20)

        assert len(mailbox) == 5

    @pytest.mark.parametrize("email", ["ada@example.com", "nobody@example.com"])
    def test_no_mailer(self, hasher, ada, email):
        """Without a mail server every request is rejected."""
        confirmations = EmailVerification(AccountEmails(NoMailer(), LoginLookup()), hasher)

        with pytest.raises(EmailNotConfigured):
            confirmations.request(email, by=SOMEBODY)

    def test_prepared(self, confirmations, ada):
        """ASVS 16.2.5: what is about to be mailed can be printed without harm."""
        prepared = confirmations.make_email(ada, ada.email)

        assert prepared.email.token not in repr(prepared)
        assert prepared.row.token_digest not in repr(prepared)
        assert ada.email not in repr(prepared)


class TestFinish:
    def test_verified(self, confirmations, accounts, ada, token, mailbox):
        """The address is known to be the user's, and there is nothing to tell by mail."""
        confirmations.confirm(token, password=PASSWORD, by=SOMEBODY)

        *_, event = AuditEvent.query(ada.id)
        after = accounts.get(ada.id)
        assert (after.email, after.email_verified) == ("ada@example.com", True)
        assert (event.type, event.actor_id, event.ip) == ("email.verified", None, "192.0.2.7")
        assert mailbox == []

    def test_nothing_else(self, confirmations, accounts, ada, token, sign_in):
        """Verification creates and ends no session."""
        _, session_token, _, _ = sign_in.sign_in("ada", PASSWORD, CLIENT)
        confirmations.confirm(token, password=PASSWORD, by=SOMEBODY)

        assert sign_in.authenticate(session_token)
        assert accounts.get(ada.id).session_epoch == 1

    def test_twice(self, confirmations, accounts, ada, token):
        """ASVS 6.5.1: a token works once; the second use succeeds and changes nothing."""
        confirmations.confirm(token, password=PASSWORD, by=SOMEBODY)
        version = accounts.get(ada.id).version
        confirmations.confirm(token, password=PASSWORD, by=SOMEBODY)

        assert accounts.get(ada.id).version == version
        assert events_of(ada).count("email.verified") == 1

    def test_twice_for_a_new_address(self, confirmations, accounts, ada, mailbox):
        """The old address is notified of its replacement once."""
        accounts.update(ada, {"email": "new@example.com"}, confirms_email=True)
        token = mailbox[0].token
        mailbox.clear()
        confirmations.confirm(token, password=PASSWORD, by=SOMEBODY)
        confirmations.confirm(token, password=PASSWORD, by=SOMEBODY)

        assert accounts.get(ada.id).email == "new@example.com"
        assert [mail.kind for mail in mailbox] == [EmailKind.EMAIL_CHANGED]

    def test_twice_with_a_wrong_password(self, confirmations, token):
        """A used token says nothing to a caller who does not prove the account."""
        confirmations.confirm(token, password=PASSWORD, by=SOMEBODY)

        with pytest.raises(IncorrectPassword):
            confirmations.confirm(token, password="wrong", by=SOMEBODY)
        with pytest.raises(Unauthenticated):
            confirmations.confirm(token, by=SOMEBODY)

    def test_repetitions_do_not_add_up(self, confirmations, ada, token):
        """Successful repetitions leave no count of attempts behind."""
        for _ in range(20):
            confirmations.confirm(token, password=PASSWORD, by=SOMEBODY)

        assert list(Attempts.query(f"mailbox#{ada.id}")) == []

    def test_used_before_another_address(self, confirmations, accounts, ada, token):
        """A used token is worth nothing once the user has another address."""
        confirmations.confirm(token, password=PASSWORD, by=SOMEBODY)
        accounts.update(accounts.get(ada.id), {"email": "new@example.com"})

        with pytest.raises(InvalidToken):
            confirmations.confirm(token, password=PASSWORD, by=SOMEBODY)
        assert not accounts.get(ada.id).email_verified

    def test_used_before_the_address_came_back(self, confirmations, accounts, ada, token):
        """A used token does not verify its address again after an administrator's changes."""
        confirmations.confirm(token, password=PASSWORD, by=SOMEBODY)
        accounts.update(accounts.get(ada.id), {"email": "new@example.com"})
        accounts.update(accounts.get(ada.id), {"email": "ada@example.com"})

        with pytest.raises(InvalidToken):
            confirmations.confirm(token, password=PASSWORD, by=SOMEBODY)
        assert not accounts.get(ada.id).email_verified

    def test_twenty_at_once(self, run_concurrently, confirmations, ada, token):
        """ASVS 6.5.1, 15.4.2: twenty concurrent requests succeed and have one effect."""
        outcomes = run_concurrently(
            *[lambda: confirmations.confirm(token, password=PASSWORD, by=SOMEBODY)] * 20
        )

        assert outcomes == [None] * 20
        assert events_of(ada).count("email.verified") == 1

    def test_expired(self, confirmations, accounts, ada, token):
        """After its time it is worth nothing, whether its row is still there or not."""
        (row,) = OneTimeToken.query(ada.id)
        row.update([OneTimeToken.expires_at.set(now())])

        with pytest.raises(InvalidToken):
            confirmations.confirm(token, password=PASSWORD, by=SOMEBODY)
        assert not accounts.get(ada.id).email_verified

    def test_other_purpose(self, confirmations, credentials, accounts, ada, mailbox):
        """ASVS 6.6.2: a token that resets a password confirms no address."""
        credentials.request_reset(ada.email, by=SOMEBODY)

        with pytest.raises(InvalidToken):
            confirmations.confirm(mailbox[0].token, password=PASSWORD, by=SOMEBODY)
        assert not accounts.get(ada.id).email_verified

    def test_address_was_changed(self, confirmations, accounts, ada, token):
        """A token confirms the address that it was mailed to and no other."""
        accounts.update(ada, {"email": "new@example.com"})

        with pytest.raises(InvalidToken):
            confirmations.confirm(token, password=PASSWORD, by=SOMEBODY)
        assert not accounts.get(ada.id).email_verified

    def test_suspended(self, confirmations, accounts, ada, token):
        """A suspended user confirms nothing."""
        accounts.update(ada, {"status": "suspended"})

        with pytest.raises(InvalidToken):
            confirmations.confirm(token, password=PASSWORD, by=SOMEBODY)

    @pytest.mark.parametrize("turn", ROUNDS)
    def test_deleted(self, run_concurrently, confirmations, accounts, ada, token, turn):
        """A user who is deleted at the same moment is gone, and the token says no more than no."""
        deleted, outcome = run_concurrently(
            lambda: accounts.delete(ada),
            lambda: confirmations.confirm(token, password=PASSWORD, by=SOMEBODY),
        )

        assert deleted is None
        assert type(outcome) in (type(None), InvalidToken)
        assert audited_users() == []

    def test_other_changes(self, run_concurrently, confirmations, accounts, ada, token):
        """Confirming neither loses nor is hindered by changes to the user."""
        changes = [{"metadata": partial(add_key, n)} for n in range(5)]
        outcomes = run_concurrently(
            lambda: confirmations.confirm(token, password=PASSWORD, by=SOMEBODY),
            *(lambda c=c: accounts.update(ada, c) for c in changes),
        )

        after = accounts.get(ada.id)
        assert {type(each) for each in outcomes} == {type(None), User}
        assert after.email_verified
        assert after.metadata == {f"key-{n}": n for n in range(5)}


class TestNewUsers:
    @pytest.fixture
    def strict(self, context, hasher, policy, confirmations):
        """Accounts with email verification at sign-up."""
        return Accounts(hasher, policy, confirmations, verifies_new_users=True)

    @pytest.fixture
    def strict_sign_in(self, make_sign_in):
        return make_sign_in(requires_verified_email=True)

    def test_mail(self, strict, mailbox):
        """A sign-up sends a token, which is stored with the user."""
        ada = strict.register(username="ada", email="ada@example.com", password=PASSWORD)

        (mail,) = mailbox
        assert (mail.kind, mail.to) == (EmailKind.VERIFY_EMAIL, "ada@example.com")
        assert len(list(OneTimeToken.query(ada.id))) == 1

    def test_sign_in(self, strict, strict_sign_in, confirmations, mailbox):
        """Without verification a sign-in fails, with the same error (ASVS 6.3.8)."""
        strict.register(username="ada", email="ada@example.com", password=PASSWORD)
        refusals = []
        for login, password in (("ada", PASSWORD), ("ada", "wrong"), ("nobody", PASSWORD)):
            with pytest.raises(InvalidCredentials) as caught:
                strict_sign_in.sign_in(login, password, CLIENT)
            refusals.append((type(caught.value), str(caught.value)))
        confirmations.confirm(mailbox[0].token, password=PASSWORD, by=SOMEBODY)

        assert len(set(refusals)) == 1
        assert strict_sign_in.sign_in("ada", PASSWORD, CLIENT)

    def test_by_a_reset(self, strict, strict_sign_in, credentials, mailbox):
        """A password reset verifies the email address, too."""
        strict.register(username="ada", email="ada@example.com", password=PASSWORD)
        credentials.request_reset("ada@example.com", by=SOMEBODY)
        credentials.reset_password(mailbox[-1].token, "a stone bridge over the river")

        assert strict_sign_in.sign_in("ada", "a stone bridge over the river", CLIENT)

    def test_refused(self, strict, mailbox):
        """A rejected sign-up stores no token and sends no email."""
        strict.register(username="ada", email="ada@example.com", password=PASSWORD)
        mailbox.clear()

        with pytest.raises(UsernameTaken):
            strict.register(username="ada", email="eve@example.com", password=PASSWORD)
        with pytest.raises(EmailTaken):
            strict.register(username="eve", email="ADA@example.com", password=PASSWORD)

        assert mailbox == []
        assert len(list(OneTimeToken.scan())) == 1

    def test_suspended(self, strict, mailbox):
        """Who is made a suspended user is not mailed yet."""
        strict.register(
            username="ada", email="ada@example.com", password=PASSWORD, status="suspended"
        )

        assert mailbox == []

    def test_not_required(self, register, mailbox):
        """Without required verification a sign-up sends no email."""
        register("ada")

        assert mailbox == []

    def test_no_mailer(self, context, hasher, policy):
        """Where no mail can be sent signing up works all the same."""
        accounts = Accounts(
            hasher,
            policy,
            EmailVerification(AccountEmails(NoMailer(), LoginLookup()), hasher),
            verifies_new_users=True,
        )

        assert accounts.register(username="ada", email="ada@example.com", password=PASSWORD)
        assert list(OneTimeToken.scan()) == []
