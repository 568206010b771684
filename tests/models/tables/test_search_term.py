"""The terms by which users are found."""

import pytest

from models import User
from models.tables.search_term import first_row_key, rows_of, terms_of


def user(full_name: str | None = None, username: str | None = None, email: str = "x@example.com"):
    """Return an unsaved user."""
    return User.new(username=username, email=email, full_name=full_name)


@pytest.mark.parametrize(
    ("full_name", "terms"),
    [
        (None, set()),
        ("", set()),
        ("Ada", {"ada"}),
        ("Ada Lovelace", {"ada lovelace", "lovelace"}),
        ("Dr. Ada  King-Noel", {"dr. ada king-noel", "ada king-noel", "king-noel", "noel"}),
        ("Seán O'Brien", {"sean o'brien", "o'brien", "brien"}),
        ("Bob (Robert) Roe", {"bob (robert) roe", "(robert) roe", "robert) roe", "roe"}),
        ("J. R. R. Tolkien", {"j. r. r. tolkien", "r. r. tolkien", "r. tolkien", "tolkien"}),
        ("Anna Anna", {"anna anna"}),
        ("Anna Annabelle", {"anna annabelle", "annabelle"}),
        ("王小明", {"王小明"}),
        ("Malcolm X", {"malcolm x"}),
    ],
)
def test_words_of_names(full_name: str | None, terms: set[str]):
    """A name counts from each of its words on, unless too little is left."""
    assert set(terms_of(user(full_name))) == {"x@example.com", *terms}


@pytest.mark.parametrize(
    ("username", "email", "terms"),
    [
        (None, "Ada@Example.com", {"ada@example.com"}),
        ("ada", "ada@example.com", {"ada@example.com"}),
        ("adalove", "ada@example.com", {"adalove", "ada@example.com"}),
        ("a_b", "zoë@example.com", {"a_b", "zoe@example.com"}),
    ],
)
def test_names_and_addresses(username: str | None, email: str, terms: set[str]):
    """A username with which the address begins needs no term of its own."""
    assert set(terms_of(user(username=username, email=email))) == terms


def test_many_words():
    """The words of a name after the twelfth have no terms."""
    name = " ".join(f"word{number:02}" for number in range(20))

    assert len(terms_of(user(name))) == 1 + 12


@pytest.mark.parametrize("full_name", ["\ufdfa" * 200, "😀" * 200, "a" * 200, "e\u0301 " * 100])
def test_long_names(full_name: str):
    """The key of a row stays within the limits of DynamoDB, whatever a name folds to."""
    rows = rows_of(user(full_name))

    assert max(len(key.encode()) for key in rows) <= 300
    assert len(rows) <= 1 + 12


def test_rows_of_long_terms():
    """Two terms with the same key have one row."""
    found = user("a" * 80 + "b " + "a" * 80 + "c")

    assert len(rows_of(found)) == 2
    assert first_row_key(found, "a" * 80 + "c") == first_row_key(found, "a" * 80 + "b")
    assert first_row_key(found, "a" * 81) is None


@pytest.mark.parametrize(
    ("text", "term"),
    [("jo", "jo doe"), ("jo.", "jo.doe"), ("joh", "john@example.com"), ("do", "doe"), ("xx", None)],
)
def test_first_row(text: str, term: str | None):
    """A text finds a user by one row: the first of those that begin with it."""
    found = user("Jo Doe", "jo.doe", "john@example.com")
    visible = [
        key.partition("\t")[0]
        for key, row in rows_of(found).items()
        if key.startswith(text) and row.shared < len(text)
    ]

    assert visible == [term] * (term is not None)
    assert first_row_key(found, text) == (term and f"{term}\t{found.id}")
