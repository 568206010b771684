"""Passwords, addresses and tries when DynamoDB or the way to it misbehaves."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from flask_pynamodb import is_unavailable
from models import Actor, EmailKind, User, resume_cleanup
from models.clock import now
from models.errors import (
    InvalidCredentials,
    InvalidToken,
    TooManyAttempts,
    Unauthenticated,
    WrongPassword,
)
from models.tables.audit_event import AuditEvent
from models.tables.device import Device
from models.tables.login_attempts import FIRST_WAIT, FREE_ATTEMPTS, Attempts
from models.tables.one_time_token import OneTimeToken
from models.tables.session import Session
from tests.support.faulty_proxy import (
    conflicted,
    failed,
    failed_afterwards,
    in_a_transaction,
    in_progress,
    lost_reply,
    lost_request,
    over_capacity,
    throttled,
)
from tests.support.invariants import audited_users
from tests.support.person import CLIENT, NEW_PASSWORD, PASSWORD

WRONG = "not the password at all"
SOMEBODY = Actor(ip="192.0.2.7")
WRITE = "TransactWriteItems"
# What may happen to any write, and what may happen to a transaction only.
ANY = [lost_reply, lost_request, failed, failed_afterwards, throttled, over_capacity]
# Whether or not the first try was carried out, the second one has to end well.
ONCE = [*ANY, conflicted]
NEVER_DONE = [lost_request, failed, throttled, over_capacity, conflicted, in_progress]
DONE_UNSEEN = [lost_reply, failed_afterwards]


def at(*operations):
    """Every fault that can befall each of some operations."""
    return [
        pytest.param(operation, fault, id=f"{operation}-{fault.__name__}")
        for operation in operations
        for fault in (ONCE if operation == WRITE else ANY)
    ]


def untouched(request, forward):
    """No fault at all."""
    return forward(request)


@pytest.fixture
def reset_token(credentials, ada, mailbox) -> str:
    credentials.request_reset(ada.email, by=SOMEBODY)
    return str(mailbox.pop().token)


@pytest.fixture
def email_token(confirmations, ada, mailbox) -> str:
    """For the address that ada has."""
    confirmations.request(ada.email, by=SOMEBODY)
    return str(mailbox.pop().token)


@pytest.fixture
def new_email_token(accounts, ada, mailbox) -> str:
    """For the address that ada wants."""
    accounts.update(ada, {"email": "new@example.com"}, confirms_email=True)
    token = str(mailbox[0].token)
    mailbox.clear()
    return token


@pytest.fixture
def tries(ada) -> Callable[[], int | None]:
    return lambda: User.get(ada.id, consistent_read=True).failed_attempts


def count_of(type: str, user: User) -> int:
    """How often something has happened to a user."""
    return [event.type for event in AuditEvent.query(user.id)].count(type)


def kinds(mails) -> list[str]:
    return [mail.kind for mail in mails]


class TestOnce:
    """Each operation is carried out exactly once although one of its writes went wrong at first."""

    @pytest.mark.parametrize("operation, fault", at("UpdateItem", WRITE))
    def test_start_reset(self, proxy, credentials, mailbox, ada, sign_in, operation, fault):
        """One mail is sent, and its token is the one that is stored."""
        proxy.next(operation, fault)
        credentials.request_reset(ada.email, by=SOMEBODY)

        (mail,) = mailbox
        assert len(list(OneTimeToken.query(ada.id))) == 1
        assert count_of("password-reset.requested", ada) == 1
        credentials.reset_password(mail.token, NEW_PASSWORD)
        assert sign_in.sign_in("ada", NEW_PASSWORD, CLIENT)

    @pytest.mark.parametrize("operation, fault", at("UpdateItem", WRITE))
    def test_start_reset_for(self, proxy, credentials, mailbox, ada, operation, fault):
        """An admin is not told that something went wrong when it did not."""
        proxy.next(operation, fault)
        credentials.send_reset(ada, by=Actor("an admin"))

        assert kinds(mailbox) == [EmailKind.RESET_PASSWORD]
        assert len(list(OneTimeToken.query(ada.id))) == 1

    @pytest.mark.parametrize("operation, fault", at(WRITE, "BatchWriteItem", "UpdateItem"))
    def test_finish_reset(
        self, proxy, credentials, reset_token, mailbox, ada, sign_in, operation, fault
    ):
        """The call does not fail with an invalid token; the password is set once."""
        sign_in.sign_in("ada", PASSWORD, CLIENT)
        proxy.next(operation, fault)
        credentials.reset_password(reset_token, NEW_PASSWORD)

        assert kinds(mailbox) == [EmailKind.ADDRESS_PROVEN]
        assert User.get(ada.id).session_epoch == 2
        assert count_of("password.reset", ada) == 1
        assert list(Session.query(ada.id)) == []
        assert sign_in.sign_in("ada", NEW_PASSWORD, CLIENT)
        with pytest.raises(InvalidToken):
            credentials.reset_password(reset_token, PASSWORD)

    @pytest.mark.parametrize("fault", ONCE)
    def test_reset_signs_in(self, proxy, credentials, reset_token, ada, sign_in, fault):
        """One session and one device are opened, and both tokens are the stored ones."""
        proxy.next(WRITE, fault)
        opened = credentials.reset_password(reset_token, NEW_PASSWORD, sign_in=CLIENT)

        assert sign_in.authenticate(opened.token).session.id == opened.session.id
        assert [row.id for row in Session.query(ada.id)] == [opened.session.id]
        assert len(list(Device.query(ada.id))) == 1
        assert sign_in.sign_in("ada", NEW_PASSWORD, CLIENT, device_token=opened.device_token)

    @pytest.mark.parametrize("operation, fault", at("UpdateItem", WRITE))
    def test_sign_in_on_a_device(self, proxy, ada, sign_in, operation, fault):
        """One session is opened, and the device has no failed attempts."""
        device_token = sign_in.sign_in("ada", PASSWORD, CLIENT).device_token
        proxy.next(operation, fault)
        opened = sign_in.sign_in("ada", PASSWORD, CLIENT, device_token=device_token)

        [device] = Device.query(ada.id)
        assert opened.device_token == device_token
        assert device.failed_attempts is None
        assert len(list(Session.query(ada.id))) == 2

    @pytest.mark.parametrize("operation, fault", at(WRITE, "BatchWriteItem"))
    def test_change_password(self, proxy, credentials, mailbox, ada, sign_in, operation, fault):
        """The call does not fail with a wrong password; the current session stays valid."""
        sign_in.sign_in("ada", PASSWORD, CLIENT)
        session, token, user, _ = sign_in.sign_in("ada", PASSWORD, CLIENT)
        mailbox.clear()
        proxy.next(operation, fault)
        credentials.change_password(
            user, current_password=PASSWORD, new_password=NEW_PASSWORD, session=session
        )

        assert kinds(mailbox) == [EmailKind.PASSWORD_CHANGED]
        assert sign_in.authenticate(token).user.session_epoch == 2
        assert [row.id for row in Session.query(ada.id)] == [session.id]
        assert count_of("password.changed", ada) == 1

    @pytest.mark.parametrize("operation, fault", at("UpdateItem", WRITE))
    def test_start_verification(
        self, proxy, confirmations, accounts, mailbox, ada, operation, fault
    ):
        """One mail is sent, and its token is the one that is stored."""
        proxy.next(operation, fault)
        confirmations.request(ada.email, by=SOMEBODY)

        (mail,) = mailbox
        assert len(list(OneTimeToken.query(ada.id))) == 1
        confirmations.confirm(mail.token, password=PASSWORD, by=SOMEBODY)
        assert accounts.get(ada.id).email_verified

    @pytest.mark.parametrize("fault", ONCE)
    def test_finish_verification(self, proxy, confirmations, accounts, ada, email_token, fault):
        """The call does not fail with an invalid token, which works once."""
        proxy.next(WRITE, fault)
        confirmations.confirm(email_token, password=PASSWORD, by=SOMEBODY)
        confirmations.confirm(email_token, password=PASSWORD, by=SOMEBODY)

        assert accounts.get(ada.id).email_verified
        assert count_of("email.verified", ada) == 1

    @pytest.mark.parametrize("operation, fault", at("UpdateItem", WRITE))
    def test_pending_change(self, proxy, confirmations, accounts, mailbox, ada, operation, fault):
        """One wish is noted, and the token that is mailed for it works."""
        proxy.next(operation, fault)
        after = accounts.update(ada, {"email": "new@example.com"}, confirms_email=True)

        assert after.version == 2
        assert kinds(mailbox) == [EmailKind.CONFIRM_EMAIL_CHANGE, EmailKind.EMAIL_CHANGE_REQUESTED]
        confirmations.confirm(mailbox[0].token, password=PASSWORD, by=SOMEBODY)
        assert [user.email for user in audited_users()] == ["new@example.com"]

    @pytest.mark.parametrize("operation, fault", at("UpdateItem", "PutItem"))
    def test_pending_change_again(
        self, proxy, confirmations, accounts, mailbox, ada, new_email_token, operation, fault
    ):
        """Another requested email has a valid token."""
        wishing = accounts.get(ada.id)
        proxy.next(operation, fault)
        accounts.update(wishing, {"email": "new@example.com"}, confirms_email=True)

        confirmations.confirm(mailbox[0].token, password=PASSWORD, by=SOMEBODY)
        assert [user.email for user in audited_users()] == ["new@example.com"]

    @pytest.mark.parametrize("fault", ONCE)
    def test_finish_change(self, proxy, confirmations, mailbox, ada, new_email_token, fault):
        """The call does not fail because the user's own new address is taken."""
        proxy.next(WRITE, fault)
        confirmations.confirm(new_email_token, password=PASSWORD, by=SOMEBODY)
        confirmations.confirm(new_email_token, password=PASSWORD, by=SOMEBODY)

        (user,) = audited_users()
        assert (user.email, user.email_verified, user.version) == ("new@example.com", True, 3)
        assert kinds(mailbox) == [EmailKind.EMAIL_CHANGED]

    @pytest.mark.parametrize("operation, fault", at("UpdateItem", WRITE))
    def test_renew(self, proxy, sign_in, ada, operation, fault):
        """ASVS 7.2.4: there is one session, which the new token opens and the old one does not."""
        session, old, _, _ = sign_in.sign_in("ada", PASSWORD, CLIENT)
        proxy.next(operation, fault)
        renewed, new, _, _ = sign_in.reauthenticate(session, PASSWORD, CLIENT)

        assert sign_in.authenticate(new).user.id == ada.id
        with pytest.raises(Unauthenticated):
            sign_in.authenticate(old)
        assert [row.id for row in Session.query(ada.id)] == [renewed.id]
        assert count_of("session.renewed", ada) == 1

    @pytest.mark.parametrize("fault", ONCE)
    def test_unlock(self, proxy, credentials, sign_in, ada, lock, fault):
        """The lock is lifted, and one event tells of it."""
        lock("ada")
        proxy.next(WRITE, fault)
        credentials.unlock(ada, by=Actor("an admin"))

        assert count_of("user.unlocked", ada) == 1
        assert sign_in.sign_in("ada", PASSWORD, CLIENT)


@pytest.mark.parametrize("fault", ANY)
class TestReservation:
    """A try is counted once, though the reply that says so got lost."""

    def test_sign_in(self, proxy, sign_in, ada, tries, fault):
        """A wrong password costs one try."""
        proxy.next("UpdateItem", fault)
        with pytest.raises(InvalidCredentials):
            sign_in.sign_in("ada", WRONG, CLIENT)

        assert tries() == 1
        assert count_of("sign-in.failed", ada) == 1

    def test_unknown_login(self, proxy, sign_in, context, fault):
        """ASVS 6.3.8: the same for an unknown user."""
        proxy.next("UpdateItem", fault)
        with pytest.raises(InvalidCredentials):
            sign_in.sign_in("nobody", WRONG, CLIENT)

        assert [row.failed_attempts for row in Attempts.scan()] == [1]

    def test_last_free_one(self, proxy, sign_in, ada, fault):
        """The right password at the last free try is not refused as one too many."""
        ada.update(
            [
                User.failed_attempts.set(FREE_ATTEMPTS - 1),
                User.last_attempt_at.set(now()),
                User.reservation_id.set("last"),
            ]
        )
        proxy.next("UpdateItem", fault)

        assert sign_in.sign_in("ada", PASSWORD, CLIENT)

    def test_after_a_wait(self, proxy, sign_in, ada, tries, fault):
        """The one try that is granted after a wait is granted, and counted once."""
        then = now() - FIRST_WAIT
        ada.update(
            [
                User.failed_attempts.set(FREE_ATTEMPTS),
                User.last_attempt_at.set(then),
                User.reservation_id.set("last"),
            ]
        )
        # The first write is refused since no try is free; the second one takes the one there is.
        proxy.next("UpdateItem", untouched, fault)
        with pytest.raises(InvalidCredentials):
            sign_in.sign_in("ada", WRONG, CLIENT)

        assert tries() == FREE_ATTEMPTS + 1

    def test_renew(self, proxy, sign_in, ada, tries, fault):
        """A wrong password for a session counts once."""
        session, _, _, _ = sign_in.sign_in("ada", PASSWORD, CLIENT)
        proxy.next("UpdateItem", fault)
        with pytest.raises(InvalidCredentials):
            sign_in.reauthenticate(session, WRONG, CLIENT)

        assert tries() == 1

    def test_wrong_current_password(self, proxy, credentials, sign_in, ada, tries, fault):
        """A wrong current password counts once."""
        session, _, user, _ = sign_in.sign_in("ada", PASSWORD, CLIENT)
        proxy.next("UpdateItem", fault)
        with pytest.raises(WrongPassword):
            credentials.change_password(
                user, current_password=WRONG, new_password=NEW_PASSWORD, session=session
            )

        assert tries() == 1

    def test_right_current_password(self, proxy, credentials, sign_in, ada, tries, fault):
        """A right one is not refused, and leaves no try behind."""
        session, _, user, _ = sign_in.sign_in("ada", PASSWORD, CLIENT)
        proxy.next("UpdateItem", fault)
        credentials.change_password(
            user, current_password=PASSWORD, new_password=NEW_PASSWORD, session=session
        )

        assert tries() is None

    def test_failure_is_recorded_once(self, proxy, sign_in, ada, fault):
        """ASVS 16.3.1: one wrong password is one event."""
        proxy.next("PutItem", fault)
        with pytest.raises(InvalidCredentials):
            sign_in.sign_in("ada", WRONG, CLIENT)

        assert count_of("sign-in.failed", ada) == 1


class TestForEver:
    @pytest.mark.parametrize("fault", NEVER_DONE)
    def test_start_reset(self, proxy, credentials, mailbox, ada, fault):
        """A token that could not be stored is not mailed."""
        proxy.always(WRITE, fault)
        with pytest.raises(Exception) as caught:
            credentials.request_reset(ada.email, by=SOMEBODY)

        assert is_unavailable(caught.value)
        assert mailbox == []

    @pytest.mark.parametrize("fault", NEVER_DONE)
    def test_finish_reset(self, proxy, credentials, mailbox, reset_token, ada, sign_in, fault):
        """Where nothing could be written the old password counts, and so does the token."""
        proxy.always(WRITE, fault)
        with pytest.raises(Exception) as caught:
            credentials.reset_password(reset_token, NEW_PASSWORD)
        proxy.behave()

        assert is_unavailable(caught.value)
        assert mailbox == []
        assert sign_in.sign_in("ada", PASSWORD, CLIENT)
        credentials.reset_password(reset_token, NEW_PASSWORD)
        assert sign_in.sign_in("ada", NEW_PASSWORD, CLIENT)

    @pytest.mark.parametrize("fault", DONE_UNSEEN)
    def test_reset_unseen(self, proxy, credentials, reset_token, ada, sign_in, fault):
        """A reset that was never answered is done: the token is spent, the sessions are dead."""
        _, token, _, _ = sign_in.sign_in("ada", PASSWORD, CLIENT)
        proxy.always(WRITE, fault)
        with pytest.raises(Exception) as caught:
            credentials.reset_password(reset_token, NEW_PASSWORD)
        proxy.behave()

        assert is_unavailable(caught.value)
        with pytest.raises(InvalidToken):
            credentials.reset_password(reset_token, PASSWORD)
        with pytest.raises(Unauthenticated):
            sign_in.authenticate(token)
        assert sign_in.sign_in("ada", NEW_PASSWORD, CLIENT)
        # One event for the sessions, one for the API keys.
        assert resume_cleanup(older_than=timedelta(0)) == 2

    @pytest.mark.parametrize("fault", [lost_request, failed, throttled, over_capacity])
    def test_sweep(self, proxy, credentials, mailbox, reset_token, ada, sign_in, fault):
        """A reset counts at once although the rows of sessions cannot be removed yet."""
        _, token, _, _ = sign_in.sign_in("ada", PASSWORD, CLIENT)
        proxy.always("BatchWriteItem", fault)
        credentials.reset_password(reset_token, NEW_PASSWORD)
        proxy.behave()

        assert kinds(mailbox) == [EmailKind.ADDRESS_PROVEN]
        with pytest.raises(Unauthenticated):
            sign_in.authenticate(token)

    @pytest.mark.parametrize("fault", NEVER_DONE)
    def test_finish_change(self, proxy, confirmations, mailbox, ada, new_email_token, fault):
        """Where nothing could be written the old address counts, and so does the token."""
        proxy.always(WRITE, fault)
        with pytest.raises(Exception) as caught:
            confirmations.confirm(new_email_token, password=PASSWORD, by=SOMEBODY)
        proxy.behave()

        assert is_unavailable(caught.value)
        assert mailbox == []
        assert [user.email for user in audited_users()] == ["ada@example.com"]
        confirmations.confirm(new_email_token, password=PASSWORD, by=SOMEBODY)
        assert [user.email for user in audited_users()] == ["new@example.com"]

    @pytest.mark.parametrize("fault", NEVER_DONE)
    def test_renew(self, proxy, sign_in, ada, fault):
        """If nothing could be written, the current session stays valid."""
        session, token, _, _ = sign_in.sign_in("ada", PASSWORD, CLIENT)
        proxy.always(WRITE, fault)
        with pytest.raises(Exception) as caught:
            sign_in.reauthenticate(session, PASSWORD, CLIENT)
        proxy.behave()

        assert is_unavailable(caught.value)
        assert sign_in.authenticate(token)
        assert len(list(Session.query(ada.id))) == 1

    @pytest.mark.parametrize("fault", [lost_request, failed, throttled, over_capacity])
    def test_reservation(self, proxy, sign_in, ada, hashes, fault):
        """ASVS 16.5.3: where tries cannot be counted no password is looked at."""
        proxy.always("UpdateItem", fault)
        hashes.clear()
        with pytest.raises(Exception) as caught:
            sign_in.sign_in("ada", PASSWORD, CLIENT)

        assert is_unavailable(caught.value)
        assert not isinstance(caught.value, (InvalidCredentials, TooManyAttempts))
        assert hashes == []

    @pytest.mark.parametrize("fault", [lost_request, failed, throttled, over_capacity])
    def test_tokens_cannot_be_read(self, proxy, credentials, reset_token, fault):
        """A token that cannot be read is not one that was never given."""
        proxy.always("BatchGetItem", fault)
        with pytest.raises(Exception) as caught:
            credentials.reset_password(reset_token, NEW_PASSWORD)

        assert is_unavailable(caught.value)
        assert not isinstance(caught.value, InvalidToken)


class TestConflict:
    """DynamoDB refuses a single write while a transaction changes the item."""

    def test_for_a_moment(self, proxy, sign_in, ada, tries):
        """The try is reserved as soon as the transaction is through, and counted once."""
        proxy.next("UpdateItem", in_a_transaction, in_a_transaction)
        with pytest.raises(InvalidCredentials):
            sign_in.sign_in("ada", WRONG, CLIENT)

        assert tries() == 1

    def test_for_ever(self, proxy, sign_in, ada, tries):
        """ASVS 16.5.3: no password is looked at without a try, and none is called wrong."""
        proxy.always("UpdateItem", in_a_transaction)

        with pytest.raises(Exception) as caught:
            sign_in.sign_in("ada", PASSWORD, CLIENT)

        proxy.behave()
        assert is_unavailable(caught.value)
        assert tries() in (None, 0)
