"""What happens when several callers want the same thing at the same moment."""

from collections import Counter
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from passlib.hash import bcrypt

from models import OpenedSession, User
from models.errors import (
    EmailTaken,
    ExternalIdTaken,
    InvalidCredentials,
    LastAdmin,
    Unauthenticated,
    UsernameTaken,
    UserNotFound,
    WrongPassword,
)
from models.tables.audit_event import unfinished_cleanup
from models.tables.session import Session
from tests.support.invariants import audited_users
from tests.support.metadata import add_key
from tests.support.person import CLIENT, NEW_PASSWORD, PASSWORD

ROUNDS = range(10)


def kinds(outcomes: list[Any]) -> dict[type, int]:
    """How many outcomes there are of each kind."""
    return dict(Counter(map(type, outcomes)))


def names_of(users: list[User]) -> list[str]:
    return sorted(user.username for user in users)


class TestRegister:
    def test_one_address(self, run_concurrently, register):
        """Of forty people with one address, in whatever case, exactly one gets it."""
        addresses = ["ada@example.com", "Ada@Example.com"] * 20
        outcomes = run_concurrently(
            *(lambda n=n: register(f"user-{n}", email=addresses[n]) for n in range(40))
        )

        assert kinds(outcomes) == {User: 1, EmailTaken: 39}
        assert len(audited_users()) == 1

    def test_one_user_name(self, run_concurrently, register):
        """Of forty people with one user name exactly one gets it."""
        outcomes = run_concurrently(
            *(lambda n=n: register("ada", email=f"user-{n}@example.com") for n in range(40))
        )

        assert kinds(outcomes) == {User: 1, UsernameTaken: 39}
        assert len(audited_users()) == 1

    def test_different_people(self, run_concurrently, register):
        """People who want different things do not get in each other's way."""
        outcomes = run_concurrently(
            *(lambda n=n: register(f"user-{n}", roles=["admin"]) for n in range(20))
        )

        assert kinds(outcomes) == {User: 20}
        assert len(audited_users()) == 20

    def test_name_that_becomes_free(self, run_concurrently, register, accounts):
        """A released name goes to exactly one user."""
        ada = register("ada")
        outcomes = run_concurrently(
            lambda: accounts.update(ada, {"username": "eve"}),
            *(lambda n=n: register("ada", email=f"user-{n}@example.com") for n in range(10)),
        )

        assert type(outcomes[0]) is User
        assert kinds(outcomes[1:]).get(User, 0) <= 1
        assert names_of(audited_users()).count("ada") <= 1


class TestExternalId:
    def test_one_id(self, run_concurrently, register, accounts):
        """Of ten users that are given one ID of another system at once, exactly one gets it."""
        users = [register(f"user-{n}") for n in range(10)]
        outcomes = run_concurrently(
            *(lambda user=user: accounts.update(user, {"external_id": "crm-1"}) for user in users)
        )

        assert kinds(outcomes) == {User: 1, ExternalIdTaken: 9}
        assert [user.external_id for user in audited_users()].count("crm-1") == 1

    def test_deleted_meanwhile(self, run_concurrently, register, accounts):
        """A user that is deleted while it gets an ID leaves none behind."""
        for number in ROUNDS:
            ada = register(f"ada-{number}")
            run_concurrently(
                lambda ada=ada: accounts.update(ada, {"external_id": "crm-1"}),
                lambda ada=ada: accounts.delete(ada),
            )

            assert audited_users() == []

    def test_changed_at_once(self, run_concurrently, register, accounts):
        """Concurrent changes of one user's ID leave exactly the reservation of the last one."""
        one = accounts.update(register("one"), {"external_id": "crm-1"})
        run_concurrently(
            lambda: accounts.update(one, {"external_id": "crm-2"}),
            lambda: accounts.update(one, {"external_id": "crm-3"}),
            lambda: accounts.update(one, {"external_id": None}),
        )

        assert audited_users()[0].external_id in ("crm-2", "crm-3", None)


class TestLastAdmin:
    def test_two_demote_each_other(self, run_concurrently, register, accounts):
        """However often two admins demote each other, one admin stays."""
        one, two = register("one", roles=["admin"]), register("two", roles=["admin"])
        for _ in ROUNDS:
            outcomes = run_concurrently(
                lambda user=two: accounts.update(user, {"roles": ["user"]}),
                lambda user=one: accounts.update(user, {"roles": ["user"]}),
            )

            assert kinds(outcomes) == {User: 1, LastAdmin: 1}
            assert [user.is_admin for user in audited_users()].count(True) == 1
            one, two = (accounts.update(user, {"roles": ["admin"]}) for user in audited_users())

    def test_two_delete_each_other(self, run_concurrently, register, accounts):
        """Of two admins who delete each other one stays."""
        one, two = register("one", roles=["admin"]), register("two", roles=["admin"])
        outcomes = run_concurrently(lambda: accounts.delete(two), lambda: accounts.delete(one))

        assert kinds(outcomes) == {type(None): 1, LastAdmin: 1}
        assert len(audited_users()) == 1

    def test_three_by_three_ways(self, run_concurrently, register, accounts):
        """Deleting, suspending and demoting count together."""
        one, two, three = (register(name, roles=["admin"]) for name in ("one", "two", "three"))
        outcomes = run_concurrently(
            lambda: accounts.delete(one),
            lambda: accounts.update(two, {"status": "suspended"}),
            lambda: accounts.update(three, {"roles": ["user"]}),
        )

        assert kinds(outcomes)[LastAdmin] == 1
        assert [user.is_active_admin for user in audited_users()].count(True) == 1

    def test_one_is_demoted_by_many(self, run_concurrently, register, accounts):
        """Ten concurrent demotions of one user count as one."""
        register("john", roles=["admin"])
        ada = register("ada", roles=["admin"])
        outcomes = run_concurrently(*[lambda: accounts.update(ada, {"roles": ["user"]})] * 10)

        assert kinds(outcomes) == {User: 10}
        assert [user.is_active_admin for user in audited_users()].count(True) == 1


class TestUpdate:
    def test_different_members(self, run_concurrently, accounts, ada):
        """Twenty changes to different members of one user all land: none is lost or refused."""
        changes = [{"metadata": partial(add_key, n)} for n in range(17)]
        changes += [{"username": "eve"}, {"email": "eve@example.com"}, {"full_name": "Eve"}]
        outcomes = run_concurrently(*(lambda c=c: accounts.update(ada, c) for c in changes))
        after = accounts.get(ada.id)

        assert kinds(outcomes) == {User: 20}
        assert after.metadata == {f"key-{n}": n for n in range(17)}
        assert (after.username, after.email) == ("eve", "eve@example.com")
        assert after.full_name == "Eve"
        assert after.version == 21
        assert names_of(audited_users()) == ["eve"]

    def test_swap_of_names(self, run_concurrently, register, accounts, ada):
        """Two users who want each other's name both hear that it is taken."""
        bob = register("bob")
        outcomes = run_concurrently(
            lambda: accounts.update(ada, {"username": "bob"}),
            lambda: accounts.update(bob, {"username": "ada"}),
        )

        assert kinds(outcomes) == {UsernameTaken: 2}
        assert names_of(audited_users()) == ["ada", "bob"]

    def test_chain_of_names(self, run_concurrently, register, accounts, ada):
        """A request for a name that is being released succeeds or fails with "taken"."""
        bob = register("bob")
        outcomes = run_concurrently(
            lambda: accounts.update(ada, {"username": "eve"}),
            lambda: accounts.update(bob, {"username": "ada"}),
        )

        assert type(outcomes[0]) is User
        assert type(outcomes[1]) in (User, UsernameTaken)
        assert len(audited_users()) == 2

    def test_one_new_name_for_many(self, run_concurrently, register, accounts):
        """Of ten users who want one name exactly one gets it, and keeps no other."""
        users = [register(f"user-{n}") for n in range(10)]
        outcomes = run_concurrently(
            *(lambda user=user: accounts.update(user, {"username": "ada"}) for user in users)
        )

        assert kinds(outcomes) == {User: 1, UsernameTaken: 9}
        assert names_of(audited_users()).count("ada") == 1

    def test_one_added_name_for_many(self, run_concurrently, register, accounts):
        """Of ten users without a name who add the same one exactly one gets it."""
        users = [register(f"user-{n}", username=None) for n in range(10)]
        outcomes = run_concurrently(
            *(lambda user=user: accounts.update(user, {"username": "ada"}) for user in users)
        )

        assert kinds(outcomes) == {User: 1, UsernameTaken: 9}
        assert [user.username for user in audited_users()].count("ada") == 1

    @pytest.mark.parametrize("turn", ROUNDS)
    def test_name_is_added_and_removed(self, run_concurrently, register, accounts, turn):
        """A user who adds two names and removes the name at once has one of the three results."""
        nell = register("nell", username=None)
        outcomes = run_concurrently(
            *(
                lambda name=name: accounts.update(nell, {"username": name})
                for name in ("ada", "eve", None)
            ),
        )

        assert kinds(outcomes) == {User: 3}
        assert audited_users()[0].username in ("ada", "eve", None)

    @pytest.mark.parametrize("turn", ROUNDS)
    def test_name_is_added_to_a_deleted_user(self, run_concurrently, register, accounts, turn):
        """A user without a name who adds one and is deleted at once is gone under the name."""
        nell = register("nell", username=None)
        outcomes = run_concurrently(
            lambda: accounts.delete(nell),
            lambda: accounts.update(nell, {"username": "nell"}),
        )

        assert outcomes[0] is None
        assert type(outcomes[1]) in (User, UserNotFound)
        assert audited_users() == []

    def test_user_is_deleted(self, run_concurrently, accounts, ada):
        """A user who is renamed and deleted at once is gone under both names."""
        outcomes = run_concurrently(
            lambda: accounts.delete(ada),
            lambda: accounts.update(ada, {"username": "eve", "email": "eve@example.com"}),
        )

        assert outcomes[0] is None
        assert type(outcomes[1]) in (User, UserNotFound)
        assert audited_users() == []


class TestDelete:
    def test_by_many(self, run_concurrently, accounts, ada):
        """Ten concurrent deletions of a user delete it once."""
        outcomes = run_concurrently(*[lambda: accounts.delete(ada)] * 10)

        assert kinds(outcomes) == {type(None): 1, UserNotFound: 9}
        assert audited_users() == []


class TestSignIn:
    def test_by_many(self, run_concurrently, sign_in, ada):
        """One user signs in from twenty places at once, each with a session of its own."""
        outcomes = run_concurrently(*[lambda: sign_in.sign_in("ada", PASSWORD, CLIENT)] * 20)

        assert kinds(outcomes) == {OpenedSession: 20}
        assert len({opened.token for opened in outcomes}) == 20
        assert len(sign_in.list_for(ada)) == 20

    def test_by_many_with_an_old_hash(self, run_concurrently, sign_in, ada):
        """The hash is renewed at the first sign-in; those at the same moment are not refused."""
        old = bcrypt.using(rounds=4).hash(PASSWORD)
        ada.update([User.password_hash.set(old)])
        outcomes = run_concurrently(*[lambda: sign_in.sign_in("ada", PASSWORD, CLIENT)] * 10)

        assert kinds(outcomes) == {OpenedSession: 10}
        assert User.get(ada.id).password_hash.startswith("$argon2id$")

    def test_user_is_changed(self, run_concurrently, sign_in, accounts, ada):
        """Signing in neither loses nor hinders a change to the user."""
        changes = [{"metadata": partial(add_key, n)} for n in range(5)]
        outcomes = run_concurrently(
            *[lambda: sign_in.sign_in("ada", PASSWORD, CLIENT)] * 5,
            *(lambda c=c: accounts.update(ada, c) for c in changes),
        )

        assert kinds(outcomes) == {OpenedSession: 5, User: 5}
        assert accounts.get(ada.id).metadata == {f"key-{n}": n for n in range(5)}
        assert accounts.get(ada.id).last_login_at is not None

    @pytest.mark.parametrize("turn", ROUNDS)
    def test_user_is_suspended(self, run_concurrently, sign_in, accounts, ada, turn):
        """In every order, no session from before the suspension is valid after it."""
        suspended, *outcomes = run_concurrently(
            lambda: accounts.update(ada, {"status": "suspended"}),
            *[lambda: sign_in.sign_in("ada", PASSWORD, CLIENT)] * 8,
        )
        accounts.update(suspended, {"status": "active"})

        assert set(kinds(outcomes)) <= {OpenedSession, InvalidCredentials}
        assert list(Session.query(ada.id, consistent_read=True)) == []
        assert list(unfinished_cleanup(timedelta(0))) == []

    @pytest.mark.parametrize("turn", ROUNDS)
    def test_password_is_changed(self, credentials, run_concurrently, sign_in, accounts, ada, turn):
        """In every order, no session created with the old password is still valid."""
        session, token, _, _ = sign_in.sign_in("ada", PASSWORD, CLIENT)
        changed, *outcomes = run_concurrently(
            lambda: credentials.change_password(
                ada, current_password=PASSWORD, new_password=NEW_PASSWORD, session=session
            ),
            *[lambda: sign_in.sign_in("ada", PASSWORD, CLIENT)] * 8,
        )
        after = accounts.get(ada.id)

        assert changed is None
        assert set(kinds(outcomes)) <= {OpenedSession, InvalidCredentials}
        assert sign_in.authenticate(token).user.id == ada.id
        assert [row.id for row in sign_in.list_for(after)] == [session.id]

    @pytest.mark.parametrize("turn", ROUNDS)
    def test_user_is_deleted(self, run_concurrently, sign_in, accounts, ada, turn):
        """In every order, no rows of the user remain."""
        deleted, *outcomes = run_concurrently(
            lambda: accounts.delete(ada),
            *[lambda: sign_in.sign_in("ada", PASSWORD, CLIENT)] * 8,
        )

        assert deleted is None
        assert set(kinds(outcomes)) <= {OpenedSession, InvalidCredentials}
        assert list(Session.query(ada.id, consistent_read=True)) == []
        assert audited_users() == []


class TestChangePassword:
    def test_twice(self, credentials, run_concurrently, sign_in, accounts, ada):
        """Of two people who both know the old password one sets the new one."""
        first, second = (sign_in.sign_in("ada", PASSWORD, CLIENT)[0] for _ in range(2))
        outcomes = run_concurrently(
            lambda: credentials.change_password(
                ada, current_password=PASSWORD, new_password=NEW_PASSWORD, session=first
            ),
            lambda: credentials.change_password(
                ada, current_password=PASSWORD, new_password=NEW_PASSWORD, session=second
            ),
        )

        # The slower one finds another password, or that its session has been ended.
        assert outcomes.count(None) == 1
        assert set(kinds(outcomes)) - {type(None)} <= {WrongPassword, Unauthenticated}
        assert len(sign_in.list_for(accounts.get(ada.id))) == 1
