"""Emails cannot be used as a weapon (M4): quotas, merging, and what an unverified address gets."""

from dataclasses import replace
from datetime import timedelta

import pytest

from models import REQUESTED, AccountMailer, Background, Email, EmailKind, User, db
from models.clock import now
from models.services.account_mailer import NOTICE_QUOTA
from models.tables import rate_window
from models.tables.rate_window import RateWindow

NOTICES = [kind for kind in EmailKind if kind not in REQUESTED]
PHISHING = "Payroll - your account is locked, confirm at https://evil.example/roster"


@pytest.fixture
def ada():
    return User("ada", username="ada", email="ada@example.com", email_verified=True)


@pytest.fixture
def mallory():
    """A user who has registered with the address of another person."""
    return User("mallory", username="evil.example", email="ada@example.com", email_verified=False)


@pytest.fixture
def mailer(context, mailbox, background):
    return AccountMailer(mailbox, background)


@pytest.fixture
def at(monkeypatch):
    """Return a function that sets the clock of the quotas to some hours from now."""
    started_at = now().replace(minute=30).timestamp()

    def set_hours(hours):
        moment = started_at + timedelta(hours=hours).total_seconds()
        monkeypatch.setattr(rate_window.time, "time", lambda: moment)

    set_hours(0)
    return set_hours


@pytest.fixture
def notify(mailer, background):
    """Return a function that sends one notice and waits until it is counted."""

    def send(user, kind=EmailKind.PASSWORD_CHANGED, **fields):
        mailer.send(Email.to_user(kind, user, **fields))
        assert background.drain(10)

    return send


class TestUnverifiedAddress:
    @pytest.mark.parametrize("kind", NOTICES)
    def test_no_notice(self, notify, mallory, mailbox, kind):
        """M4: an unverified address gets no notice of any kind."""
        notify(mallory, kind, detail=PHISHING)

        assert mailbox == []

    @pytest.mark.parametrize("kind", sorted(REQUESTED - {EmailKind.ADDRESS_IN_USE}))
    def test_no_chosen_text(self, mailer, mallory, mailbox, kind):
        """M4: emails with a token go there, without any text that the user chose."""
        mailer.send(Email.to_user(kind, mallory, token="rso_x", minutes=10, detail=PHISHING))

        [email] = mailbox
        assert (email.kind, email.token) == (kind, "rso_x")
        assert (email.username, email.detail) == ("", None)

    def test_address_in_use(self, mailer, mallory, mailbox):
        """M4: the notice that another user requests the address is composed and dropped."""
        mailer.send(Email.to_user(EmailKind.ADDRESS_IN_USE, mallory))

        assert mailbox == []
        assert [email.kind for email in mailbox.decoys] == [EmailKind.ADDRESS_IN_USE]

    def test_verified(self, notify, ada, mailbox):
        """A verified address gets notices with the username and the details."""
        notify(ada, EmailKind.API_KEY_CREATED, detail="nightly")

        assert mailbox == [Email.to_user(EmailKind.API_KEY_CREATED, ada, detail="nightly")]


class TestMerging:
    def test_burst(self, mailer, background, ada, mailbox):
        """M4: forty changes of a password within seconds are one email, which says so."""
        for _ in range(40):
            mailer.send(Email.to_user(EmailKind.PASSWORD_CHANGED, ada))
        assert background.drain(10)

        assert [(email.kind, email.count) for email in mailbox] == [
            (EmailKind.PASSWORD_CHANGED, 40)
        ]

    def test_quota(self, notify, ada, mailbox, at):
        """However many notices of one kind there are, an account gets five an hour."""
        for _ in range(NOTICE_QUOTA.quota + 3):
            notify(ada)

        assert [email.count for email in mailbox] == [1, 2, 3, 4, 5]

    def test_after_the_quota(self, notify, ada, mailbox, at):
        """The first notice of the next hour counts those that were not sent."""
        for _ in range(NOTICE_QUOTA.quota + 3):
            notify(ada)
        mailbox.clear()
        at(1)
        notify(ada)
        notify(ada)

        assert [(email.count, email.hours) for email in mailbox] == [(9, 2), (2, 1)]

    def test_within_the_quota(self, notify, ada, mailbox, at):
        """Notices that were sent are not counted again in the next hour."""
        notify(ada)
        at(1)
        notify(ada)

        assert [email.count for email in mailbox] == [1, 1]

    def test_other_kind(self, notify, ada, mailbox, at):
        """One kind does not exhaust the quota of another: an attacker can hide nothing so."""
        for _ in range(NOTICE_QUOTA.quota + 1):
            notify(ada)
        notify(ada, EmailKind.EMAIL_CHANGED)

        assert mailbox[-1].kind is EmailKind.EMAIL_CHANGED

    def test_other_account(self, notify, ada, mailbox, at):
        """Each account has quotas of its own."""
        for _ in range(NOTICE_QUOTA.quota + 1):
            notify(ada)
        bob = User("bob", username="bob", email="bob@example.com", email_verified=True)
        notify(bob)

        assert mailbox[-1].to == "bob@example.com"

    def test_wrong_codes(self, notify, ada, mailbox, at):
        """Notices of wrong codes, which an attacker causes, are one an hour."""
        for _ in range(3):
            notify(ada, EmailKind.WRONG_CODE)

        assert [email.kind for email in mailbox] == [EmailKind.WRONG_CODE]


class TestFlood:
    def test_reserve(self, database, context, mailbox, ada):
        """Records of rejected requests cannot keep a notice from being sent."""
        background = Background(seconds=3600, max_waiting=1)
        for number in range(2):
            background.submit(number, lambda _: None)
        AccountMailer(mailbox, background).send(Email.to_user(EmailKind.ACCOUNT_LOCKED, ada))
        assert background.drain(10)

        assert [email.kind for email in mailbox] == [EmailKind.ACCOUNT_LOCKED]

    def test_no_row_for_unverified(self, notify, mallory):
        """A notice that is not sent costs no write."""
        notify(mallory)

        assert list(RateWindow.scan()) == []


def test_database_unavailable(config, mailbox, ada):
    """Without a database a notice is sent uncounted: it is more important than its quota."""
    background = Background(seconds=3600)
    unreachable = {**config.dynamodb, "DYNAMODB_HOST": "http://127.0.0.1:9"}
    with db.standalone(replace(config, dynamodb=unreachable).for_database()).context():
        AccountMailer(mailbox, background).send(Email.to_user(EmailKind.PASSWORD_CHANGED, ada))
        assert background.drain(60)

    assert [email.kind for email in mailbox] == [EmailKind.PASSWORD_CHANGED]
