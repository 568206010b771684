"""Reads of one point in time: `db.get_in_transaction`."""

import pytest
from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import TransactGetError

from flask_pynamodb import is_unavailable
from tests.support.faulty_proxy import conflicted


@pytest.fixture
def owner(db):
    class Owner(db.Model):
        id = UnicodeAttribute(hash_key=True)
        open_items = NumberAttribute(default=0)

    return Owner


@pytest.fixture
def item(db, owner, context):
    class Item(db.Model):
        owner = UnicodeAttribute(hash_key=True)
        number = NumberAttribute(range_key=True)

    db.create_all()
    return Item


class TestGetInTransaction:
    def test_several_tables(self, db, owner, item):
        """The items are in the order of the keys, as instances of their models."""
        owner("ada", open_items=1).save()
        item("ada", 7).save()

        first, nothing, second = db.get_in_transaction(
            (item, "ada", 7), (item, "ada", 8), (owner, "ada")
        )

        assert (type(first), first.number) == (item, 7)
        assert nothing is None
        assert (type(second), second.open_items) == (owner, 1)

    def test_nothing(self, db, item):
        """Without keys there are no items."""
        assert db.get_in_transaction() == ()

    def test_repeated_key(self, db, item):
        """A key that is given twice is read once, however its number is written."""
        item("ada", 7).save()

        found = db.get_in_transaction((item, "ada", 7), (item, "ada", 7.0))

        assert [one.number for one in found] == [7, 7]

    def test_too_many(self, db, item):
        """With more the error says the limit and the number."""
        with pytest.raises(ValueError, match="at most 100 items, not 101"):
            db.get_in_transaction(*((item, "ada", number) for number in range(101)))

    def test_missing_table(self, db, owner, item):
        """A missing table is unavailable."""

        class Nowhere(db.Model):
            id = UnicodeAttribute(hash_key=True)

        with pytest.raises(TransactGetError) as failed:
            db.get_in_transaction((Nowhere, "1"))

        assert is_unavailable(failed.value)


class TestMost:
    @pytest.fixture
    def host(self, dynamodb_engine):
        """The engine: moto allows 25 items only."""
        return dynamodb_engine.host

    def test_most(self, db, item):
        """100 items are read at once."""
        item("ada", 99).save()

        found = db.get_in_transaction(*((item, "ada", number) for number in range(100)))

        assert [one.number for one in found if one] == [99]


class TestSeveralDatabases:
    def test_rejected(self, db, make_app):
        """Items of two databases cannot be read together."""

        class Home(db.Model):
            id = UnicodeAttribute(hash_key=True)

        class Abroad(db.Model):
            __bind_key__ = "eu"
            id = UnicodeAttribute(hash_key=True)

        app = make_app(DYNAMODB_BINDS={"eu": {"REGION": "eu-central-1"}})
        db.init_app(app)

        with app.app_context(), pytest.raises(ValueError, match="cannot span databases"):
            db.get_in_transaction((Home, "1"), (Abroad, "1"))


class TestContention:
    @pytest.fixture
    def host(self, proxy):
        return proxy.url

    @pytest.fixture
    def settings(self, settings):
        """Waits between tries are as short as can be."""
        return {**settings, "DYNAMODB_BASE_BACKOFF_MS": 1}

    def test_once(self, db, owner, item, proxy):
        """Reads that meet a transaction of writes wait their turn."""
        owner("ada").save()
        proxy.next("TransactGetItems", conflicted)

        (found,) = db.get_in_transaction((owner, "ada"))

        assert found.id == "ada"
        assert proxy.count("TransactGetItems") == 2

    def test_for_ever(self, db, owner, item, proxy):
        """Reads that never get their turn are unavailable."""
        proxy.always("TransactGetItems", conflicted)

        with pytest.raises(TransactGetError) as failed:
            db.get_in_transaction((owner, "ada"))

        assert is_unavailable(failed.value)
        assert proxy.count("TransactGetItems") == 8
