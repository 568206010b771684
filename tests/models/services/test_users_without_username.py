"""Users without a username: they sign in with the email address, and may add one later."""

import pytest

from models import Accounts, Actor, Email, EmailKind, User, UserImport, UsernameMode, UsernameRules
from models.errors import (
    EmailTaken,
    InvalidCredentials,
    InvalidField,
    UsernameTaken,
    VersionMismatch,
    WeakPassword,
)
from models.tables.audit_event import AuditEvent
from tests.support.invariants import audited_users
from tests.support.person import CLIENT, PASSWORD

MISSING = "It is missing."
OFF = "Usernames are off in this service. Leave it out."


@pytest.fixture
def nell(register) -> User:
    """Return a user without a username."""
    return register("nell", username=None)


@pytest.fixture
def in_mode(accounts, hasher, policy, confirmations):
    """Return a function that returns accounts in another mode: `in_mode("off")`."""

    def make(mode: str) -> Accounts:
        rules = UsernameRules(mode=UsernameMode(mode))
        return Accounts(hasher, policy, confirmations, usernames=rules)

    return make


class TestRegister:
    def test_stored(self, accounts, nell):
        """The attribute is absent, and the email address is the only reservation."""
        assert nell.username is None
        assert "username" not in accounts.get(nell.id).serialize()
        assert len(audited_users()) == 1

    def test_several(self, register, nell):
        """Any number of users has none."""
        register("ned", username=None)

        assert len(audited_users()) == 2

    def test_address_is_unique(self, register, nell):
        """Their addresses differ like those of other users."""
        with pytest.raises(EmailTaken):
            register("NELL", username=None)

    def test_sign_in(self, sign_in, nell):
        """The user signs in with the email address, in any case."""
        opened = sign_in.sign_in("Nell@Example.com", PASSWORD, CLIENT)

        assert opened.user.id == nell.id

    @pytest.mark.parametrize("login", ["nell", "", "None", "null", "username#"])
    def test_other_logins(self, sign_in, nell, login):
        """No text stands for the absent username."""
        with pytest.raises(InvalidCredentials):
            sign_in.sign_in(login, PASSWORD, CLIENT)

    def test_password_policy(self, register):
        """The password must still not consist of the address."""
        with pytest.raises(WeakPassword):
            register("nell", username=None, password="nell nell example.com")

    def test_delete(self, accounts, nell):
        """The deletion releases the address, the only reservation."""
        accounts.delete(nell)

        assert audited_users() == []


class TestAccountName:
    def test_shown(self, nell, ada):
        """What people read is the username, else the address."""
        assert (nell.account_name, ada.account_name) == ("nell@example.com", "ada")

    def test_authenticator(self, second_factors, nell):
        """The entry of an authenticator app has the address."""
        secret = second_factors.enroll(nell, by=Actor(nell.id))

        assert secret.uri.startswith("otpauth://totp/Roster:nell@example.com?")

    def test_new_admin(self, accounts, register, nell, mailbox):
        """Admins read the address of a new admin without a username."""
        register("john", roles=["admin"], email_verified=True)
        accounts.update(nell, {"roles": ["admin"]})

        assert (
            Email(EmailKind.ADMIN_ADDED, "john@example.com", "john", detail=nell.email) in mailbox
        )


class TestAdd:
    def test_later(self, accounts, sign_in, nell):
        """A username that was added is reserved, recorded, and good for signing in."""
        after = accounts.update(nell, {"username": "Nell"})
        event = next(row for row in AuditEvent.query(nell.id) if row.type == "user.updated")

        assert (after.username, after.version) == ("nell", 2)
        assert list(event.changed_fields) == ["username"]
        assert sign_in.sign_in("nell", PASSWORD, CLIENT).user.id == nell.id
        assert len(audited_users()) == 1

    def test_email(self, accounts, nell, mailbox):
        """The user is notified, and the email has the new name only."""
        accounts.update(nell, {"username": "nell"})

        assert mailbox == [Email(EmailKind.USERNAME_CHANGED, nell.email, "nell")]

    def test_taken(self, accounts, ada, nell):
        """The username of another user cannot be added."""
        with pytest.raises(UsernameTaken):
            accounts.update(nell, {"username": "ADA"})

        assert len(audited_users()) == 2

    @pytest.mark.parametrize("username", ["support", "x", ""])
    def test_rules(self, accounts, nell, username):
        """The rules of new usernames apply."""
        with pytest.raises(InvalidField) as rejected:
            accounts.update(nell, {"username": username})

        assert rejected.value.field == "username"

    def test_other_version(self, accounts, nell):
        """A condition on the version holds for an added username, too."""
        with pytest.raises(VersionMismatch):
            accounts.update(nell, {"username": "nell"}, versions={7})

        assert accounts.find("nell") is None


class TestRemove:
    def test_removed(self, accounts, sign_in, ada):
        """A removed username finds no user, and the user signs in with the email address."""
        after = accounts.update(ada, {"username": None})

        assert (after.username, after.version) == (None, 2)
        assert accounts.find("ada") is None
        assert sign_in.sign_in(ada.email, PASSWORD, CLIENT).user.username is None
        assert len(audited_users()) == 1

    def test_old_login(self, accounts, sign_in, ada):
        """It is an unknown login at once."""
        accounts.update(ada, {"username": None})

        with pytest.raises(InvalidCredentials):
            sign_in.sign_in("ada", PASSWORD, CLIENT)

    def test_email(self, accounts, ada, mailbox):
        """The user is notified of the username that was removed."""
        accounts.update(ada, {"username": None})

        assert mailbox == [Email(EmailKind.USERNAME_CHANGED, ada.email, "", detail="ada")]

    def test_quarantine(self, accounts, register, ada):
        """It is in quarantine like one that was changed: others cannot have it."""
        accounts.update(ada, {"username": None})

        with pytest.raises(UsernameTaken):
            register("ada", email="other@example.com")

    def test_taken_back(self, accounts, ada):
        """The same user can take it back."""
        without = accounts.update(ada, {"username": None})

        assert accounts.update(without, {"username": "ada"}).username == "ada"
        assert accounts.find("ada").id == ada.id
        assert len(audited_users()) == 1

    def test_twice(self, accounts, ada):
        """A repeated removal changes nothing."""
        without = accounts.update(ada, {"username": None})

        assert accounts.update(without, {"username": None}).version == 2

    def test_deleted_afterwards(self, accounts, register, ada):
        """The deletion does not end the quarantine of a username that was removed before."""
        accounts.delete(accounts.update(ada, {"username": None}))

        assert audited_users() == []
        with pytest.raises(UsernameTaken):
            register("ada")


class TestRequired:
    def test_missing(self, in_mode):
        """A new user needs a username; every fault is named."""
        with pytest.raises(InvalidField, match=MISSING) as rejected:
            in_mode("required").register(email="x", password="short")

        faults = [rejected.value, *rejected.value.other_failures]
        assert [fault.field for fault in faults] == ["username", "email", "password"]

    def test_not_removed(self, in_mode, ada):
        """A username cannot be removed."""
        with pytest.raises(InvalidField, match=MISSING):
            in_mode("required").update(ada, {"username": None})

    def test_earlier_users(self, in_mode, nell, sign_in):
        """A user without one from before can sign in, change, and add one."""
        accounts = in_mode("required")
        named = accounts.update(nell, {"full_name": "Nell"})

        assert sign_in.sign_in(nell.email, PASSWORD, CLIENT)
        assert accounts.update(named, {"username": "nell"}).username == "nell"

    @pytest.mark.parametrize("operation", ["import_user", "dry_run"])
    def test_import(self, in_mode, operation):
        """An imported user needs a username."""
        with pytest.raises(InvalidField, match=MISSING):
            getattr(UserImport(in_mode("required")), operation)(email="ada@example.com")

        assert audited_users() == []


class TestOff:
    def test_refused(self, in_mode):
        """No new user has a username, and the error says why."""
        with pytest.raises(InvalidField, match=OFF) as rejected:
            in_mode("off").register(username="ada", email="ada@example.com", password=PASSWORD)

        assert rejected.value.field == "username"

    def test_absent(self, in_mode):
        """Users without one are created as ever."""
        user = in_mode("off").register(email="ada@example.com", password=PASSWORD)

        assert user.username is None

    @pytest.mark.parametrize("username", ["ada", "eve"])
    def test_not_changed(self, in_mode, ada, username):
        """No username is set, not even the same one."""
        with pytest.raises(InvalidField, match=OFF):
            in_mode("off").update(ada, {"username": username})

    def test_earlier_users(self, in_mode, ada, sign_in):
        """A user keeps the username from before, and signs in with it."""
        after = in_mode("off").update(ada, {"full_name": "Ada"})

        assert after.username == "ada"
        assert sign_in.sign_in("ada", PASSWORD, CLIENT).user.id == ada.id

    def test_removed(self, in_mode, ada):
        """The username from before can be removed."""
        assert in_mode("off").update(ada, {"username": None}).username is None
        assert len(audited_users()) == 1

    @pytest.mark.parametrize("operation", ["import_user", "dry_run"])
    def test_import(self, in_mode, operation):
        """No imported user has a username."""
        importer = UserImport(in_mode("off"))

        with pytest.raises(InvalidField, match=OFF):
            getattr(importer, operation)(username="ada", email="ada@example.com")


class TestImport:
    def test_repeated(self, accounts):
        """A user without a username is imported once."""
        importer = UserImport(accounts)
        user = importer.import_user(email="nell@example.com")

        assert user.username is None
        assert importer.import_user(email="Nell@example.com") is None
        assert importer.dry_run(email="nell@example.com") is None
        assert len(audited_users()) == 1

    def test_username_of_another(self, accounts, ada):
        """A taken username is an error, also for a new address."""
        with pytest.raises(UsernameTaken):
            UserImport(accounts).dry_run(username="ada", email="nell@example.com")
