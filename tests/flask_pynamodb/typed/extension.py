"""The extension object, in modules of an application that import it."""

from typing import assert_type

from flask import Flask
from pynamodb.connection.base import Connection
from pynamodb.transactions import TransactGet

from flask_pynamodb import MigrationStatus, PynamoDB, Standalone, Transaction
from tests.flask_pynamodb.typed.models import Album, Base, Note, Todo, db, library


class Later(db.Model):
    """A model in another module than its `db`."""


def create_app() -> Flask:
    """Use the extension as applications do."""
    app = Flask(__name__)
    db.init_app(app)
    register(db)
    assert_type(db.connection, Connection)
    assert_type(db.create_all(), list[str])
    assert_type(db.standalone({}), Standalone)
    assert_type(db.current_database(), Standalone)
    assert_type(Later.get_or_404(), Later)
    return app


def register(extension: PynamoDB) -> None:
    """Take the extension as an argument, as factories do."""
    extension.ping()


def check_transactions(todo: Todo) -> None:
    """A transaction takes items, conditions and actions."""
    with db.transaction() as transaction:
        assert_type(transaction, Transaction)
        transaction.save(todo, Todo.id.does_not_exist(), otherwise=ValueError())
        transaction.update(Note("1"), [Note.created_at.remove()])
        transaction.delete(Album("1"))
        transaction.condition_check(Todo, "ada", "1", condition=Todo.is_done == True)  # noqa: E712


def check_transactional_reads() -> None:
    """Each item of a transactional read has the type of its model."""
    todo, note = db.get_in_transaction((Todo, "ada", "1"), (Note, "1"))
    assert_type(todo, Todo | None)
    assert_type(note, Note | None)
    with TransactGet(connection=db.connection) as transaction:
        future = transaction.get(Todo, "ada", "1")
    assert_type(future.get(), Todo)


@db.migration("0001-finish", Todo)
def finish(todo: Todo) -> None:
    """Change an item of the model."""
    todo.is_done = True


@db.migration("0002-note", Todo, Todo.text.exists())
def note(todo: Todo, transaction: Transaction) -> None:
    """Write other items in the transaction of the item."""
    transaction.save(Note(todo.id))


@db.migration("0003-wrong-model", Todo)  # type: ignore[arg-type] # pyright: ignore
def wrong(album: Album) -> None:
    """Take an item of another model."""


def check_migrations(todo: Todo) -> None:
    """A migration is a function of an item of its model, and stays one."""
    assert_type(finish(todo), None)
    assert_type(db.migrate(limit=1), list[MigrationStatus])
    assert_type(db.migrations(), list[MigrationStatus])


def check_gather() -> None:
    """Each result has the type of its call."""
    todos, count = db.gather(lambda: list(Todo.query("ada")), lambda: Todo.count("ada"))
    assert_type(todos, list[Todo])
    assert_type(count, int)


def check_model_class() -> None:
    """A base class of the application's own is that of its extension's models."""

    class Track(library.Model):
        """A model by the attribute instead of by the class."""

    assert_type(Album("1").label(), str)
    assert issubclass(Track, Base)


def check_local_extension() -> None:
    """An extension in a function, as in tests, has models, too."""
    local = PynamoDB(Flask(__name__))

    class Model(local.Model):
        """A model of the function."""

    assert_type(Model.get("1"), Model)
    assert_type(local.check_all()[0].blocks, bool)


def check_mistakes() -> None:
    """What the extension does not have is an error."""
    db.no_such_method()  # type: ignore[attr-defined] # pyright: ignore
    db.init_app("app")  # type: ignore[arg-type] # pyright: ignore
