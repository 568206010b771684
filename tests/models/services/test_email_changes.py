"""A new address: the user's own wish waits to be confirmed, an admin's counts at once."""

from collections import Counter

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
from models.errors import (
    EmailTaken,
    InvalidEmail,
    InvalidToken,
    TooManyRequests,
    VersionMismatch,
)
from models.tables.audit_event import AuditEvent
from models.tables.identifier import Identifier
from models.tables.one_time_token import OneTimeToken
from tests.support.invariants import audited_users
from tests.support.person import CLIENT, NEW_PASSWORD, PASSWORD

SOMEBODY = Actor(ip="192.0.2.7")
ROUNDS = range(10)


@pytest.fixture
def ada(register):
    """Ada, whose present address is confirmed."""
    ada = register("ada")
    ada.update([User.email_verified.set(True)])
    return ada


@pytest.fixture
def wish(accounts, mailbox):
    """Lets a user ask for another address, and returns the token that was mailed there."""

    def ask(user, address):
        accounts.update(accounts.get(user.id), {"email": address}, confirms_email=True)
        return next(mail.token for mail in reversed(mailbox) if mail.token)

    return ask


@pytest.fixture
def token(wish, ada, mailbox):
    """A token for new@example.com; the mailbox is empty again."""
    token = wish(ada, "new@example.com")
    mailbox.clear()
    return token


def address_of(user):
    """The address that counts, and whether it is confirmed."""
    row = User.get(user.id, consistent_read=True)
    return row.email, row.email_verified


def claims():
    rows = Identifier.scan(consistent_read=True)
    return {row.value for row in rows if not row.held_until}


class TestAsk:
    def test_present_one_goes_on(self, accounts, ada, sign_in):
        """ASVS 6.3.7: the old address stays the user's, confirmed and claimed, and signs in."""
        after = accounts.update(ada, {"email": "new@example.com"}, confirms_email=True)

        assert (after.email, after.pending_email) == ("ada@example.com", "new@example.com")
        assert address_of(ada) == ("ada@example.com", True)
        assert claims() == {"username#ada", "email#ada@example.com"}
        assert sign_in.sign_in("ada@example.com", PASSWORD, CLIENT)

    def test_verified_with_it(self, accounts, register):
        """Who says that the requested address is verified says nothing about the present one."""
        eve = register("eve")
        changes = {"email": "new@example.com", "email_verified": True}
        after = accounts.update(eve, changes, confirms_email=True)

        assert after.pending_email == "new@example.com"
        assert address_of(eve) == ("eve@example.com", False)

    def test_mails(self, accounts, ada, mailbox):
        """ASVS 6.3.7: the new address gets the token, the old one a warning without it."""
        accounts.update(ada, {"email": "new@example.com"}, confirms_email=True)

        confirm, warn = mailbox
        assert (confirm.kind, confirm.to) == (EmailKind.CONFIRM_EMAIL_CHANGE, "new@example.com")
        assert (warn.kind, warn.to) == (EmailKind.EMAIL_CHANGE_REQUESTED, "ada@example.com")
        assert confirm.token
        assert (warn.token, warn.detail) == (None, "new@example.com")

    def test_event(self, accounts, ada):
        """The event names the member, never the address."""
        accounts.update(ada, {"email": "new@example.com"}, confirms_email=True, by=Actor(ada.id))

        *_, event = AuditEvent.query(ada.id)
        assert (event.type, event.changed_fields) == ("user.updated", ["pending_email"])
        assert "new@example.com" not in str(event.serialize())

    def test_other_members(self, accounts, ada):
        """What else is asked for in the same breath counts at once."""
        changes = {"email": "new@example.com", "full_name": "Ada"}
        after = accounts.update(ada, changes, confirms_email=True)

        assert (after.full_name, after.email) == ("Ada", "ada@example.com")

    def test_other_case(self, accounts, ada, mailbox):
        """The same address in other letters needs no mail."""
        after = accounts.update(ada, {"email": "Ada@Example.com"}, confirms_email=True)

        assert (after.email, after.email_verified) == ("Ada@example.com", True)
        assert after.pending_email is None
        assert mailbox == []

    def test_taken(self, accounts, ada, register, mailbox):
        """M5: another user's address is pending, too; its owner is notified, without a token."""
        eve = register("eve")
        after = accounts.update(ada, {"email": "EVE@example.com"}, confirms_email=True)

        notice, warn = mailbox
        assert after.pending_email == "EVE@example.com"
        assert (notice.kind, notice.to) == (EmailKind.ADDRESS_IN_USE, eve.email)
        assert (notice.token, notice.detail) == (None, None)
        assert (warn.kind, warn.to) == (EmailKind.EMAIL_CHANGE_REQUESTED, "ada@example.com")

    def test_equal_work(self, accounts, ada, register, mailbox, database_calls):
        """M5: the calls and the number of emails are the same for a free and a taken address."""
        register("eve")
        work = []
        for address in ("free@example.com", "eve@example.com"):
            with database_calls() as calls:
                accounts.update(accounts.get(ada.id), {"email": address}, confirms_email=True)
            work.append((list(calls), len(mailbox)))
            mailbox.clear()

        assert work[0] == work[1]

    def test_count_before_asking(self, accounts, ada, register, mailbox):
        """M5: a spent quota is reported before the address is looked up, taken or not."""
        register("eve")
        for n in range(5):
            accounts.update(ada, {"email": f"new{n}@example.com"}, confirms_email=True)

        for address in ("eve@example.com", "free@example.com"):
            with pytest.raises(TooManyRequests):
                accounts.update(ada, {"email": address}, confirms_email=True)

    @pytest.mark.parametrize("address", ["eve@example.com", "free@example.com"])
    def test_flood_of_one_address(self, accounts, register, mailbox, address):
        """M4: however many accounts request one address, it gets five emails an hour."""
        register("eve")
        for n in range(7):
            accounts.update(register(f"bot{n}"), {"email": address}, confirms_email=True)

        sent = [email for email in mailbox if email.to == address]
        assert len(sent) == 5
        assert len(mailbox.decoys) == 2

    def test_no_address(self, accounts, ada, mailbox):
        """What cannot be an address is refused before anything is written."""
        with pytest.raises(InvalidEmail):
            accounts.update(ada, {"email": "nonsense"}, confirms_email=True)

        assert mailbox == []

    def test_other_version(self, accounts, ada, mailbox):
        """A caller who names a version asks for it at that version or not at all."""
        with pytest.raises(VersionMismatch):
            accounts.update(ada, {"email": "new@example.com"}, versions={7}, confirms_email=True)

        assert mailbox == []
        assert list(OneTimeToken.scan()) == []

    def test_five_mails_an_hour(self, accounts, ada, mailbox):
        """ASVS 6.3.1: the emails to different new addresses of one user are limited."""
        for n in range(5):
            accounts.update(ada, {"email": f"new{n}@example.com"}, confirms_email=True)
        mailbox.clear()

        with pytest.raises(TooManyRequests):
            accounts.update(ada, {"email": "new5@example.com"}, confirms_email=True)

        assert mailbox == []
        assert User.get(ada.id).pending_email == "new4@example.com"

    def test_no_mailer(self, context, hasher, policy, ada):
        """Where no mail can be sent a new address counts at once, and is not confirmed."""
        accounts = Accounts(
            hasher, policy, EmailVerification(AccountEmails(NoMailer(), LoginLookup()), hasher)
        )
        after = accounts.update(ada, {"email": "new@example.com"}, confirms_email=True)

        assert (after.email, after.email_verified) == ("new@example.com", False)
        assert after.pending_email is None


class TestConfirm:
    def test_new_address(self, confirmations, ada, token):
        """The new address counts, is confirmed and claimed; the old one is free."""
        confirmations.confirm(token, password=PASSWORD, by=SOMEBODY)

        assert address_of(ada) == ("new@example.com", True)
        assert User.get(ada.id).pending_email is None
        assert claims() == {"username#ada", "email#new@example.com"}
        assert [event.type for event in AuditEvent.query(ada.id)][-1] == "email.changed"

    def test_old_address_is_told(self, confirmations, token, mailbox):
        """ASVS 6.3.7: the old address is notified."""
        confirmations.confirm(token, password=PASSWORD, by=SOMEBODY)

        (mail,) = mailbox
        assert (mail.kind, mail.to) == (EmailKind.EMAIL_CHANGED, "ada@example.com")
        assert mail.token is None

    def test_old_address_is_free(self, confirmations, token, register):
        """The old address is available immediately."""
        confirmations.confirm(token, password=PASSWORD, by=SOMEBODY)

        assert register("eve", email="ada@example.com")
        assert len(audited_users()) == 2

    def test_sessions_go_on(self, confirmations, token, sign_in):
        """Verification creates and ends no session."""
        _, session_token, _, _ = sign_in.sign_in("ada", PASSWORD, CLIENT)
        confirmations.confirm(token, password=PASSWORD, by=SOMEBODY)

        assert sign_in.authenticate(session_token)

    def test_twenty_at_once(self, run_concurrently, confirmations, ada, token, mailbox):
        """ASVS 6.5.1, 15.4.2: twenty concurrent requests succeed and have one effect."""
        outcomes = run_concurrently(
            *[lambda: confirmations.confirm(token, password=PASSWORD, by=SOMEBODY)] * 20
        )

        assert outcomes == [None] * 20
        assert [mail.kind for mail in mailbox] == [EmailKind.EMAIL_CHANGED]
        assert [user.email for user in audited_users()] == ["new@example.com"]

    def test_after_a_rename(self, confirmations, accounts, ada, token):
        """What else changes meanwhile does not make the token void."""
        accounts.update(ada, {"username": "countess"})
        confirmations.confirm(token, password=PASSWORD, by=SOMEBODY)

        assert claims() == {"username#countess", "email#new@example.com"}


class TestSeveralWishes:
    def test_last_one_counts(self, confirmations, ada, wish):
        """Of two pending changes only the last one can be confirmed."""
        first, second = wish(ada, "one@example.com"), wish(ada, "two@example.com")

        with pytest.raises(InvalidToken):
            confirmations.confirm(first, password=PASSWORD, by=SOMEBODY)
        confirmations.confirm(second, password=PASSWORD, by=SOMEBODY)
        assert address_of(ada) == ("two@example.com", True)

    def test_same_one_again(self, confirmations, accounts, ada, token, wish):
        """Requesting the same address again sends another email; the version stays the same."""
        version = accounts.get(ada.id).version
        another = wish(ada, "new@example.com")

        assert another != token
        assert accounts.get(ada.id).version == version
        confirmations.confirm(another, password=PASSWORD, by=SOMEBODY)
        assert address_of(ada) == ("new@example.com", True)

    def test_either_of_two_mails(self, confirmations, ada, token, wish):
        """The email sent earlier for the same address works; the other has no further effect."""
        another = wish(ada, "new@example.com")
        confirmations.confirm(token, password=PASSWORD, by=SOMEBODY)
        confirmations.confirm(another, password=PASSWORD, by=SOMEBODY)

        types = [event.type for event in AuditEvent.query(ada.id)]
        assert address_of(ada) == ("new@example.com", True)
        assert types.count("email.changed") == 1
        assert "email.verified" not in types

    def test_present_one_cancels(self, confirmations, accounts, ada, token):
        """Requesting the current address cancels the pending one."""
        wishing = accounts.get(ada.id)
        after = accounts.update(wishing, {"email": "ada@example.com"}, confirms_email=True)

        assert after.pending_email is None
        with pytest.raises(InvalidToken):
            confirmations.confirm(token, password=PASSWORD, by=SOMEBODY)
        assert address_of(ada) == ("ada@example.com", True)

    @pytest.mark.parametrize("turn", ROUNDS)
    def test_at_once(self, run_concurrently, confirmations, accounts, ada, token, turn):
        """In every order the reservations are consistent, and no unverified address is active."""
        wishing = accounts.get(ada.id)
        outcome, *others = run_concurrently(
            lambda: confirmations.confirm(token, password=PASSWORD, by=SOMEBODY),
            lambda: accounts.update(wishing, {"full_name": "Ada"}),
            lambda: accounts.update(wishing, {"email": "other@example.com"}, confirms_email=True),
        )

        (user,) = audited_users()
        assert type(outcome) in (type(None), InvalidToken)
        assert [type(each) for each in others] == [User, User]
        assert user.email in ("ada@example.com", "new@example.com")
        assert user.email_verified
        assert user.full_name == "Ada"


class TestTakenMeanwhile:
    @pytest.fixture
    def eve(self, register, token):
        """A user that has taken ada's pending address."""
        return register("eve", email="NEW@example.com")

    def test_refused(self, confirmations, ada, token, eve, mailbox):
        """A late verification changes nothing, and no email about a change is sent."""
        before = User.get(ada.id).serialize()

        with pytest.raises(EmailTaken):
            confirmations.confirm(token, password=PASSWORD, by=SOMEBODY)

        assert User.get(ada.id).serialize() == before
        assert mailbox == []
        assert len(audited_users()) == 2

    def test_token_can_be_used_again(self, confirmations, accounts, ada, token, eve):
        """A refused token is not used up: it works as soon as the address is free."""
        with pytest.raises(EmailTaken):
            confirmations.confirm(token, password=PASSWORD, by=SOMEBODY)
        accounts.delete(eve)
        confirmations.confirm(token, password=PASSWORD, by=SOMEBODY)

        assert address_of(ada) == ("new@example.com", True)

    @pytest.mark.parametrize("turn", ROUNDS)
    def test_two_want_one(self, run_concurrently, confirmations, register, wish, ada, turn):
        """Of two who confirm one address at the same moment one has it."""
        bob = register("bob")
        tokens = wish(ada, "new@example.com"), wish(bob, "new@example.com")
        outcomes = run_concurrently(
            *(
                lambda token=token: confirmations.confirm(token, password=PASSWORD, by=SOMEBODY)
                for token in tokens
            )
        )

        assert Counter(map(type, outcomes)) == {type(None): 1, EmailTaken: 1}
        assert [user.email for user in audited_users()].count("new@example.com") == 1

    @pytest.mark.parametrize("turn", ROUNDS)
    def test_sign_up(self, run_concurrently, confirmations, register, token, turn):
        """ASVS 2.3.3: of a concurrent sign-up and ada, exactly one gets the address."""
        outcomes = run_concurrently(
            lambda: confirmations.confirm(token, password=PASSWORD, by=SOMEBODY),
            lambda: register("eve", email="new@example.com"),
        )

        assert [type(each) for each in outcomes].count(EmailTaken) == 1
        assert [user.email for user in audited_users()].count("new@example.com") == 1


class TestVoid:
    """A stolen session must not be what gives the account away when its owner has acted."""

    @pytest.fixture
    def refused(self, confirmations, ada, token):
        """Sees to it that the new address does not count."""

        def check():
            with pytest.raises(InvalidToken):
                confirmations.confirm(token, password=PASSWORD, by=SOMEBODY)
            assert User.get(ada.id).email == "ada@example.com"

        return check

    def test_password_was_reset(self, credentials, ada, mailbox, refused):
        """A wish from before a reset is not granted after it (unexpired e-mail change)."""
        credentials.request_reset(ada.email, by=SOMEBODY)
        credentials.reset_password(mailbox[-1].token, NEW_PASSWORD)

        refused()

    def test_password_was_changed(self, credentials, sign_in, refused):
        """Nor after a change of the password."""
        session, _, user, _ = sign_in.sign_in("ada", PASSWORD, CLIENT)
        credentials.change_password(
            user, current_password=PASSWORD, new_password=NEW_PASSWORD, session=session
        )

        refused()

    def test_signed_out_everywhere(self, sign_in, ada, refused):
        """Nor after all sessions were ended."""
        sign_in.end_all(ada, by=Actor(ada.id))

        refused()

    def test_reactivated(self, accounts, ada, refused):
        """Nor after a suspension."""
        suspended = accounts.update(ada, {"status": "suspended"})
        accounts.update(suspended, {"status": "active"})

        refused()

    def test_suspended(self, accounts, ada, refused):
        """Nor during one."""
        accounts.update(ada, {"status": "suspended"})

        refused()

    def test_asked_again(self, credentials, confirmations, ada, mailbox, token, wish):
        """After a reset the pending address must be requested again."""
        credentials.request_reset(ada.email, by=SOMEBODY)
        credentials.reset_password(mailbox[-1].token, NEW_PASSWORD)
        confirmations.confirm(wish(ada, "new@example.com"), password=NEW_PASSWORD, by=SOMEBODY)

        assert address_of(ada) == ("new@example.com", True)

    def test_address_of_an_admin(self, accounts, ada, token, confirmations):
        """Nor after an admin has given the user another address."""
        accounts.update(ada, {"email": "admins@example.com"})

        with pytest.raises(InvalidToken):
            confirmations.confirm(token, password=PASSWORD, by=SOMEBODY)
        assert address_of(ada) == ("admins@example.com", False)


class TestByAnAdmin:
    def test_at_once(self, accounts, ada):
        """An admin's change counts at once, and shows nothing of whose the address is."""
        after = accounts.update(ada, {"email": "new@example.com"}, by=Actor("an admin"))

        assert (after.email, after.email_verified) == ("new@example.com", False)
        assert after.pending_email is None
        assert claims() == {"username#ada", "email#new@example.com"}

    def test_old_address_is_told(self, accounts, ada, mailbox):
        """ASVS 6.3.7: the old address hears of it."""
        accounts.update(ada, {"email": "new@example.com"}, by=Actor("an admin"))

        (mail,) = mailbox
        assert (mail.kind, mail.to) == (EmailKind.EMAIL_CHANGED, "ada@example.com")

    def test_nothing_differs(self, accounts, ada, mailbox):
        """Setting the current address changes nothing and sends no email."""
        after = accounts.update(ada, {"email": "ada@example.com"}, by=Actor("an admin"))

        assert after.version == ada.version
        assert mailbox == []

    def test_confirmed_afterwards(self, accounts, confirmations, ada, mailbox):
        """The user can confirm it afterwards."""
        accounts.update(ada, {"email": "new@example.com"}, by=Actor("an admin"))
        confirmations.request("new@example.com", by=SOMEBODY)
        confirmations.confirm(mailbox[-1].token, password=PASSWORD, by=SOMEBODY)

        assert address_of(ada) == ("new@example.com", True)
