"""Models, as an application declares and uses them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, assert_type

from pynamodb.attributes import (
    BooleanAttribute,
    DynamicMapAttribute,
    ListAttribute,
    MapAttribute,
    NumberAttribute,
    UnicodeAttribute,
    UnicodeSetAttribute,
    UTCDateTimeAttribute,
    VersionAttribute,
)
from pynamodb.expressions.condition import Comparison
from pynamodb.expressions.update import Action
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex, LocalSecondaryIndex
from pynamodb.pagination import ResultIterator

from flask_pynamodb import Model, Page, PynamoDB, UniqueValue

db = PynamoDB()


class Address(MapAttribute[str, Any]):
    street = UnicodeAttribute()
    number = NumberAttribute(null=True)


class ByText(GlobalSecondaryIndex["Todo"]):
    class Meta:
        index_name = "by-text"
        projection = AllProjection()

    text = UnicodeAttribute(hash_key=True)


class Due(LocalSecondaryIndex["Todo"]):
    class Meta:
        index_name = "due"
        projection = AllProjection()

    owner = UnicodeAttribute(hash_key=True)
    due_at = UTCDateTimeAttribute(range_key=True)


class Todo(db.Model):
    class Meta:
        table_name = "todos"
        region = "eu-central-1"

    owner = UnicodeAttribute(hash_key=True)
    id = UnicodeAttribute(range_key=True)
    text = UnicodeAttribute(default="")
    effort = NumberAttribute(null=True)
    is_done = BooleanAttribute(default=False)
    tags = UnicodeSetAttribute(null=True)
    due_at = UTCDateTimeAttribute(null=True)
    # PynamoDB's own class of maps has no types for its arguments.
    address = Address(null=True)  # type: ignore[no-untyped-call]
    addresses = ListAttribute(of=Address, default=list)
    extra = DynamicMapAttribute(null=True)
    version = VersionAttribute()

    by_text = ByText()
    due = Due()


class Archived(Todo):
    """A child with a table of its own."""


class Shared(db.Model):
    __abstract__ = True
    created_at = UTCDateTimeAttribute(null=True)


class Note(Shared):
    id = UnicodeAttribute(hash_key=True)


class Reserved(UniqueValue, db.Model):
    pass


class Base(Model):
    """A base class of an application's own."""

    def label(self) -> str:
        """Return a text."""
        return type(self).__name__


library = PynamoDB(model_class=Base)


class Album(Base):
    id = UnicodeAttribute(hash_key=True)


def check_reads() -> None:
    """Reading returns items of the model, also of a child."""
    assert_type(Todo.get("ada", "1"), Todo)
    assert_type(Todo.get("ada", range_key="1", consistent_read=True), Todo)
    assert_type(Archived.get("ada", "1"), Archived)
    assert_type(Note.get("1").created_at, datetime)
    assert_type(Album.get("1").label(), str)
    assert_type(Todo.get_or_404("ada", "1", description="gone"), Todo)
    assert_type(Todo.first_or_404("ada"), Todo)
    assert_type(Todo.query_one_or_404("ada"), Todo)
    assert_type(list(Todo.batch_get([("ada", "1")])), list[Todo])
    assert_type(Todo.from_raw_data({}), Todo)
    assert_type(Todo.count("ada"), int)
    assert_type(Todo.exists(), bool)


def check_queries() -> None:
    """Queries and scans are iterators of items, and so are those of indexes."""
    assert_type(Todo.query("ada"), ResultIterator[Todo])
    assert_type(Todo.query("ada", Todo.id.startswith("1"), Todo.effort > 2), ResultIterator[Todo])
    assert_type(Todo.scan(), ResultIterator[Todo])
    assert_type(Todo.scan(Todo.is_done == True), ResultIterator[Todo])  # noqa: E712
    assert_type(Archived.scan(), ResultIterator[Archived])
    assert_type(Todo.by_text.query("write"), ResultIterator[Todo])
    assert_type(Todo.due.scan(), ResultIterator[Todo])
    assert_type(next(Todo.query("ada")), Todo)
    assert_type([todo.text for todo in Todo.query("ada")], list[str])
    assert_type(Todo.query("ada").last_evaluated_key, dict[str, dict[str, Any]] | None)


def check_pages() -> None:
    """A page has items of the model."""
    page = Todo.paginate("ada", Todo.id > "1", limit=10)
    assert_type(page, Page[Todo])
    assert_type(page.items, list[Todo])
    assert_type([todo.id for todo in page], list[str])
    assert_type(page.next_cursor, str | None)
    assert_type(len(page), int)


def check_attributes(todo: Todo) -> None:
    """An attribute of an item has the type of its values, one of the model has the attribute's."""
    assert_type(todo.text, str)
    assert_type(todo.effort, float)
    assert_type(todo.is_done, bool)
    assert_type(todo.tags, set[str])
    assert_type(todo.due_at, datetime)
    assert_type(todo.address, Address)
    assert_type(todo.address.street, str)
    assert_type(todo.addresses[0].number, float)
    assert_type(Todo.text, UnicodeAttribute)
    assert_type(Todo.effort, NumberAttribute)
    assert_type(Todo.owner == "ada", Comparison)
    assert_type(todo.to_simple_dict(), dict[str, Any])


def check_writes(todo: Todo) -> None:
    """Writes take conditions and actions of the model."""
    todo.save(Todo.id.does_not_exist())
    actions: list[Action] = [Todo.effort.add(1), Todo.text.set("x"), Todo.tags.remove()]
    todo.update(actions, condition=Todo.effort == 1)
    todo.delete(Todo.is_done == True)  # noqa: E712
    todo.refresh(consistent_read=True)
    todo.save_if_match(1)
    values: Mapping[str, str] = {"text": "x"}
    todo.save_unique(Reserved, values, previous={"text": "y"})
    todo.delete_unique(Reserved, values)
    with Todo.batch_write() as batch:
        batch.save(todo)


def check_mistakes(todo: Todo) -> None:
    """What the models do not have is an error."""
    todo.no_such_field  # type: ignore[attr-defined] # pyright: ignore  # noqa: B018
    Todo.no_such_method()  # type: ignore[attr-defined] # pyright: ignore
    Todo.get("ada", "1").text + 1  # type: ignore[operator] # pyright: ignore
    Todo.paginate("ada", cursor=1)  # type: ignore[arg-type] # pyright: ignore
    todo.save_if_match("1")  # type: ignore[arg-type] # pyright: ignore
