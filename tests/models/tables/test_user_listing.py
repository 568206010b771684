"""Pages of users that are merged from the shards of an index."""

import pytest

from flask_pynamodb import call_finished
from models.tables import user_listing
from models.tables.user import SHARDS, Role, Status, User
from models.tables.user_listing import UserFilter, newest_first

ALL = UserFilter()


@pytest.fixture
def users(register):
    """Sixty users, newest first."""
    return [register(f"user-{number:02}") for number in range(60)][::-1]


@pytest.fixture
def suspended_users(context):
    """256 users, evenly in all partitions; of each eight, as many suspended as asked."""

    def write(suspended):
        with User.batch_write() as batch:
            for number in range(256):
                is_suspended = number // SHARDS * 3 % 8 < suspended
                user = User.new(
                    username=f"user-{number}",
                    email=f"user-{number}@example.com",
                    status=Status.SUSPENDED if is_suspended else Status.ACTIVE,
                    roles=[Role.USER],
                    # Nearly what one half read unit pays for.
                    metadata={"notes": "x" * 3_000},
                )
                user.shard = number % SHARDS
                batch.save(user)

    return write


def cost_of(chosen, **page):
    """Return the read units of a page, and the number of its users."""
    units = []

    def count(_, consumed_capacity, **call):
        units.append(consumed_capacity)

    with call_finished.connected_to(count):
        users, _ = newest_first(chosen, after=None, **page)
    return sum(units), len(users)


def pages(limit, chosen=ALL):
    """Read all pages, and return the IDs of their users."""
    after, read = None, []
    while True:
        page, after = newest_first(chosen, after=after, limit=limit)
        read.append([user.id for user in page])
        if after is None:
            return read


@pytest.mark.parametrize("limit", [1, 7, 25, 59, 60, 61, 100])
def test_pages(users, limit):
    """Each page is full except for the last, and no user is missing or repeated."""
    read = pages(limit)

    assert [id for page in read for id in page] == [user.id for user in users]
    assert {len(page) for page in read[:-1]} <= {limit}


@pytest.mark.parametrize("spread", [-2.5, 0.0])
def test_dry_partition(users, monkeypatch, spread):
    """A partition whose first page was too small is read again."""
    monkeypatch.setattr(user_listing, "_SPREAD", spread)

    assert [id for page in pages(25) for id in page] == [user.id for user in users]


def test_round_trips(users, monkeypatch):
    """A page takes one round of queries at the same time, and rarely a second one."""
    rounds = []
    gather = user_listing.db.gather

    def counting(*calls):
        rounds.append(len(calls))
        return gather(*calls)

    monkeypatch.setattr(user_listing.db, "gather", counting)
    newest_first(ALL, after=None, limit=25)

    assert rounds[0] == SHARDS
    assert len(rounds) <= 2


@pytest.mark.parametrize("chosen", [UserFilter(Status.ACTIVE), UserFilter(role=Role.USER)])
def test_filter_that_passes_all(suspended_users, chosen):
    """A filter that passes all users costs what the list without it does: twice what it shows."""
    suspended_users(0)

    plain = cost_of(ALL, limit=25)
    assert cost_of(chosen, limit=25) == plain
    assert plain[0] <= 25
    assert plain[1] == 25


@pytest.mark.parametrize(("suspended", "units"), [(1, 25), (4, 30), (7, 100)])
def test_filter_that_passes_some(suspended_users, suspended, units):
    """A page is full, and reads more only where a filter passes fewer."""
    suspended_users(suspended)

    cost, shown = cost_of(UserFilter(Status.ACTIVE), limit=25)
    assert cost <= units
    assert shown == 25


@pytest.mark.parametrize("limit", [1, 2, 25, 100])
def test_filtered_pages(suspended_users, limit):
    """No user of a filter is missing from its pages, or repeated."""
    suspended_users(6)

    read = [id for page in pages(limit, UserFilter(Status.ACTIVE)) for id in page]
    assert len(read) == len(set(read)) == 64
    assert read == sorted(read, reverse=True)


def test_rare_users(suspended_users, monkeypatch):
    """Where a filter passes nobody, a page of one ends at its bound after a few rounds."""
    rounds = []
    gather = user_listing.db.gather

    def counting(*calls):
        rounds.append(len(calls))
        return gather(*calls)

    monkeypatch.setattr(user_listing.db, "gather", counting)
    suspended_users(8)

    assert newest_first(UserFilter(Status.ACTIVE), after=None, limit=1) == ([], None)
    assert len(rounds) <= 5
