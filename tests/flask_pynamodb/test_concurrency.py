"""Calls at the same time: `db.gather`."""

import threading

import pytest
from flask import Flask
from pynamodb.attributes import UnicodeAttribute

from flask_pynamodb import totals


@pytest.fixture
def note(db):
    """A model with one attribute."""

    class Note(db.Model):
        id = UnicodeAttribute(hash_key=True)

    return Note


@pytest.fixture
def app(db, note, dynamodb_settings):
    """An app with the table of the model."""
    app = Flask("gather")
    app.config.update(dynamodb_settings)
    db.init_app(app)
    with app.app_context():
        db.create_all()
        yield app
        db.drop_all()


def test_results_are_in_order(app, db, note):
    """The results are in the order of the calls."""
    for id in "abc":
        note(id).save()

    assert [row.id for row in db.gather(*(lambda id=id: note.get(id) for id in "cab"))] == [*"cab"]


def test_at_the_same_time(app, db):
    """The calls run at the same time."""
    barrier = threading.Barrier(4)

    assert len(db.gather(*[lambda: barrier.wait(10)] * 4)) == 4


def test_nothing(app, db):
    """Without calls there are no results."""
    assert db.gather() == ()


@pytest.mark.parametrize("position", [0, 2])
def test_error(app, db, position):
    """The error of a call is raised."""

    def fail():
        raise KeyError("gone")

    calls = [lambda: 1] * 3
    calls[position] = fail

    with pytest.raises(KeyError):
        db.gather(*calls)


def test_more_calls_than_threads(app, db):
    """Calls that gather themselves end, also when all threads are busy with such calls."""

    def gather_two():
        return sum(db.gather(lambda: 1, lambda: 2))

    assert db.gather(*[gather_two] * 100) == (3,) * 100


def test_totals(app, db, note):
    """All calls count for the app context of the caller."""
    before = totals().calls
    note("a").save()
    db.gather(*[lambda: note.get("a")] * 8)

    assert totals().calls - before == 9


def test_standalone(db, note, dynamodb_settings):
    """The calls use the standalone database of the caller."""
    database = db.standalone(dynamodb_settings)
    with database.context():
        db.create_all()
        note("a").save()

        assert [row.id for row in db.gather(*[lambda: note.get("a")] * 3)] == ["a"] * 3
        db.drop_all()
