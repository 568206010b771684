"""Emails about what was done to an account: suspension, roles, deletion, a wrong code (M8)."""

import pytest

from models import Actor, Email, EmailKind, Totp, User
from models.errors import InvalidCredentials, LastAdmin, SecondFactorCodeRequired
from models.services.second_factors import SecondFactors
from tests.support.authenticator import Authenticator, Clock
from tests.support.person import CLIENT, PASSWORD


@pytest.fixture
def root(register, mailbox) -> User:
    """Return another admin, so that ada is never the last one."""
    return register("root", roles=["admin"], any_username=True)


class TestStatus:
    def test_suspended(self, accounts, ada, mailbox):
        """M8: a suspension is reported to the user by email."""
        accounts.update(ada, {"status": "suspended"})

        assert mailbox == [Email(EmailKind.ACCOUNT_SUSPENDED, ada.email, "ada")]

    def test_reactivated(self, accounts, ada, mailbox):
        """The end of a suspension is reported, too."""
        suspended = accounts.update(ada, {"status": "suspended"})
        mailbox.clear()
        accounts.update(suspended, {"status": "active"})

        assert mailbox == [Email(EmailKind.ACCOUNT_REACTIVATED, ada.email, "ada")]

    def test_with_a_new_address(self, accounts, ada, mailbox):
        """An admin who also changes the address cannot divert the email."""
        accounts.update(ada, {"status": "suspended", "email": "other@example.com"})

        assert {each.to for each in mailbox} == {ada.email}

    def test_unchanged(self, accounts, ada, mailbox):
        """The same status and roles are no change."""
        accounts.update(ada, {"status": "active", "roles": ["user"], "full_name": "Ada"})

        assert mailbox == []

    def test_rejected(self, accounts, register, mailbox):
        """A change that fails is not reported."""
        only = register("only", roles=["admin"])
        mailbox.clear()
        with pytest.raises(LastAdmin):
            accounts.update(only, {"status": "suspended"})

        assert mailbox == []


class TestRoles:
    def test_admin(self, accounts, ada, root, mailbox):
        """M8: a new role is reported to the user, besides the report to the other admins."""
        accounts.update(ada, {"roles": ["user", "admin"]})

        assert {(each.kind, each.to, each.detail) for each in mailbox} == {
            (EmailKind.ROLES_CHANGED, ada.email, "admin, user"),
            (EmailKind.ADMIN_ADDED, root.email, "ada"),
        }

    def test_none(self, accounts, ada, mailbox):
        """The loss of all roles is reported."""
        accounts.update(ada, {"roles": []})

        assert mailbox == [Email(EmailKind.ROLES_CHANGED, ada.email, "ada", detail="none")]


class TestDeletion:
    def test_deleted(self, accounts, ada, mailbox):
        """M8: a deletion is reported to the address of the account."""
        accounts.delete(ada)

        assert mailbox == [Email(EmailKind.ACCOUNT_DELETED, ada.email, "ada")]

    def test_current_address(self, accounts, ada, mailbox):
        """The email goes to the address that the account had at the end."""
        accounts.update(ada, {"email": "ada@example.org"})
        mailbox.clear()
        accounts.delete(ada)

        assert [each.to for each in mailbox] == ["ada@example.org"]


class TestWrongCode:
    @pytest.fixture
    def clock(self) -> Clock:
        return Clock()

    @pytest.fixture
    def second_factors(self, mailbox, clock) -> SecondFactors:
        return SecondFactors(Totp(["a key that only tests have"], clock=clock), mailbox)

    @pytest.fixture
    def attempt(self, second_factors, sign_in, ada, by, clock, mailbox):
        """Give ada a second factor; return a function that tries to sign in."""
        phone = Authenticator(second_factors.enroll(ada, by).secret, clock)
        second_factors.confirm(ada, phone.code(), by)
        mailbox.clear()

        def run(otp=None, password=PASSWORD):
            with pytest.raises((InvalidCredentials, SecondFactorCodeRequired)):
                sign_in.sign_in("ada", password, CLIENT, otp)

        return run

    @pytest.fixture
    def by(self, ada):
        return Actor(ada.id)

    def test_told(self, attempt, ada, mailbox):
        """M8: a correct password with a wrong code is reported to the owner."""
        attempt("000000")

        assert mailbox == [Email(EmailKind.WRONG_CODE, ada.email, "ada")]

    @pytest.mark.parametrize(
        ("otp", "password"),
        [(None, PASSWORD), ("", PASSWORD), ("000000", "a wrong password")],
    )
    def test_nothing_to_tell(self, attempt, mailbox, otp, password):
        """A missing code is how clients learn that one is needed; a wrong password is no sign."""
        attempt(otp, password)

        assert mailbox == []
