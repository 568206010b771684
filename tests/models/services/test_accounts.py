"""Operations on accounts, each one transaction."""

import pytest

from models import Actor, Client, UserFilter
from models.errors import (
    EmailTaken,
    InvalidField,
    LastAdmin,
    Unauthenticated,
    UsernameTaken,
    UserNotFound,
    VersionMismatch,
)
from models.tables.audit_event import AuditEvent
from models.tables.counter import Counter
from models.tables.identifier import Identifier
from models.tables.session import Session
from models.tables.user import User
from tests.support.person import PASSWORD


def admins() -> int:
    """What the counter of active admins says."""
    return int(Counter.get("active-admins", consistent_read=True).value)


def claims() -> set[str]:
    """Every name that a user has; usernames in quarantine belong to no user."""
    return {claim.value for claim in Identifier.scan() if not claim.held_until}


def events_of(user_id: str) -> list[str]:
    """The types of a user's events in the order they happened."""
    return [event.type for event in AuditEvent.query(user_id)]


class TestRegister:
    def test_claims_and_event(self, register):
        """A user, its two claims and the event are there together."""
        ada = register("ada")

        assert claims() == {"username#ada", "email#ada@example.com"}
        assert events_of(ada.id) == ["user.registered"]

    @pytest.mark.parametrize(
        ("second", "error"),
        [
            ({"username": "ADA", "email": "other@example.com"}, UsernameTaken),
            ({"username": "other", "email": "ADA@Example.com"}, EmailTaken),
        ],
    )
    def test_taken(self, accounts, register, second, error):
        """A taken name is refused, and nothing of the second user is left behind."""
        register("ada")

        with pytest.raises(error):
            accounts.register(password=PASSWORD, **second)

        assert claims() == {"username#ada", "email#ada@example.com"}
        assert len(list(User.scan())) == 1

    def test_by_whom(self, accounts):
        """The event names who registered the user, and from where."""
        ada = accounts.register(
            username="ada",
            email="ada@example.com",
            password=PASSWORD,
            by=Actor("somebody", "192.0.2.1"),
        )

        (event,) = AuditEvent.query(ada.id)
        assert (event.actor_id, event.ip) == ("somebody", "192.0.2.1")

    def test_admins_are_counted(self, register):
        """Only active admins count."""
        register("ada", roles=["admin"])
        register("bob", roles=["admin"], status="suspended")
        register("cid", roles=["user"])

        assert admins() == 1


class TestFind:
    @pytest.mark.parametrize("login", ["ada", "ADA", "Ada@Example.com"])
    def test_login(self, accounts, register, login):
        """A user is found by its name and its address, whatever their case."""
        ada = register("ada")

        assert accounts.find(login).id == ada.id

    @pytest.mark.parametrize("login", ["bob", "bob@example.com", "", "no such name"])
    def test_unknown_login(self, accounts, register, login):
        """Absent is not an error."""
        register("ada")

        assert accounts.find(login) is None

    @pytest.mark.parametrize(
        "id", ["", "me", "../users", "x" * 3000, "00000000-0000-0000-0000-000000000000"]
    )
    def test_unknown_id(self, accounts, id):
        """An unknown or malformed ID is rejected without a database error."""
        with pytest.raises(UserNotFound):
            accounts.get(id)


class TestUpdate:
    def test_rename(self, accounts, register):
        """A new name is reserved and the old one is released, in one step."""
        ada = register("ada")

        accounts.update(ada, {"username": "countess"})

        assert claims() == {"username#countess", "email#ada@example.com"}
        again = register("ada", email="second@example.com", any_username=True)
        assert again.username == "ada"

    def test_rename_to_taken(self, accounts, register):
        """A taken name changes nothing."""
        ada, _ = register("ada"), register("bob")

        with pytest.raises(UsernameTaken):
            accounts.update(ada, {"username": "bob", "full_name": "Ada"})

        assert accounts.get(ada.id).full_name is None

    def test_new_address(self, accounts, register):
        """Another address is not verified yet."""
        ada = register("ada")
        ada.update([User.email_verified.set(True)])

        changed = accounts.update(ada, {"email": "new@example.com"})

        assert not changed.email_verified
        assert not accounts.get(ada.id).email_verified

    def test_case_of_address(self, accounts, register):
        """The same address in other letters is still verified and still claimed."""
        ada = register("ada")
        ada.update([User.email_verified.set(True)])

        changed = accounts.update(accounts.get(ada.id), {"email": "ADA@example.com"})

        assert (changed.email, changed.email_verified) == ("ADA@example.com", True)

    def test_nothing_differs(self, accounts, register):
        """A change that changes nothing writes nothing."""
        ada = register("ada")

        assert accounts.update(ada, {"username": "Ada"}).version == ada.version
        assert events_of(ada.id) == ["user.registered"]

    def test_true_is_not_one(self, accounts, register):
        """Metadata distinguish true from 1, though Python does not."""
        ada = register("ada", metadata={"flag": 1})

        assert accounts.update(ada, {"metadata": {"flag": True}}).metadata == {"flag": True}
        assert accounts.get(ada.id).metadata["flag"] is True

    def test_metadata_outgrow(self, accounts, register):
        """Metadata that is small in the request and large after a merge is rejected."""
        ada = register("ada", metadata={"a": "x" * 3000})

        with pytest.raises(InvalidField, match="metadata"):
            accounts.update(ada, {"metadata": lambda current: {**current, "b": "x" * 3000}})

    def test_metadata_function(self, accounts, register):
        """A function of the metadata is applied to the current value, also after a conflict."""
        ada = register("ada", metadata={"a": 1})
        accounts.update(ada, {"metadata": {"a": 1, "b": 2}})

        changed = accounts.update(ada, {"metadata": lambda current: {**current, "c": 3}})

        assert changed.metadata == {"a": 1, "b": 2, "c": 3}

    def test_stale_user(self, accounts, register):
        """After a concurrent change the user is read again, and both changes are stored."""
        ada = register("ada")
        accounts.update(ada, {"full_name": "Ada"})

        changed = accounts.update(ada, {"metadata": {"a": 1}})

        assert (changed.full_name, changed.metadata) == ("Ada", {"a": 1})

    def test_version_demanded(self, accounts, register):
        """A caller who names a version changes that version or nothing."""
        ada = register("ada")
        accounts.update(ada, {"full_name": "Ada"})

        with pytest.raises(VersionMismatch):
            accounts.update(ada, {"full_name": "Countess"}, versions={1})

    def test_gone(self, accounts, register):
        """A concurrently deleted user is not restored."""
        ada = register("ada")
        accounts.delete(ada)

        with pytest.raises(UserNotFound):
            accounts.update(ada, {"full_name": "Ada"})

        assert list(User.scan()) == []

    def test_sign_in_meanwhile(self, accounts, register, sign_in):
        """A change made from an older reading keeps the time of a sign-in since."""
        ada = register("ada")
        sign_in.sign_in("ada", PASSWORD, Client())

        accounts.update(ada, {"full_name": "Ada"})

        assert accounts.get(ada.id).last_login_at is not None

    @pytest.mark.parametrize("change", [{"roles": ["user"]}, {"status": "suspended"}])
    def test_last_admin(self, accounts, register, change):
        """The last active admin stays one."""
        ada = register("ada", roles=["admin"])
        register("bob", roles=["admin"], status="suspended")

        with pytest.raises(LastAdmin):
            accounts.update(ada, change)

        assert accounts.get(ada.id).is_active_admin
        assert admins() == 1

    def test_suspension(self, accounts, register, sign_in):
        """A suspension ends the sessions for good: they do not come back with the user."""
        ada = register("ada")
        _, token, _, _ = sign_in.sign_in("ada", PASSWORD, Client())
        suspended = accounts.update(ada, {"status": "suspended"})

        accounts.update(suspended, {"status": "active"})

        with pytest.raises(Unauthenticated):
            sign_in.authenticate(token)
        assert events_of(ada.id)[-2:] == ["user.suspended", "user.reactivated"]

    def test_members_in_event(self, accounts, register):
        """The event names what changed, never to what."""
        ada = register("ada")

        accounts.update(ada, {"full_name": "Ada", "metadata": {"secret": "x"}})

        *_, event = AuditEvent.query(ada.id)
        assert event.changed_fields == ["full_name", "metadata"]
        assert "secret" not in str(event.attribute_values)


class TestDelete:
    def test_names_are_free(self, accounts, register):
        """User and reservations are deleted together; the address is free."""
        ada = register("ada")

        accounts.delete(ada)

        assert claims() == set()
        assert register("countess", email="ada@example.com").id != ada.id

    def test_sessions(self, accounts, register, sign_in):
        """Every session is dead and its row is swept away."""
        register("ada")
        _, token, ada, _ = sign_in.sign_in("ada", PASSWORD, Client())

        accounts.delete(ada)

        with pytest.raises(Unauthenticated):
            sign_in.authenticate(token)
        assert list(Session.query(ada.id)) == []

    def test_twice(self, accounts, register):
        """The second deletion finds no user."""
        ada = register("ada")
        accounts.delete(ada)

        with pytest.raises(UserNotFound):
            accounts.delete(ada)

    def test_stale_user(self, accounts, register):
        """A concurrently renamed user is deleted with its new reservations."""
        ada = register("ada")
        accounts.update(ada, {"username": "countess"})

        accounts.delete(ada)

        assert claims() == set()

    def test_last_admin(self, accounts, register):
        """The last active admin stays."""
        ada = register("ada", roles=["admin"])

        with pytest.raises(LastAdmin):
            accounts.delete(ada)

        assert accounts.get(ada.id)

    def test_second_admin(self, accounts, register):
        """One of two admins may go, and the number says so."""
        ada, _ = register("ada", roles=["admin"]), register("bob", roles=["admin"])

        accounts.delete(ada)

        assert admins() == 1


class TestNewestFirst:
    @pytest.fixture
    def crowd(self, register):
        """Twelve users in the order they came; every third an admin, every fourth suspended."""
        return [
            register(
                f"user{n:02}",
                roles=["admin" if n % 3 == 0 else "user"],
                status="suspended" if n % 4 == 0 else "active",
            ).username
            for n in range(12)
        ]

    def everybody(self, accounts, chosen, limit):
        """The names on all pages, following the positions."""
        names, after = [], None
        for _ in range(50):
            page, after = accounts.newest_first(chosen, after=after, limit=limit)
            assert len(page) <= limit
            names += [user.username for user in page]
            if after is None:
                return names
        raise AssertionError("the list has no end")

    @pytest.mark.parametrize("limit", [1, 2, 5, 12, 100])
    def test_pages(self, accounts, crowd, limit):
        """All pages together hold everybody once, newest first, at any page size."""
        assert self.everybody(accounts, UserFilter(), limit) == crowd[::-1]

    @pytest.mark.parametrize("limit", [1, 3, 100])
    @pytest.mark.parametrize(
        ("status", "role", "expected"),
        [
            ("active", None, [1, 2, 3, 5, 6, 7, 9, 10, 11]),
            ("suspended", None, [0, 4, 8]),
            ("deleted", None, []),
            (None, "admin", [0, 3, 6, 9]),
            (None, "user", [1, 2, 4, 5, 7, 8, 10, 11]),
            ("suspended", "admin", [0]),
            ("active", "admin", [3, 6, 9]),
            ("suspended", "user", [4, 8]),
        ],
    )
    def test_filters(self, accounts, crowd, status, role, expected, limit):
        """A filter passes exactly those it names, whichever index it is read from."""
        chosen = UserFilter(status, role)

        names = [crowd[n] for n in expected][::-1]
        assert self.everybody(accounts, chosen, limit) == names

    def test_bounded_work(self, accounts, crowd, monkeypatch):
        """With a selective filter a page ends early and has a cursor."""
        monkeypatch.setattr("models.tables.user_listing._MAX_EVALUATED", 1)

        names = self.everybody(accounts, UserFilter("active", "user"), 1)

        assert names == [crowd[n] for n in (1, 2, 5, 7, 10, 11)][::-1]

    def test_leaves_an_index(self, accounts, crowd):
        """An admin who is demoted, and a suspended user who returns, leave the sparse indexes."""
        accounts.update(accounts.find("user03"), {"roles": ["user"]})
        accounts.update(accounts.find("user04"), {"status": "active"})

        admin_names = self.everybody(accounts, UserFilter(role="admin"), 100)
        barred_names = self.everybody(accounts, UserFilter(status="suspended"), 100)

        assert "user03" not in admin_names
        assert "user04" not in barred_names


class TestFindNamed:
    def test_both_names(self, accounts, register):
        """A username and an email address find only the user that has both."""
        ada = register("ada")
        register("bob")

        assert accounts.find_named("ada", "ADA@example.com").id == ada.id
        assert accounts.find_named("ada", "bob@example.com") is None
        assert accounts.find_named("nobody", "ada@example.com") is None
        assert accounts.find_named(None, "ada@example.com").id == ada.id
        assert accounts.find_named("ada@example.com", None) is None


class TestModel:
    def test_repr(self, register):
        """A printed user shows its id and nothing else (ASVS 16.2.5)."""
        ada = register("ada")

        assert repr(ada) == f"<User {ada.id}>"
