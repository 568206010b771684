"""What a migration writes of one item."""

import pytest
from pynamodb.attributes import (
    BinaryAttribute,
    BooleanAttribute,
    DiscriminatorAttribute,
    JSONAttribute,
    ListAttribute,
    MapAttribute,
    NumberAttribute,
    NumberSetAttribute,
    UnicodeAttribute,
    UnicodeSetAttribute,
    VersionAttribute,
)

from flask_pynamodb import MigrationError


class Address(MapAttribute):
    street = UnicodeAttribute()
    country = UnicodeAttribute(default="DE")


@pytest.fixture
def thing(db):
    class Thing(db.Model):
        id = UnicodeAttribute(hash_key=True)
        number = NumberAttribute(range_key=True)
        text = UnicodeAttribute(null=True)
        is_new = BooleanAttribute(default=False)
        required = UnicodeAttribute()
        data = BinaryAttribute(null=True, legacy_encoding=False)
        tags = UnicodeSetAttribute(null=True)
        sizes = NumberSetAttribute(null=True)
        address = Address(null=True)
        addresses = ListAttribute(of=Address, null=True)
        free = MapAttribute(null=True)
        document = JSONAttribute(null=True)

    return Thing


@pytest.fixture
def store(db, thing, context):
    """Stores an item in DynamoDB's format, as another version of the app wrote it."""

    def store(**attributes):
        key = {"id": {"S": "a"}, "number": {"N": "1"}}
        item = {**key, **attributes}
        table = thing.Meta.table_name
        db.connection.client.put_item(TableName=table, Item=item)

    return store


@pytest.fixture
def stored(db, thing):
    """Returns the stored item in DynamoDB's format, without its key."""

    def stored():
        key = {"id": {"S": "a"}, "number": {"N": "1"}}
        table = thing.Meta.table_name
        item = db.connection.client.get_item(TableName=table, Key=key)["Item"]
        return {name: value for name, value in item.items() if name not in key}

    return stored


EVERYTHING = {
    "text": {"S": "x"},
    "is_new": {"BOOL": True},
    "required": {"S": "y"},
    "data": {"B": b"\x00\xff"},
    "tags": {"SS": ["a", "b"]},
    "sizes": {"NS": ["1.5", "2"]},
    "address": {"M": {"street": {"S": "Road"}}},
    "addresses": {"L": [{"M": {"street": {"S": "Lane"}}}]},
    "free": {"M": {"any": {"L": [{"N": "1"}, {"NULL": True}]}}},
    "document": {"S": '{"a": [1]}'},
    "from_the_future": {"S": "unknown to this version"},
}


class TestChanges:
    def test_only_changed_attributes(self, db, thing, store, stored):
        """The function's changes are written; everything else stays as it is, known or not."""

        @db.migration("1", thing)
        def change(item):
            item.text = f"{item.text}!"
            item.data = None

        db.create_all()
        store(**EVERYTHING)
        (status,) = db.migrate()

        expected = {**EVERYTHING, "text": {"S": "x!"}}
        del expected["data"]
        assert (status.state, status.read, status.changed) == ("done", 1, 1)
        assert stored() == expected

    def test_no_change(self, db, thing, store, stored):
        """An item that the function leaves as it is, is not written."""

        @db.migration("1", thing)
        def change(item):
            item.text = item.text.strip()

        db.create_all()
        store(**EVERYTHING)
        (status,) = db.migrate()

        assert (status.state, status.read, status.changed) == ("done", 1, 0)
        assert stored() == EVERYTHING

    @pytest.mark.parametrize(
        "attributes", [{}, {"is_new": {"NULL": True}, "text": {"NULL": True}}], ids=["none", "null"]
    )
    def test_value_of_the_default(self, db, thing, store, stored, attributes):
        """Attributes that are not stored are None, so that a default can be written."""
        seen = []

        @db.migration("1", thing)
        def change(item):
            seen.append((item.is_new, item.required))
            item.is_new = False

        db.create_all()
        store(**attributes)
        db.migrate()

        assert seen == [(None, None)]
        assert stored() == {**attributes, "is_new": {"BOOL": False}}

    def test_value_of_a_nested_default(self, db, thing, store, stored):
        """The same inside of maps and lists."""

        @db.migration("1", thing)
        def change(item):
            for address in (item.address, *item.addresses):
                address.country = address.country or "DE"

        db.create_all()
        store(**EVERYTHING)
        db.migrate()

        country = {"country": {"S": "DE"}}
        assert stored()["address"] == {"M": {"street": {"S": "Road"}, **country}}
        assert stored()["addresses"] == {"L": [{"M": {"street": {"S": "Lane"}, **country}}]}

    def test_names_in_the_database(self, db, context):
        """Attributes may have other names in the database."""

        class Row(db.Model):
            owner = UnicodeAttribute(hash_key=True, attr_name="pk")
            number = NumberAttribute(range_key=True, attr_name="sk")
            text = UnicodeAttribute(attr_name="a.b", null=True)

        @db.migration("1", Row)
        def change(row):
            row.text = f"{row.text}!"

        db.create_all()
        for number in range(3):
            Row("a", number, text="x").save()
        states = [db.migrate(limit=1)[0].state for _ in range(2)]
        db.migrate()

        assert states == ["stopped", "stopped"]
        assert [row.text for row in Row.query("a")] == ["x!"] * 3

    def test_many_attributes(self, db, context):
        """The condition has room for a hundred attributes, stored or not."""
        attributes = {f"attribute_{n}": UnicodeAttribute(null=True) for n in range(100)}
        wide = type("Wide", (db.Model,), {"id": UnicodeAttribute(hash_key=True), **attributes})

        @db.migration("1", wide)
        def change(item):
            item.attribute_99 = item.attribute_0

        db.create_all()
        wide("1", **{name: name for name in list(attributes)[:50]}).save()
        db.migrate()

        assert wide.get("1").attribute_99 == "attribute_0"

    def test_version(self, db, context):
        """The version increases, so that clients with the former one notice the change."""

        class Note(db.Model):
            id = UnicodeAttribute(hash_key=True)
            text = UnicodeAttribute()
            version = VersionAttribute()

        @db.migration("1", Note)
        def change(note):
            note.text = note.text.upper()

        db.create_all()
        Note("1", text="a").save()
        Note("2", text="B").save()
        db.migrate()

        found = {note.id: (note.text, note.version) for note in Note.scan()}
        assert found == {"1": ("A", 2), "2": ("B", 1)}

    def test_children(self, db, context):
        """A migration of a model with a discriminator is one of its items alone."""

        class Animal(db.Model):
            kind = DiscriminatorAttribute()
            id = UnicodeAttribute(hash_key=True)
            sound = UnicodeAttribute(null=True)

        class Cat(Animal, discriminator="cat"):
            pass

        class Dog(Animal, discriminator="dog"):
            pass

        @db.migration("1", Cat)
        def meow(cat):
            cat.sound = "meow"

        db.create_all()
        Cat("1").save()
        Dog("2").save()
        (status,) = db.migrate()

        assert (status.read, status.changed) == (1, 1)
        assert {item.id: item.sound for item in Animal.scan()} == {"1": "meow", "2": None}

    def test_filter(self, db, people, person):
        """A filter restricts the items that the function is called with."""
        seen = []

        @db.migration("0002", person, person.id.startswith("0"))
        def look(item):
            seen.append(item.id)

        _, status = db.migrate(batch_size=3)

        assert sorted(seen) == [f"{n:02}" for n in range(10)]
        assert (status.read, status.state) == (10, "done")


class TestFailures:
    def fail(self, db, change, thing, store):
        db.migration("1", thing)(change)
        db.create_all()
        store(**EVERYTHING)
        with pytest.raises(MigrationError) as failed:
            db.migrate()
        (status,) = db.migrations()
        assert status.state == "failed"
        return str(failed.value), status.failure

    def test_function(self, db, thing, store, stored):
        """An exception of the function names the item, and the history has no more than the key."""

        def change(item):
            item.text = int(item.text)

        text, failure = self.fail(db, change, thing, store)

        assert text.startswith("1: the item id='a', number='1' failed: ValueError: invalid literal")
        assert failure == "ValueError at id='a', number='1'"
        assert stored() == EVERYTHING

    def test_result(self, db, thing, store, stored):
        """A function with a result, such as a generator, is not what a migration calls."""

        def change(item):
            yield item

        text, _ = self.fail(db, change, thing, store)

        assert "the function returned generator; it has to change the item instead" in text
        assert stored() == EVERYTHING

    def test_key(self, db, thing, store, stored):
        """A changed key would be another item."""

        def change(item):
            item.number = 2

        text, _ = self.fail(db, change, thing, store)

        assert "the function changed number, which is a key or the version" in text
        assert stored() == EVERYTHING

    def test_wrong_type(self, db, thing, store, stored):
        """A value that the attribute cannot have fails for the item."""

        def change(item):
            item.sizes = 5

        text, _ = self.fail(db, change, thing, store)

        assert "id='a', number='1' failed" in text
        assert stored() == EVERYTHING

    def test_old_type(self, db, thing, store, stored):
        """An item that the model cannot read fails with its key."""
        db.migration("1", thing)(lambda item: None)
        db.create_all()
        store(tags={"S": "not a set"})
        with pytest.raises(MigrationError, match="the item id='a', number='1' failed"):
            db.migrate()

        assert stored() == {"tags": {"S": "not a set"}}
