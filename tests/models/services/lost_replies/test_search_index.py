"""The rows of the search are always those of the users, whatever happens in whatever order."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from models import ANONYMOUS, Accounts, EventType, User, build_user
from models.errors import EmailTaken, TooManyConflicts, UsernameTaken, UserNotFound
from models.tables.search_term import first_row_key, is_indexed
from models.tables.user_listing import UserFilter
from tests.support.faulty_proxy import (
    FaultyProxy,
    conflicted,
    failed_afterwards,
    lost_reply,
    lost_request,
)
from tests.support.invariants import audited_users, search_rows

WRITE = "TransactWriteItems"
# What other users, or the user itself, may change at the same time.
CONFLICTS = (EmailTaken, UsernameTaken, UserNotFound, TooManyConflicts)

FAULTS = st.sampled_from([None, None, lost_reply, lost_request, failed_afterwards, conflicted])
# Few values, which share their beginnings, so that users collide and terms come and go.
USERNAMES = st.none() | st.sampled_from(["ada", "ada.b", "adam", "zoe", "a_b"])
EMAILS = st.sampled_from(
    ["ada@example.com", "Ada@example.com", "adam@example.com", "zoë@example.com", "b@example.com"]
)
WORDS = st.sampled_from(["Ada", "ADAM", "Zoë", "Łuk", "o'Brien", "a", "%", "ada.b", "x" * 70])
FULL_NAMES = st.none() | st.lists(WORDS, max_size=15).map(" ".join)
CHANGES = st.one_of(
    st.fixed_dictionaries({"username": USERNAMES}),
    st.fixed_dictionaries({"email": EMAILS}),
    st.fixed_dictionaries({"full_name": FULL_NAMES}),
    st.fixed_dictionaries({"locale": st.sampled_from(["de", "fr"])}),
    st.fixed_dictionaries({"username": USERNAMES, "email": EMAILS, "full_name": FULL_NAMES}),
)
TEXTS = st.sampled_from(["ad", "ada", "ada@", "zo", "luk", "br", "ada.", "xx", "a_", "x" * 66])


def machine_of(
    accounts: Accounts, proxy: FaultyProxy, run_concurrently: Callable[..., Any]
) -> type[RuleBasedStateMachine]:
    """Return a machine that registers, changes and deletes users, with faults and races."""

    class SearchIndex(RuleBasedStateMachine):
        """Users, as they were before their last changes: so each change may meet a conflict."""

        def __init__(self) -> None:
            super().__init__()
            self.users: list[User] = []

        def pick(self, number: int) -> User | None:
            return self.users[number % len(self.users)] if self.users else None

        @rule(username=USERNAMES, email=EMAILS, full_name=FULL_NAMES, fault=FAULTS)
        def create(self, username: Any, email: Any, full_name: Any, fault: Any) -> None:
            user = build_user(username=username, email=email, full_name=full_name)
            if fault:
                proxy.next(WRITE, fault)
            with suppress(*CONFLICTS):
                accounts.create(user, EventType.USER_IMPORTED, by=ANONYMOUS, any_username=True)
                self.users.append(user)

        @rule(number=st.integers(0, 9), changes=CHANGES, fault=FAULTS)
        def update(self, number: int, changes: Any, fault: Any) -> None:
            user = self.pick(number)
            if user is None:
                return
            if fault:
                proxy.next(WRITE, fault)
            with suppress(*CONFLICTS):
                accounts.update(user, changes, any_username=True)

        @rule(number=st.integers(0, 9), one=CHANGES, other=CHANGES, deletes=st.booleans())
        def race(self, number: int, one: Any, other: Any, deletes: bool) -> None:
            user = self.pick(number)
            if user is None:
                return
            calls = [
                lambda: accounts.update(user, one, any_username=True),
                lambda: accounts.update(user, other, any_username=True),
            ]
            if deletes:
                calls.append(lambda: accounts.delete(user))
            for outcome in run_concurrently(*calls):
                assert outcome is None or isinstance(outcome, (User, *CONFLICTS)), outcome

        @rule(number=st.integers(0, 9), fault=FAULTS)
        def delete(self, number: int, fault: Any) -> None:
            user = self.pick(number)
            if user is None:
                return
            if fault:
                proxy.next(WRITE, fault)
            with suppress(*CONFLICTS):
                accounts.delete(user)

        @rule(text=TEXTS, limit=st.integers(1, 5))
        def search(self, text: str, limit: int) -> None:
            users = {user.id: user for user in audited_users()}
            found: list[str] = []
            after = None
            while True:
                page, after = accounts.search.find(text, UserFilter(), after=after, limit=limit)
                found += [user.id for user in page]
                if after is None:
                    break
            expected = {id: key for id, user in users.items() if (key := first_row_key(user, text))}
            assert found == sorted(expected, key=expected.__getitem__)

        @invariant()
        def rows_are_those_of_the_users(self) -> None:
            assert all(is_indexed(user) for user in audited_users())

        def teardown(self) -> None:
            for user in audited_users():
                accounts.delete(user)
            assert search_rows() == set()

    return SearchIndex


def test_index(accounts, proxy, run_concurrently, context):
    """After each step the index has exactly the rows of the users, and a search finds them."""
    run_state_machine_as_test(
        machine_of(accounts, proxy, run_concurrently),
        settings=settings(
            max_examples=15,
            stateful_step_count=12,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
