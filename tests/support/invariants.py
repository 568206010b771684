"""Invariants of the stored rows, after any sequence of operations and faults."""

from models.tables.counter import Counter
from models.tables.identifier import Identifier, email_key, external_key, username_key
from models.tables.search_term import SearchTerm, is_indexed, rows_of
from models.tables.user import User


def audited_users() -> list[User]:
    """Return all users, after checking the invariants.

    Each user has exactly the reservations of its email address, and of its username and external ID
    where it has them, there are no others, and the counter equals the number of active admins. The
    index of the search has the rows of all users that have rows, and no others.
    """
    users: list[User] = list(User.scan(consistent_read=True))
    reservations = {
        row.value: row.owner for row in Identifier.scan(consistent_read=True) if not row.held_until
    }
    counted = sum(row.value for row in Counter.scan(consistent_read=True))

    assert reservations == {
        key: user.id
        for user in users
        for key in (
            email_key(user.email),
            user.username and username_key(user.username),
            user.external_id and external_key(user.external_id),
        )
        if key
    }
    assert counted == len([user for user in users if user.is_active_admin])
    assert search_rows() == {
        (row.prefix, key, row.shared)
        for user in users
        if is_indexed(user)
        for key, row in rows_of(user).items()
    }
    return users


def search_rows() -> set[tuple[str, str, float]]:
    """Return the rows of the index of the search that are not to be removed."""
    rows = SearchTerm.scan(consistent_read=True)
    return {(row.prefix, row.term, row.shared) for row in rows if not row.remove_at}
