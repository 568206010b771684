"""Pages of users that a text finds."""

import pytest

from flask_pynamodb import call_finished
from models import Role, Status, User
from models.tables.search_term import SearchTerm, first_row_key, rows_of
from models.tables.user_listing import UserFilter
from models.tables.user_search import find_page

ALL = UserFilter()
# Each of them has several terms that begin with "jo", most of them side by side.
FIRST_NAMES = ["Jo", "Joan", "John", "Jona"]
LAST_NAMES = ["Jones", "Doe", "Johnson", "Roe", "Joyce"]


def save(user: User) -> User:
    """Store a user with its rows."""
    with User.batch_write() as batch:
        batch.save(user)
    with SearchTerm.batch_write() as batch:
        for row in rows_of(user).values():
            batch.save(row)
    return user


def make(number: int, **fields: object) -> User:
    """Return a user whose names depend on a number."""
    first, last = FIRST_NAMES[number % 4], LAST_NAMES[number % 5]
    login = f"{first}.{last}.{number}".lower()
    values = {
        "username": login,
        "email": f"{last}.{number}@example.com".lower(),
        "full_name": f"{first} {last}",
        "roles": [Role.USER],
    }
    return User.new(**{**values, **fields})


@pytest.fixture
def users(context):
    """Sixty users that "jo" finds, each by several terms, and five that it does not find."""
    others = [
        make(number, username=None, email=f"x{number}@example.com", full_name="X")
        for number in [1, 2]
    ]
    found = [save(make(number)) for number in range(60)]
    _ = [save(user) for user in others]
    return found


@pytest.fixture
def suspended_users(context):
    """Return a function that stores 120 users, of each eight as many suspended as asked."""

    def write(suspended):
        for number in range(120):
            status = Status.SUSPENDED if number * 3 % 8 < suspended else Status.ACTIVE
            save(make(number, status=status))

    return write


def pages(text, limit, chosen=ALL):
    """Read all pages, and return the IDs of their users."""
    after, read = None, []
    while True:
        page, after = find_page(text, chosen, after=after, limit=limit)
        read.append([user.id for user in page])
        if after is None:
            return read


def calls_of(text, chosen=ALL, **page):
    """Return the operations that a page sends, and its users."""
    operations = []

    def note(_, operation, **call):
        operations.append(operation)

    with call_finished.connected_to(note):
        found, _ = find_page(text, chosen, after=None, **page)
    return operations, found


@pytest.mark.parametrize("limit", [1, 2, 7, 25, 59, 60, 61, 100])
@pytest.mark.parametrize("text", ["jo", "joh", "john jo", "jo jones", "jones."])
def test_pages(users, text, limit):
    """Every user with such a term is on one page, once, in the order of its first such term."""
    read = [id for page in pages(text, limit) for id in page]
    expected = sorted(filter(None, (first_row_key(user, text) for user in users)))

    assert read == [row.rpartition("\t")[2] for row in expected]


@pytest.mark.parametrize("limit", [1, 2, 25, 100])
def test_full_pages(users, limit):
    """A page of users that all pass is full except for the last ones."""
    lengths = [len(page) for page in pages("jo", limit)]

    assert lengths[: 60 // limit] == [limit] * (60 // limit)


@pytest.mark.parametrize("limit", [1, 25, 100])
def test_calls(users, limit):
    """A page takes one query and one batch of users, and never more than three of each."""
    operations, found = calls_of("jo", limit=limit)

    assert operations[:2] == ["Query", "BatchGetItem"]
    assert operations.count("Query") <= 3
    assert operations.count("BatchGetItem") <= 3
    assert len(found) == min(limit, 60)


@pytest.mark.parametrize("suspended", [1, 4, 7, 8])
@pytest.mark.parametrize("limit", [1, 25, 100])
def test_filtered_pages(suspended_users, suspended, limit):
    """No user of a filter is missing from the pages of a search, or repeated."""
    suspended_users(suspended)

    read = [id for page in pages("jo", limit, UserFilter(Status.ACTIVE)) for id in page]
    assert len(read) == len(set(read)) == 120 // 8 * (8 - suspended)


@pytest.mark.parametrize("suspended", [1, 4, 7, 8])
def test_calls_of_filtered_pages(suspended_users, suspended):
    """A filter that passes few users costs no further query."""
    suspended_users(suspended)

    operations, _ = calls_of("jo", UserFilter(Status.ACTIVE), limit=25)
    assert operations.count("Query") <= 3
    assert operations.count("BatchGetItem") <= 3


def test_both_filters(context):
    """A search combines with the filters by status and by role."""
    save(make(1, status=Status.SUSPENDED, roles=[Role.SUPPORT]))
    save(make(2, roles=[Role.SUPPORT]))
    chosen = save(make(3, status=Status.SUSPENDED))

    assert pages("jo", 25, UserFilter(Status.SUSPENDED, Role.USER)) == [[chosen.id]]


def test_rows_out_of_date(users):
    """A row of a former name, or of a deleted user, shows no user."""
    SearchTerm("jo", f"joker\t{users[0].id}").save()
    SearchTerm("jo", "joker\t00000000-0000-7000-8000-000000000000").save()

    assert pages("jok", 25) == [[]]
    assert sum(map(len, pages("jo", 25))) == 60


def test_no_user(users):
    """A text that finds no user costs one query."""
    assert calls_of("qx", limit=25) == (["Query"], [])
