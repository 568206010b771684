"""Forgotten passwords: a token is sent to the email address of the account."""

import logging

import pytest

from models import (
    AccountEmails,
    Actor,
    EmailKind,
    LoginLookup,
    NoMailer,
    PasswordService,
    User,
    db,
)
from models.clock import now
from models.errors import EmailNotConfigured, InvalidToken, TooManyRequests
from models.tables.audit_event import AuditEvent
from models.tables.one_time_token import OneTimeToken
from tests.support.person import CLIENT, NEW_PASSWORD, PASSWORD

SOMEBODY = Actor(ip="192.0.2.7")


def kinds(mails):
    return [mail.kind for mail in mails]


def events_of(user):
    """The types of a user's events in the order they happened."""
    return [event.type for event in AuditEvent.query(user.id)]


class TestStartReset:
    @pytest.mark.parametrize("email", ["ada@example.com", "ADA@example.com", "ada@EXAMPLE.com"])
    def test_stored_address(self, credentials, ada, mailbox, email):
        """CVE-2019-19844: the mail goes to the address as it is stored, not as it was asked for."""
        credentials.request_reset(email, by=SOMEBODY)

        (mail,) = mailbox
        assert (mail.kind, mail.to) == (EmailKind.RESET_PASSWORD, "ada@example.com")
        assert (mail.username, mail.minutes) == ("ada", 10)
        assert mail.token.startswith("rso_")

    @pytest.mark.parametrize(
        "email",
        [
            "m\u0131ke.s@example.com",
            "m\u0130ke.s@example.com",
            "mike.\u017f@example.com",
            "mi\u212ae.s@example.com",
            "MI\u212aE.S@EXAMPLE.COM",
            "mi\u043ae.s@example.com",
            "mike.s@example.com@evil.example",
            "mike.s@example.com,eve@evil.example",
            "mike.s@example.com\r\nbcc: eve@evil.example",
            "",
        ],
    )
    def test_lookalikes(self, credentials, register, mailbox, email):
        """CVE-2019-19844: an address that merely looks like mike's leads to no mail at all."""
        register("mike.s")
        credentials.request_reset(email, by=SOMEBODY)

        assert mailbox == []

    def test_lookalike_of_its_own(self, credentials, register, mailbox):
        """CVE-2019-19844: an email for a similar address goes to the stored address."""
        register("mike")
        register("eve", email="mi\u043ae@example.com")
        credentials.request_reset("mi\u043ae@example.com", by=SOMEBODY)

        assert [(mail.username, mail.to) for mail in mailbox] == [("eve", "mi\u043ae@example.com")]

    def test_user_name(self, credentials, ada, mailbox):
        """A user name is no address: whether both are one person's cannot be found out by mails."""
        credentials.request_reset("ada", by=SOMEBODY)

        assert mailbox == []
        assert events_of(ada) == ["user.registered"]

    @pytest.mark.parametrize("name", ["ada", "nobody", "amy"])
    def test_equal_emails(self, credentials, register, ada, accounts, mailbox, name):
        """L3: one email is composed, of the same kind, with an account, without, and suspended."""
        accounts.update(register("amy"), {"status": "suspended"})
        mailbox.clear()
        credentials.request_reset(f"{name}@example.com", by=SOMEBODY)

        [email] = [*mailbox, *mailbox.decoys]
        assert email.kind is EmailKind.RESET_PASSWORD
        assert email.token.startswith("rso_")
        assert email.is_decoy is (name != "ada")

    def test_registered_again(self, credentials, register, accounts, mailbox):
        """M4: an account that is deleted and registered again has no new quota."""
        for number in range(4):
            amy = register(f"amy-{number}", email="amy@example.com")
            credentials.request_reset(amy.email, by=SOMEBODY)
            accounts.delete(amy)

        assert kinds(mailbox).count(EmailKind.RESET_PASSWORD) == 2

    def test_nobody(self, credentials, context, mailbox):
        """For an unknown address a token is stored that is not sent, and expires."""
        credentials.request_reset("nobody@example.com", by=SOMEBODY)

        (row,), (event,) = OneTimeToken.scan(), AuditEvent.scan()
        assert mailbox == []
        assert row.remove_at > now()
        assert event.remove_at > now()
        assert "nobody@example.com" not in str([row.serialize(), event.serialize()])

    def test_suspended(self, credentials, accounts, ada, mailbox):
        """A suspended user gets no token, and its address no other answer."""
        accounts.update(ada, {"status": "suspended"})
        mailbox.clear()
        credentials.request_reset(ada.email, by=SOMEBODY)

        assert mailbox == []
        assert [row.user_id for row in OneTimeToken.scan()] != [ada.id]

    def test_event(self, credentials, ada):
        """The event shows the request and its client."""
        credentials.request_reset(ada.email, by=SOMEBODY)

        *_, event = AuditEvent.query(ada.id)
        assert event.type == "password-reset.requested"
        assert (event.actor_id, event.ip) == (None, "192.0.2.7")

    def test_asking_changes_nothing(self, credentials, ada, sign_in):
        """ASVS 6.4.3: a request for an email ends no session and causes no lockout."""
        _, token, _, _ = sign_in.sign_in("ada", PASSWORD, CLIENT)
        credentials.request_reset(ada.email, by=SOMEBODY)

        assert sign_in.authenticate(token)
        assert sign_in.sign_in("ada", PASSWORD, CLIENT)

    def test_while_locked(self, credentials, ada, mailbox, lock):
        """ASVS 6.1.1: a reset can be requested during a lockout."""
        lock("ada")
        credentials.request_reset(ada.email, by=SOMEBODY)

        assert kinds(mailbox) == [EmailKind.ACCOUNT_LOCKED, EmailKind.RESET_PASSWORD]

    def test_two_emails_while_a_token_is_valid(self, credentials, ada, mailbox):
        """ASVS 6.3.1: an account gets two emails, for all clients and spellings."""
        for email in ("ada@example.com", "ADA@example.com", "Ada@Example.com"):
            credentials.request_reset(email, by=SOMEBODY)

        assert len(mailbox) == 2

    def test_each_kind_counts_apart(self, credentials, confirmations, ada, mailbox):
        """Asking for mails that are not sent takes none away that the user needs (ASVS 6.1.1)."""
        ada.update([User.email_verified.set(True)])
        for _ in range(6):
            confirmations.request(ada.email, by=SOMEBODY)
        credentials.request_reset(ada.email, by=SOMEBODY)

        assert kinds(mailbox) == [EmailKind.RESET_PASSWORD]

    def test_others_have_their_own(self, credentials, ada, register, mailbox):
        """The limit of one account does not affect another."""
        for _ in range(6):
            credentials.request_reset(ada.email, by=SOMEBODY)
        mailbox.clear()
        credentials.request_reset(register("eve").email, by=SOMEBODY)

        assert [mail.to for mail in mailbox] == ["eve@example.com"]

    def test_twenty_at_once(self, run_concurrently, credentials, ada, mailbox):
        """ASVS 15.4.2: asking for many at the same moment yields no more."""
        outcomes = run_concurrently(
            *[lambda: credentials.request_reset(ada.email, by=SOMEBODY)] * 20
        )

        assert outcomes == [None] * 20
        assert len(mailbox) == 2
        assert len({mail.token for mail in mailbox}) == 2

    @pytest.mark.parametrize("email", ["ada@example.com", "nobody@example.com", "nonsense"])
    def test_no_mailer(self, hasher, policy, sign_in, ada, email):
        """Without a mail server every request is rejected, and nothing is written."""
        credentials = PasswordService(
            hasher, policy, AccountEmails(NoMailer(), LoginLookup()), sign_in
        )

        with pytest.raises(EmailNotConfigured):
            credentials.request_reset(email, by=SOMEBODY)

        assert list(OneTimeToken.scan()) == []
        assert events_of(ada) == ["user.registered"]


class TestStartResetFor:
    def test_mail(self, credentials, ada, mailbox):
        """ASVS 6.4.6: an admin starts it, and the token goes to the user alone."""
        answer = credentials.send_reset(ada, by=Actor("an admin"))

        (mail,) = mailbox
        *_, event = AuditEvent.query(ada.id)
        assert answer is None
        assert (mail.kind, mail.to) == (EmailKind.RESET_PASSWORD, "ada@example.com")
        assert (event.type, event.actor_id) == ("password-reset.requested", "an admin")

    def test_token_works(self, credentials, ada, mailbox, sign_in):
        """The user chooses the password, as if it had asked itself."""
        credentials.send_reset(ada, by=Actor("an admin"))
        credentials.reset_password(mailbox[0].token, NEW_PASSWORD)

        assert sign_in.sign_in("ada", NEW_PASSWORD, CLIENT)

    def test_five_mails_an_hour(self, credentials, ada, mailbox):
        """The limit applies to admins too, with the time until the next email."""
        for _ in range(5):
            credentials.send_reset(ada, by=Actor("an admin"))

        with pytest.raises(TooManyRequests) as caught:
            credentials.send_reset(ada, by=Actor("an admin"))

        assert 1 <= caught.value.retry_after <= 3600
        assert len(mailbox) == 5
        assert len(list(OneTimeToken.query(ada.id))) == 5

    def test_no_mailer(self, hasher, policy, sign_in, ada):
        """Without a mail server an admin's request is rejected."""
        credentials = PasswordService(
            hasher, policy, AccountEmails(NoMailer(), LoginLookup()), sign_in
        )

        with pytest.raises(EmailNotConfigured):
            credentials.send_reset(ada, by=Actor("an admin"))

        assert list(OneTimeToken.scan()) == []


class TestSecrecy:
    def test_token_is_nowhere(self, credentials, ada, mailbox, caplog):
        """ASVS 16.2.5: the token is in the mail, and in no table, log, event or printed object."""
        caplog.set_level(logging.DEBUG)
        credentials.request_reset(ada.email, by=SOMEBODY)
        (mail,) = mailbox
        stored = str([row.serialize() for model in db.models for row in model.scan()])
        with pytest.raises(InvalidToken) as caught:
            credentials.reset_password(mail.token[:-1], NEW_PASSWORD)
        credentials.reset_password(mail.token, NEW_PASSWORD)
        stored += str([row.serialize() for model in db.models for row in model.scan()])

        told = [stored, caplog.text, repr(mailbox), repr(caught.value), str(caught.value)]
        secret = mail.token[26:-1]
        assert [text for text in told if secret in text or NEW_PASSWORD in text] == []
