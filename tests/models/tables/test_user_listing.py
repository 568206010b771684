"""Pages of users that are merged from the shards of an index."""

import pytest

from models.tables import user_listing
from models.tables.user import SHARDS
from models.tables.user_listing import UserFilter, newest_first


@pytest.fixture
def users(register):
    """Sixty users, newest first."""
    return [register(f"user-{number:02}") for number in range(60)][::-1]


def pages(limit):
    """Read all pages, and return the IDs of their users."""
    after, read = None, []
    while True:
        page, after = newest_first(UserFilter(), after=after, limit=limit)
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
    newest_first(UserFilter(), after=None, limit=25)

    assert rounds[0] == SHARDS
    assert len(rounds) <= 2
