"""Databases for code that runs without a Flask app: `db.standalone`."""

import threading

import pytest
from flask import Flask
from pynamodb.attributes import UnicodeAttribute

from flask_pynamodb import ConfigurationError, make_cursor


@pytest.fixture
def note(db):
    """A model with one attribute."""

    class Note(db.Model):
        id = UnicodeAttribute(hash_key=True)

    return Note


@pytest.fixture
def database(db, note, dynamodb_settings):
    """A database with the table of the model."""
    database = db.standalone(dynamodb_settings)
    with database.context():
        db.create_all()
    yield database
    with database.context():
        db.drop_all()


def test_without_app(database, note):
    """Inside its context, models use the database without an app."""
    with database.context():
        note("1").save()

        assert note.get("1").id == "1"


def test_outside_of_the_context(database, note):
    """Outside of its context, models do not use it."""
    with database.context():
        pass

    with pytest.raises(RuntimeError, match="outside of an app context"):
        note.get("1")


def test_threads_share_connections(database, note):
    """Each thread needs its own context; all of them share one connection."""
    connections = []

    def save(id):
        with database.context():
            note(id).save()
            connections.append(note._get_connection().connection)

    threads = [threading.Thread(target=save, args=[str(number)]) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(connections) == 8
    assert len({id(connection) for connection in connections}) == 1


def test_context_of_one_thread_is_not_another_threads(database, note):
    """A thread that is started inside a context does not inherit it."""
    errors = []

    def read():
        try:
            note.get("1")
        except RuntimeError as error:
            errors.append(error)

    with database.context():
        thread = threading.Thread(target=read)
        thread.start()
        thread.join()

    assert len(errors) == 1


def test_precedence_over_an_app(db, database, note, dynamodb_settings):
    """Inside an app context, the context of a standalone database takes precedence."""
    app = Flask("other")
    app.config.update({**dynamodb_settings, "DYNAMODB_TABLE_PREFIX": "other-"})
    db.init_app(app)

    with app.app_context(), database.context():
        assert note.Meta.table_name.startswith(dynamodb_settings["DYNAMODB_TABLE_PREFIX"])
    with app.app_context():
        assert note.Meta.table_name == "other-note"


def test_current_database_of_an_app(db, note, dynamodb_settings):
    """Work that another thread does after the request uses the database of its app."""
    app = Flask("other")
    app.config.update({**dynamodb_settings, "DYNAMODB_TABLE_PREFIX": "other-"})
    db.init_app(app)
    names = []
    with app.app_context():
        current = db.current_database()

    def work():
        with current.context():
            names.append(note.Meta.table_name)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()

    assert names == ["other-note"]


def test_current_database_of_a_context(db, database, note):
    """Inside the context of a standalone database it is that one."""
    with database.context():
        note("1").save()
        current = db.current_database()

    with current.context():
        assert note.get("1").id == "1"


def test_no_current_database(db):
    """Outside of any context there is none."""
    with pytest.raises(RuntimeError, match="outside of an app context"):
        db.current_database()


def test_invalid_settings(db):
    """Invalid settings are an error when the database is made."""
    with pytest.raises(ConfigurationError, match="DYNAMODB_READ_TIMEOUT_SECONDS"):
        db.standalone({"DYNAMODB_READ_TIMEOUT_SECONDS": 0})


def test_cursor_without_app(database):
    """Cursors are signed with the secret key of an app, so they need one."""
    with database.context(), pytest.raises(RuntimeError, match="application context"):
        make_cursor([1], scope="notes")
