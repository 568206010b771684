"""Reserved usernames, and the quarantine of usernames that were given up."""

from datetime import timedelta

import pytest

from models import Accounts, UsernameRules
from models.clock import now
from models.errors import InvalidCredentials, InvalidField, UsernameTaken
from models.tables.identifier import Identifier, username_key
from models.tables.session import Client
from tests.support.invariants import audited_users
from tests.support.person import PASSWORD

DAY = timedelta(days=1)


def end_quarantine(username):
    row = Identifier.get(username_key(username))
    row.update([Identifier.held_until.set(now() - DAY)])


class TestReserved:
    @pytest.mark.parametrize(
        "username",
        [
            *("admin", "administrator", "root", "support", "security", "postmaster", "abuse"),
            *("hostmaster", "webmaster", "roster", "system", "help", "info", "noreply", "noc"),
            *("Admin", "a.d.m.i.n", "admin_", "admin-1", "support2026", "no-reply", "www"),
        ],
    )
    def test_reserved(self, register, username):
        """Names of roles (RFC 2142) and of the service are not available to users (M7)."""
        with pytest.raises(InvalidField, match="reserved") as rejected:
            register(username)

        assert rejected.value.field == "username"
        assert audited_users() == []

    @pytest.mark.parametrize("username", ["adminah", "rootes", "john", "123", "infoline"])
    def test_others(self, register, username):
        """A username that only begins like a reserved one is available."""
        assert register(username).username == username

    def test_by_change(self, accounts, ada):
        """A user cannot change to a reserved username."""
        with pytest.raises(InvalidField, match="reserved"):
            accounts.update(ada, {"username": "support"})

    def test_other_change(self, accounts, register):
        """A user that has a reserved username can keep it and change other fields."""
        root = register("root", any_username=True)

        assert accounts.update(root, {"full_name": "R", "username": "root"}).full_name == "R"

    def test_further_names(self, accounts):
        """The operator can reserve further names."""
        with pytest.raises(InvalidField):
            UsernameRules(["acme"]).require_allowed("ac-me")


class TestQuarantine:
    @pytest.fixture(params=["rename", "deletion"])
    def gave_up(self, request, accounts, ada):
        """A user that has given up the username ada."""
        if request.param == "deletion":
            accounts.delete(ada)
            return ada
        return accounts.update(ada, {"username": "countess"})

    def test_not_available(self, register, gave_up):
        """A username that was given up is not available to others (M7)."""
        with pytest.raises(UsernameTaken):
            register("ada", email="other@example.com")

    def test_not_by_change(self, accounts, register, gave_up):
        """Nor can another user change to it."""
        with pytest.raises(UsernameTaken):
            accounts.update(register("bob"), {"username": "ada"})

    def test_end(self, register, gave_up):
        """After the quarantine it is available, whether or not DynamoDB has deleted the row."""
        end_quarantine("ada")

        assert register("ada", email="other@example.com").username == "ada"
        audited_users()

    def test_admin(self, register, gave_up):
        """An admin can assign it at once."""
        assert register("ada", email="other@example.com", any_username=True).username == "ada"
        audited_users()

    def test_email_is_available(self, register, gave_up, accounts):
        """The email address of a deleted user is available at once, as before."""
        if accounts.find("ada@example.com") is None:
            assert register("bob", email="ada@example.com").email == "ada@example.com"

    def test_no_sign_in(self, sign_in, gave_up):
        """The old username is an unknown login."""
        with pytest.raises(InvalidCredentials):
            sign_in.sign_in("ada", PASSWORD, Client())

    def test_not_found(self, accounts, gave_up):
        """No user is found by the old username."""
        assert accounts.find("ada") is None
        assert accounts.find_named("ada", None) is None

    def test_taken_back(self, accounts, ada):
        """The same user can take the username back, and give it up again."""
        renamed = accounts.update(ada, {"username": "countess"})
        again = accounts.update(renamed, {"username": "ada"})

        assert accounts.find("ada").id == ada.id
        assert accounts.find("countess") is None
        assert accounts.update(again, {"username": "countess"}).username == "countess"
        audited_users()

    def test_taken_over_by_an_admin_for_another(self, accounts, ada, register):
        """The former user cannot take a username back once another user has it."""
        renamed = accounts.update(ada, {"username": "countess"})
        register("ada", email="other@example.com", any_username=True)

        with pytest.raises(UsernameTaken):
            accounts.update(renamed, {"username": "ada"})

    def test_off(self, hasher, policy, confirmations, ada, register):
        """With a quarantine of 0 seconds a username is available at once."""
        rules = UsernameRules(quarantine=timedelta())
        accounts = Accounts(hasher, policy, confirmations, usernames=rules)
        accounts.delete(ada)

        assert register("ada").username == "ada"
