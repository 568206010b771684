"""New admins are reported by email, to the other admins or to the operator (H4)."""

import pytest

from models import Accounts, Email, EmailKind, EmailVerification, User
from models.email import NoMailer
from models.errors import UsernameTaken
from models.services.account_emails import AccountEmails
from models.services.login_lookup import LoginLookup
from tests.support.person import PASSWORD

ADMIN = ["admin", "user"]


def report(to: str, name: str, new_admin: str) -> Email:
    """Return the email that reports a new admin."""
    return Email(EmailKind.ADMIN_ADDED, f"{to}@example.com", name, detail=new_admin)


def reports(mailbox: list[Email]) -> list[Email]:
    """Return the reports, without the emails to users whose roles or status have changed."""
    return [each for each in mailbox if each.kind == EmailKind.ADMIN_ADDED]


@pytest.fixture
def bob(register, mailbox) -> User:
    """Return the only admin; the mailbox is empty."""
    admin = register("bob", roles=ADMIN)
    mailbox.clear()
    return admin


class TestRecipients:
    def test_first_admin(self, register, mailbox):
        """The first admin is not reported, since there is no other."""
        register("bob", roles=ADMIN)

        assert mailbox == []

    def test_registered(self, bob, register, mailbox):
        """A new admin is reported to every other admin."""
        register("carol", roles=ADMIN)
        assert mailbox == [report("bob", "bob", "carol")]
        mailbox.clear()

        register("dave", roles=ADMIN)

        assert sorted(mailbox, key=lambda each: each.to) == [
            report("bob", "bob", "dave"),
            report("carol", "carol", "dave"),
        ]

    def test_granted(self, bob, ada, accounts, mailbox):
        """A user who gets the role is reported."""
        accounts.update(ada, {"roles": ADMIN})

        assert reports(mailbox) == [report("bob", "bob", "ada")]

    def test_reactivated(self, bob, register, accounts, mailbox):
        """A suspended admin is reported when it can sign in again, and gets no email before."""
        carol = register("carol", roles=ADMIN)
        suspended = accounts.update(carol, {"status": "suspended"})
        mailbox.clear()
        register("dave", roles=ADMIN)
        assert mailbox == [report("bob", "bob", "dave")]
        mailbox.clear()

        accounts.update(suspended, {"status": "active"})

        assert {(each.to, each.detail) for each in reports(mailbox)} == {
            ("bob@example.com", "carol"),
            ("dave@example.com", "carol"),
        }

    def test_suspended(self, bob, register, mailbox):
        """An admin who is registered as suspended has no rights and is not reported."""
        register("carol", roles=ADMIN, status="suspended")

        assert mailbox == []

    @pytest.mark.parametrize(
        "changes",
        [{"full_name": "Bob"}, {"roles": ["admin"]}, {"status": "active"}],
        ids=lambda changes: next(iter(changes)),
    )
    def test_no_new_admin(self, bob, register, accounts, mailbox, changes):
        """A change of an existing admin is not reported."""
        carol = register("carol", roles=ADMIN)
        mailbox.clear()

        accounts.update(carol, changes)

        assert reports(mailbox) == []

    def test_failure(self, bob, ada, register, mailbox):
        """A new admin who could not be stored is not reported."""
        with pytest.raises(UsernameTaken):
            register("ada", email="other@example.com", roles=ADMIN)

        assert mailbox == []


class TestOperator:
    @pytest.fixture
    def watched(self, context, hasher, policy, confirmations) -> Accounts:
        """Accounts with ROSTER_SECURITY_EMAIL."""
        return Accounts(hasher, policy, confirmations, security_email="security@example.com")

    def test_address(self, watched, bob, mailbox):
        """With an address of the operator, every new admin is reported there and to no admin."""
        watched.register(
            username="carol", email="carol@example.com", password=PASSWORD, roles=ADMIN
        )

        assert mailbox == [report("security", "security team", "carol")]

    def test_first_admin(self, watched, mailbox):
        """The first admin is reported, too."""
        watched.register(username="bob", email="bob@example.com", password=PASSWORD, roles=ADMIN)

        assert mailbox == [report("security", "security team", "bob")]


class TestNoMailer:
    def test_register(self, context, hasher, policy):
        """Without email settings an admin is registered all the same."""
        emails = AccountEmails(NoMailer(), LoginLookup())
        accounts = Accounts(hasher, policy, EmailVerification(emails, hasher))

        user = accounts.register(
            username="bob", email="bob@example.com", password=PASSWORD, roles=ADMIN
        )

        assert user.is_active_admin


class TestUsername:
    def test_changed(self, accounts, ada, mailbox):
        """The owner is notified of a new username, which is a login (M6)."""
        accounts.update(ada, {"username": "ada-2"})

        expected = Email(EmailKind.USERNAME_CHANGED, ada.email, "ada-2", detail="ada")
        assert mailbox == [expected]

    def test_with_a_new_address(self, accounts, ada, mailbox):
        """With a new address in the same change, the old address is notified."""
        accounts.update(ada, {"username": "ada-2", "email": "new@example.com"})

        assert {(each.kind, each.to) for each in mailbox} == {
            (EmailKind.USERNAME_CHANGED, ada.email),
            (EmailKind.EMAIL_CHANGED, ada.email),
        }

    def test_unchanged(self, accounts, ada, mailbox):
        """The same username is no change."""
        accounts.update(ada, {"username": "ADA", "full_name": "Ada"})

        assert mailbox == []
