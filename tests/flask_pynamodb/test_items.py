"""Items are read as PynamoDB reads them, only faster."""

import copy
import pickle
from datetime import UTC, datetime
from typing import Any
from unittest import mock

import pytest
from pynamodb import models
from pynamodb.attributes import (
    BinaryAttribute,
    BinarySetAttribute,
    BooleanAttribute,
    DiscriminatorAttribute,
    JSONAttribute,
    ListAttribute,
    MapAttribute,
    NumberAttribute,
    NumberSetAttribute,
    TTLAttribute,
    UnicodeAttribute,
    UnicodeSetAttribute,
    UTCDateTimeAttribute,
    VersionAttribute,
)
from pynamodb.exceptions import AttributeDeserializationError

from flask_pynamodb import PynamoDB

db = PynamoDB()


class Place(MapAttribute):
    street = UnicodeAttribute()
    number = NumberAttribute(default=1)


def attributes() -> dict[str, Any]:
    """Return new attributes of every kind, since each belongs to one model."""
    return {
        "id": UnicodeAttribute(hash_key=True),
        "kind": UnicodeAttribute(range_key=True, attr_name="k"),
        "text": UnicodeAttribute(null=True, default="nothing"),
        "number": NumberAttribute(null=True),
        "flag": BooleanAttribute(default=False),
        "blob": BinaryAttribute(null=True, legacy_encoding=False),
        "blobs": BinarySetAttribute(null=True, legacy_encoding=False),
        "words": UnicodeSetAttribute(null=True),
        "numbers": NumberSetAttribute(null=True),
        "things": ListAttribute(default=list),
        "place": Place(null=True),
        "loose": MapAttribute(null=True),
        "document": JSONAttribute(default=dict),
        "at": UTCDateTimeAttribute(null=True),
        "ends": TTLAttribute(null=True),
        "version": VersionAttribute(),
        "fresh": UnicodeAttribute(null=True, default_for_new="only where it is made"),
    }


Ours: Any = type("Ours", (db.Model,), {**attributes(), "__module__": __name__})
Theirs: Any = type(
    "Theirs",
    (models.Model,),
    {**attributes(), "__module__": __name__, "Meta": type("Meta", (), {"table_name": "theirs"})},
)

FULL = {
    "id": {"S": "1"},
    "k": {"S": "a"},
    "text": {"S": ""},
    "number": {"N": "1.5"},
    "flag": {"BOOL": True},
    "blob": {"B": b"\x00\xff"},
    "blobs": {"BS": [b"1", b"2"]},
    "words": {"SS": ["x", "y"]},
    "numbers": {"NS": ["1", "2.5"]},
    "things": {"L": [{"S": "x"}, {"N": "1"}, {"M": {"y": {"BOOL": False}}}]},
    "place": {"M": {"street": {"S": "Downing Street"}, "number": {"N": "10"}}},
    "loose": {"M": {"any": {"S": "thing"}}},
    "document": {"S": '{"a": [1]}'},
    "at": {"S": "2026-01-02T03:04:05.000000+0000"},
    "ends": {"N": "1767322800"},
    "version": {"N": "3"},
    "unknown": {"S": "an attribute of a later release"},
}


def seen(instance: Any) -> dict[str, Any]:
    """What an instance tells of itself, in a form that can be compared."""
    values = {name: getattr(instance, name) for name in Ours.get_attributes()}
    for name in ("place", "loose"):
        values[name] = values[name] and values[name].as_dict()
    return {**values, "stored": instance.serialize(), "kept": sorted(instance.attribute_values)}


items = pytest.mark.parametrize(
    "item",
    [
        FULL,
        {"id": {"S": "1"}, "k": {"S": "a"}, "version": {"N": "1"}},
        {**FULL, "text": {"NULL": True}, "document": {"NULL": True}},
    ],
    ids=["every attribute", "as few as can be", "nulls"],
)


class TestReadAgain:
    @items
    def test_same_as_pynamodb(self, item):
        """What an update or a refresh reads replaces all that an instance was before."""
        ours, theirs = Ours("2", "b", number=5, text="before"), Theirs("2", "b", number=5)
        ours.deserialize(item)
        theirs.deserialize(item)

        assert seen(ours) == seen(theirs)

    def test_hooked(self):
        """PynamoDB reads what a model hooks into, as ever."""

        class Hooked(db.Model):
            id = UnicodeAttribute(hash_key=True)

            def _set_defaults(self, *args: Any, **kwargs: Any) -> None:
                super()._set_defaults(*args, **kwargs)

        hooked = Hooked("1")
        hooked.deserialize({"id": {"S": "2"}})

        assert Hooked._reader is None
        assert hooked.id == "2"


class TestRead:
    @items
    def test_same_as_pynamodb(self, item):
        """Values, types and stored items equal PynamoDB's, including defaults."""
        ours, theirs = Ours.from_raw_data(item), Theirs.from_raw_data(item)

        assert Ours._reader is not None
        assert seen(ours) == seen(theirs)

    @pytest.mark.parametrize(
        "text",
        ["0", "-7", "1.5", "1E2", "-1E-130", "9" * 38, "-" + "9" * 38, "0.1234567890123456789"],
    )
    def test_number(self, text):
        """Whole numbers are exact to the 38th digit, and all others what JSON makes of them."""
        item = {**FULL, "number": {"N": text}}
        ours, theirs = Ours.from_raw_data(item).number, Theirs.from_raw_data(item).number

        assert (type(ours), ours) == (type(theirs), theirs)

    def test_defaults_are_not_shared(self):
        """Two items without a list have a list each."""
        item = {"id": {"S": "1"}, "k": {"S": "a"}, "version": {"N": "1"}}
        one, two = Ours.from_raw_data(item), Ours.from_raw_data(item)
        one.things.append("mine")

        assert two.things == []

    def test_wrong_type(self):
        """A number where a string belongs is refused, as by PynamoDB."""
        for model in (Ours, Theirs):
            with pytest.raises(AttributeDeserializationError):
                model.from_raw_data({**FULL, "text": {"N": "1"}})

    def test_time_to_live(self):
        """An attribute with a setter of its own is set through it."""
        item = Ours.from_raw_data(FULL)

        assert item.ends == datetime(2026, 1, 2, 3, 0, tzinfo=UTC)


class TestHooks:
    def test_constructor_of_its_own(self):
        """A model with a constructor is made through it, as PynamoDB does."""

        class Counted(db.Model):
            id = UnicodeAttribute(hash_key=True)

            def __init__(self, *args: Any, **kwargs: Any) -> None:
                super().__init__(*args, **kwargs)
                self.is_made_here = True

        item = Counted.from_raw_data({"id": {"S": "1"}})

        assert item.id == "1"
        assert item.is_made_here

    def test_setattr_of_its_own(self):
        """A model that tracks changes by `__setattr__` sees each attribute, as with PynamoDB."""

        class Tracked(db.Model):
            id = UnicodeAttribute(hash_key=True)
            name = UnicodeAttribute(null=True)

            def __setattr__(self, name: str, value: Any) -> None:
                self.__dict__.setdefault("seen", []).append(name)
                super().__setattr__(name, value)

        item = Tracked.from_raw_data({"id": {"S": "1"}, "name": {"S": "Ada"}})

        assert {"id", "name"} <= set(item.seen)

    def test_new_of_its_own(self):
        """A model with a `__new__` is created by it, as with PynamoDB."""

        class Counted(db.Model):
            id = UnicodeAttribute(hash_key=True)

            def __new__(cls, *args: Any, **kwargs: Any) -> Any:
                instance = super().__new__(cls)
                instance.__dict__["is_counted"] = True
                return instance

        assert Counted.from_raw_data({"id": {"S": "1"}}).is_counted

    def test_discriminator(self):
        """An item of several classes is made into an instance of its own."""

        class Animal(db.Model):
            id = UnicodeAttribute(hash_key=True)
            kind = DiscriminatorAttribute()

        class Cat(Animal, discriminator="cat"):
            name = UnicodeAttribute()

        item = Animal.from_raw_data({"id": {"S": "1"}, "kind": {"S": "cat"}, "name": {"S": "Tom"}})

        assert isinstance(item, Cat)
        assert item.name == "Tom"

    def test_attribute_of_ones_own(self):
        """An attribute class may set what it likes."""

        class Lower(UnicodeAttribute):
            def __set__(self, instance: Any, value: Any) -> None:
                super().__set__(instance, value and value.lower())

        class Word(db.Model):
            id = Lower(hash_key=True)

        assert Word.from_raw_data({"id": {"S": "ADA"}}).id == "ada"

    def test_value_of_ones_own(self):
        """An attribute class may choose the part of a stored value that it reads."""

        class AnyText(UnicodeAttribute):
            def get_value(self, value: dict[str, Any]) -> Any:
                return value.get("S") or value["N"]

        class Word(db.Model):
            id = UnicodeAttribute(hash_key=True)
            text = AnyText(null=True)

        def text_of(**text: Any) -> Any:
            return Word.from_raw_data({"id": {"S": "ada"}, **text}).text

        assert text_of(text={"N": "1"}) == "1"
        assert text_of(text={"S": "one"}) == "one"
        assert text_of(text={"NULL": True}) is None
        assert text_of() is None


class Shout(UnicodeAttribute):
    """An attribute class of the app."""

    def deserialize(self, value: str) -> str:
        return value.upper()


class Quiet(UnicodeAttribute):
    """Another one, with PynamoDB's own conversion."""


def model_of(base: Any) -> Any:
    """Makes the same model of PynamoDB and of the extension."""
    attributes = {
        "id": UnicodeAttribute(hash_key=True),
        "loud": Shout(null=True),
        "quiet": Quiet(null=True),
        "level": NumberAttribute(default=5, null=True),
        "note": UnicodeAttribute(null=True),
        "Meta": type("Meta", (), {"table_name": "sounds", "region": "eu-west-1"}),
    }
    return type(base)("Sound", (base,), attributes)


@pytest.fixture(params=["extension", "pynamodb"])
def sound(request: pytest.FixtureRequest) -> Any:
    """Holds the same for both, so that reading is PynamoDB's."""
    return model_of(PynamoDB().Model if request.param == "extension" else models.Model)


SOUND = {"id": {"S": "1"}, "loud": {"S": "a"}, "quiet": {"S": "b"}}


class TestChangedLater:
    @pytest.mark.parametrize(("kind", "name"), [(Shout, "loud"), (Quiet, "quiet")])
    def test_patched_class(self, sound: Any, kind: Any, name: str) -> None:
        """A test may patch how an attribute class of the app reads."""
        with mock.patch.object(kind, "deserialize", lambda self, value: "patched"):
            patched = sound.from_raw_data(SOUND)

        assert getattr(patched, name) == "patched"
        assert sound.from_raw_data(SOUND).loud == "A"

    def test_patched_attribute(self, sound: Any) -> None:
        """Or one attribute of a model."""
        with mock.patch.object(sound.loud, "deserialize", lambda value: "patched"):
            assert sound.from_raw_data(SOUND).loud == "patched"

        assert sound.from_raw_data(SOUND).loud == "A"

    @pytest.mark.parametrize(
        ("name", "default", "value"),
        [("level", 7, 7), ("note", "none", "none"), ("note", lambda: "made", "made")],
    )
    def test_default(self, sound: Any, name: str, default: Any, value: Any) -> None:
        """A default that is changed later counts."""
        getattr(sound, name).default = default

        assert getattr(sound.from_raw_data(SOUND), name) == value

    def test_default_that_is_none(self, sound: Any) -> None:
        """A default that returns None sets nothing."""
        sound.note.default = lambda: None

        assert sound.from_raw_data(SOUND).note is None

    @pytest.mark.parametrize("hook", ["__setattr__", "_set_defaults", "__init__"])
    def test_patched_model(self, sound: Any, hook: str) -> None:
        """A test may patch a method of a model, and of the base of a model."""
        child = type(sound)("Child", (sound,), {})
        original = getattr(sound, hook)
        called = []

        def patched(self: Any, *args: Any, **kwargs: Any) -> Any:
            called.append(hook)
            return original(self, *args, **kwargs)

        with mock.patch.object(sound, hook, patched):
            sound.from_raw_data(SOUND)
            calls = len(called)
            child.from_raw_data(SOUND)

        assert 0 < calls < len(called)
        assert sound.from_raw_data(SOUND).loud == child.from_raw_data(SOUND).loud == "A"
        assert len(called) > calls

    def test_another_attribute_of_the_class(self) -> None:
        """What has nothing to do with reading can be set and deleted."""
        model = model_of(PynamoDB().Model)
        reader = model._reader
        model.note_of_the_app = "any"
        del model.note_of_the_app

        assert model._reader is reader

    def test_compiled_again(self) -> None:
        """After the patch, reading is as fast as before."""
        model = model_of(PynamoDB().Model)
        with mock.patch.object(model, "__setattr__", lambda *_: None):
            pass

        assert model._reader is not None


class TestCopies:
    @pytest.mark.parametrize(
        "copied",
        [copy.copy, copy.deepcopy, lambda item: pickle.loads(pickle.dumps(item))],
        ids=["copy", "deepcopy", "pickle"],
    )
    def test_item(self, copied: Any) -> None:
        """Items can be copied and pickled, as those of PynamoDB."""
        # The order in a set is not defined.
        sets = ("blobs", "words", "numbers")
        stored = {name: value for name, value in FULL.items() if name not in sets}
        item = Ours.from_raw_data(stored)
        other = copied(item)

        assert type(other) is Ours
        assert seen(other) == seen(item)
        assert other is not item
