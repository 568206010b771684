"""The index of the search for users: a row for each term by which a user is found.

The terms of a user are the email address, the username, and the full name from each of its words
on, so that "john d" finds John Doe. A search reads the rows of one partition that begin with the
text. The rows of a user are written in the transactions that write the user.
"""

import unicodedata
from collections.abc import Iterator
from itertools import islice

from pynamodb.attributes import NumberAttribute, TTLAttribute, UnicodeAttribute

from flask_pynamodb import Transaction
from models.clock import now
from models.db import Table, db
from models.errors import VersionMismatch
from models.folding import fold
from models.tables.user import User, has_indexed_version

# The partition of a row is the beginning of its term, so a shorter text finds nothing.
MIN_LENGTH = 2
# The words of a full name by which its user is found. A transaction has at most 100 operations, and
# each row costs two write units.
MAX_WORDS = 12
# Characters of a term in the key of its row, which DynamoDB limits to 1,024 bytes. Where a longer
# text is searched, the user decides.
_MAX_KEY_LENGTH = 64
# Between the term and the ID; no folded text has it, and it sorts before all that have.
_SEPARATOR = "\t"


class SearchTerm(Table):
    """One row of the index: its key has the term and the ID of the user."""

    class Meta:
        table_name = "search_terms"

    prefix = UnicodeAttribute(hash_key=True)
    term = UnicodeAttribute(range_key=True)
    # How many characters the term has in common with one of the same user that sorts before it. A
    # text that is not longer finds the user by that one.
    shared = NumberAttribute(default=0)
    # Set by a migration for a row that a former release has left behind.
    remove_at = TTLAttribute(null=True)


def partition_of(term: str) -> str:
    """Return the partition of a term's row."""
    return term[:MIN_LENGTH]


def key_of(term: str) -> str:
    """Return the beginning of a term that is part of the key of its row."""
    return term[:_MAX_KEY_LENGTH]


def user_id_in(row_key: str) -> str:
    """Return the ID of the user in the sort key of a row."""
    return row_key.rpartition(_SEPARATOR)[2]


def terms_of(user: User) -> list[str]:
    """Return the terms by which a user is found, sorted.

    A term with which another one begins is left out: the longer one is found by the same texts.
    """
    texts = [fold(user.email), fold(user.username or ""), *_names(fold(user.full_name or ""))]
    terms = sorted({text for text in texts if len(text) >= MIN_LENGTH})
    # In this order, the terms that begin with a term follow it directly.
    return [
        term
        for term, following in zip(terms, [*terms[1:], ""], strict=True)
        if not following.startswith(term)
    ]


def rows_of(user: User) -> dict[str, SearchTerm]:
    """Return the rows of a user by their sort keys, in their order."""
    rows: dict[str, SearchTerm] = {}
    previous = ""
    for key in dict.fromkeys(map(key_of, terms_of(user))):
        row_key = _row_key(key, user)
        shared = _common_length(previous, key)
        rows[row_key] = SearchTerm(partition_of(key), row_key, shared=shared)
        previous = key
    return rows


def first_row_key(user: User, text: str) -> str | None:
    """Return the sort key of the row by which a text finds a user, None if it does not."""
    matching = (term for term in terms_of(user) if term.startswith(text))
    return next((_row_key(key_of(term), user) for term in matching), None)


def add_rows(transaction: Transaction, user: User) -> None:
    """Add all rows of a user, and note it in the user."""
    user.indexed_version = user.version
    for row in rows_of(user).values():
        transaction.save(row)


def remove_rows(transaction: Transaction, user: User) -> None:
    """Remove the rows of a user, if there are any."""
    if user.indexed_version is not None:
        for row in rows_of(user).values():
            transaction.delete(row)


def swap_rows(transaction: Transaction, before: User, after: User) -> None:
    """Replace the rows of a user, if there are any, by those of its next version.

    The rows are those of the version before, unless a host of a former release has written that
    one, which does not know the index: then all rows of the next version are written.
    """
    if before.indexed_version is None:
        return
    after.indexed_version = after.version
    old, new = rows_of(before), rows_of(after)
    stored = {key: row.shared for key, row in old.items()} if is_indexed(before) else {}
    for key in old.keys() - new.keys():
        transaction.delete(old[key])
    for key, row in new.items():
        if stored.get(key) != row.shared:
            transaction.save(row)


def write_rows(transaction: Transaction, user: User) -> None:
    """Write all rows of a stored user, unless those of its present version are there."""
    if not is_indexed(user):
        add_rows(transaction, user)


def drop_rows(transaction: Transaction, user: User) -> None:
    """Remove the rows of a stored user, and note it in the user."""
    remove_rows(transaction, user)
    user.indexed_version = None


def expire_row(transaction: Transaction, row: SearchTerm) -> None:
    """Set when a row is removed, if its user does not have it.

    A user that gets the row at the same time has another version, and the transaction fails.
    """
    user_id = user_id_in(row.term)
    [user] = db.get_many((User, user_id))
    if row.remove_at or (user and is_indexed(user) and row.term in rows_of(user)):
        return
    row.remove_at = now()
    condition = User.id.does_not_exist()
    if user:
        condition = (User.version == user.version) & has_indexed_version(user.indexed_version)
    transaction.condition_check(User, user_id, condition=condition, otherwise=VersionMismatch())


def is_indexed(user: User) -> bool:
    """Return whether the rows of a user are those of its present version."""
    return bool(user.indexed_version == user.version)


def _row_key(key: str, user: User) -> str:
    return f"{key}{_SEPARATOR}{user.id}"


def _common_length(first: str, second: str) -> int:
    """Return the length of the longest text that both texts begin with."""
    pairs = enumerate(zip(first, second, strict=False))
    return next((at for at, (one, other) in pairs if one != other), min(len(first), len(second)))


def _names(full_name: str) -> Iterator[str]:
    """Yield a folded name from each of its words on."""
    return (full_name[start:] for start in islice(_word_starts(full_name), MAX_WORDS))


def _word_starts(text: str) -> Iterator[int]:
    """Yield where words begin: after a space, and after punctuation as in `o'brien`."""
    previous = " "
    for at, char in enumerate(text):
        if previous == " " or (_separates(previous) and not _separates(char)):
            yield at
        previous = char


def _separates(char: str) -> bool:
    return unicodedata.category(char)[0] in "PSZ"
