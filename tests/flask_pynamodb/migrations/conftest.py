"""A table of people whose names are to be split."""

from typing import Any

import pytest
from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from flask_pynamodb import PynamoDB


@pytest.fixture
def person(db: PynamoDB) -> Any:
    class Person(db.Model):
        id = UnicodeAttribute(hash_key=True)
        name = UnicodeAttribute(null=True)
        given_name = UnicodeAttribute(null=True)
        family_name = UnicodeAttribute(null=True)
        visits = NumberAttribute(default=0)

    return Person


@pytest.fixture
def split_names(db: PynamoDB, person: Any) -> Any:
    """A migration that is safe to repeat."""

    @db.migration("0001-split-names", person)
    def split_names(item: Any) -> None:
        if item.name is not None:
            item.given_name, _, item.family_name = item.name.partition(" ")
            item.name = None

    return split_names


@pytest.fixture
def people(db: PynamoDB, person: Any, split_names: Any, context: None) -> Any:
    """The tables, with 25 people."""
    db.create_all()
    with person.batch_write() as batch:
        for n in range(25):
            batch.save(person(f"{n:02}", name=f"Given{n} Family{n}"))
    return person


@pytest.fixture
def names(person: Any) -> Any:
    """Returns the names of all people, as the migration leaves them."""
    return lambda: {row.id: (row.name, row.given_name, row.family_name) for row in person.scan()}


@pytest.fixture
def split() -> dict[str, tuple[None, str, str]]:
    """The names of all people after the migration."""
    return {f"{n:02}": (None, f"Given{n}", f"Family{n}") for n in range(25)}
