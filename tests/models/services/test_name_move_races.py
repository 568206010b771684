"""Moves of names at the same time as other changes of the two users."""

from collections import Counter
from typing import Any

import pytest

from models import Actor, IdempotentRequest, Move, NameMoves, User
from models.errors import EmailTaken, InvalidField, LastAdmin, UsernameTaken, UserNotFound
from models.tables.audit_event import AuditEvent
from tests.support.invariants import audited_users
from tests.support.person import CLIENT, NEW_PASSWORD

ROUNDS = range(6)
EMAIL = "copy@example.com"


@pytest.fixture
def moves(context, confirmations) -> NameMoves:
    return NameMoves(confirmations)


@pytest.fixture
def copy(register) -> User:
    """Return the duplicate of ada, with another password."""
    return register("copy", password=NEW_PASSWORD)


def email_of(user: User) -> Move:
    return Move(user.id, email=user.email, deletes_source=True)


def kinds(outcomes: list[Any]) -> dict[type, int]:
    return dict(Counter(map(type, outcomes)))


class TestTwoMoves:
    def test_to_two_users(self, run_concurrently, register, moves, copy):
        """Of ten users that are given one address at the same time exactly one gets it."""
        users = [register(f"user-{n}") for n in range(10)]
        outcomes = run_concurrently(
            *(lambda user=user: moves.move(user, email_of(copy)) for user in users)
        )

        assert kinds(outcomes) == {User: 1, InvalidField: 9}
        assert [user.email for user in audited_users()].count(EMAIL) == 1

    def test_of_one_username(self, run_concurrently, register, moves, copy):
        """Of ten users that are given one username at the same time exactly one gets it."""
        users = [register(f"user-{n}") for n in range(10)]
        move = Move(copy.id, username="copy")
        outcomes = run_concurrently(*(lambda user=user: moves.move(user, move) for user in users))

        assert kinds(outcomes) == {User: 1, InvalidField: 9}
        assert [user.username for user in audited_users()].count("copy") == 1

    def test_in_both_directions(self, run_concurrently, register, moves):
        """Of two users that are merged into each other exactly one remains."""
        for number in ROUNDS:
            one, two = register(f"one-{number}"), register(f"two-{number}")
            outcomes = run_concurrently(
                lambda one=one, two=two: moves.move(one, email_of(two)),
                lambda one=one, two=two: moves.move(two, email_of(one)),
            )

            assert kinds(outcomes)[User] == 1
            assert len(audited_users()) == number + 1

    def test_chain(self, run_concurrently, register, moves):
        """Of a user that is merged into one, and gets the names of another, no name is lost."""
        for number in ROUNDS:
            one, two, three = (register(f"{name}-{number}") for name in ("one", "two", "three"))
            run_concurrently(
                lambda one=one, two=two: moves.move(one, email_of(two)),
                lambda two=two, three=three: moves.move(two, email_of(three)),
            )
            emails = {user.email for user in audited_users()}

            assert emails & {two.email, three.email} != set()
            assert len(emails & {one.email, two.email, three.email}) == 2

    def test_two_admins(self, run_concurrently, register, moves):
        """Two admins that are merged into other users are not both deleted."""
        one, two = register("one", roles=["admin"]), register("two", roles=["admin"])
        ada, eve = register("ada"), register("eve")
        outcomes = run_concurrently(
            lambda: moves.move(ada, email_of(one)), lambda: moves.move(eve, email_of(two))
        )

        assert kinds(outcomes) == {User: 1, LastAdmin: 1}
        assert len(audited_users()) == 3

    def test_one_request(self, run_concurrently, register, moves, ada, copy):
        """Ten equal requests with one idempotency key move the address once, and all show it."""
        requests = [
            IdempotentRequest("a-key-of-a-client", "move", "john", {}, ada.id) for _ in range(10)
        ]
        outcomes = run_concurrently(
            *(
                lambda request=request: moves.move(ada, email_of(copy), request=request)
                for request in requests
            )
        )

        assert [(type(each), each.email, each.version) for each in outcomes] == [
            (User, EMAIL, 2)
        ] * 10
        assert [request.is_replayed for request in requests].count(False) == 1
        assert len(list(AuditEvent.query(copy.id))) == 2


class TestOtherChanges:
    @pytest.mark.parametrize("number", ROUNDS)
    def test_source_changes_its_address(self, run_concurrently, accounts, moves, ada, copy, number):
        """The target gets the address that the caller named, or none: never another one."""
        outcomes = run_concurrently(
            lambda: accounts.update(copy, {"email": "other@example.com"}),
            lambda: moves.move(ada, email_of(copy)),
        )

        emails = sorted(user.email for user in audited_users())
        assert kinds(outcomes) in (
            {User: 1, InvalidField: 1},
            {User: 1, UserNotFound: 1},
        )
        assert emails in ([EMAIL], ["ada@example.com", "other@example.com"])

    @pytest.mark.parametrize("number", ROUNDS)
    def test_target_changes_its_address(self, run_concurrently, accounts, moves, ada, copy, number):
        """Both changes of the target are made, one after the other."""
        run_concurrently(
            lambda: accounts.update(ada, {"email": "other@example.com"}),
            lambda: moves.move(ada, email_of(copy)),
        )

        (user,) = audited_users()
        assert (user.email in (EMAIL, "other@example.com"), user.version) == (True, 3)

    @pytest.mark.parametrize("number", ROUNDS)
    def test_target_confirms_another_address(
        self, run_concurrently, accounts, confirmations, mailbox, moves, ada, copy, number
    ):
        """The moved address stays, even if a pending one is confirmed at the same time."""
        accounts.update(ada, {"email": "new@example.com"}, confirms_email=True)
        token = next(email.token for email in mailbox if email.token)
        outcomes = run_concurrently(
            lambda: confirmations.confirm(token, by=Actor(ada.id)),
            lambda: moves.move(accounts.get(ada.id), email_of(copy)),
        )

        (user,) = audited_users()
        assert type(outcomes[1]) is User
        assert (user.email, user.email_verified, user.pending_email) == (EMAIL, False, None)

    @pytest.mark.parametrize("number", ROUNDS)
    def test_target_changes_other_fields(
        self, run_concurrently, accounts, moves, ada, copy, number
    ):
        """No change of the target is lost."""
        run_concurrently(
            lambda: accounts.update(ada, {"full_name": "Ada"}),
            lambda: moves.move(ada, email_of(copy)),
        )

        (user,) = audited_users()
        assert (user.email, user.full_name, user.version) == (EMAIL, "Ada", 3)

    @pytest.mark.parametrize("number", ROUNDS)
    def test_target_is_deleted(self, run_concurrently, accounts, moves, ada, copy, number):
        """A deleted target leaves no name behind, and the source stays if it was deleted first."""
        outcomes = run_concurrently(
            lambda: accounts.delete(ada), lambda: moves.move(ada, email_of(copy))
        )

        assert outcomes[0] is None
        assert [user.id for user in audited_users()] in ([], [copy.id])

    @pytest.mark.parametrize("number", ROUNDS)
    def test_others_register(self, run_concurrently, register, moves, ada, copy, number):
        """While names move there is no time at which others can register them."""
        move = Move(copy.id, EMAIL, "copy", deletes_source=True)
        outcomes = run_concurrently(
            lambda: moves.move(ada, move),
            *(lambda n=n: register(f"user-{n}", email=EMAIL) for n in range(4)),
            *(lambda n=n: register("copy", email=f"user-{n}@example.com") for n in range(4)),
        )

        assert kinds(outcomes) == {User: 1, EmailTaken: 4, UsernameTaken: 4}

    @pytest.mark.parametrize("number", ROUNDS)
    def test_source_signs_in(self, run_concurrently, sign_in, moves, ada, copy, number):
        """A sign-in to the source leaves no session of the target."""
        run_concurrently(
            lambda: sign_in.sign_in("copy", NEW_PASSWORD, CLIENT),
            lambda: moves.move(ada, Move(copy.id, EMAIL, "copy", deletes_source=True)),
        )

        (user,) = audited_users()
        assert sign_in.list_for(user) == []
