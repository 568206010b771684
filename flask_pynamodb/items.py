"""Turns items as DynamoDB sends them into instances of models."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from pynamodb import models
from pynamodb.attributes import Attribute, NumberAttribute

_NULL = "NULL"


class _Part(NamedTuple):
    """How one attribute of a model is read.

    Attributes:
        name: In Python.
        key: In the item.
        value: Takes the value out of its type, as in `{"S": "ada"}`.
        deserialize: Makes Python's value of it.
        default: What an absent attribute is, or makes it.
        is_plain: Whether setting it does no more than to keep the value.
    """

    name: str
    key: str
    value: Callable[[dict[str, Any]], Any]
    deserialize: Callable[[Any], Any]
    default: Any
    is_plain: bool


Reading = tuple[_Part, ...]


def reading_of(model: type[models.Model]) -> Reading | None:
    """How a model's items are read; None where only PynamoDB can, because a class hooks in.

    PynamoDB sets every default twice and each value through a descriptor that looks its name up,
    which takes longer than all the rest of reading an item.
    """
    # Some of these are not in PynamoDB's public interface; a test compares what both ways read.
    hooks = ("__init__", "_container_deserialize", "_set_defaults", "_set_discriminator")
    if model._discriminator or any(  # type: ignore[attr-defined]
        getattr(model, hook) is not getattr(models.Model, hook) for hook in hooks
    ):
        return None
    return tuple(_parts(model.get_attributes()))


def read(model: type[Any], reading: Reading, item: Mapping[str, Any]) -> Any:
    """The instance that an item describes.

    Args:
        model: Its class.
        reading: What `reading_of` says of the class.
        item: Attribute names and their typed values.
    """
    instance: Any = object.__new__(model)
    fill(instance, reading, item)
    return instance


def fill(instance: Any, reading: Reading, item: Mapping[str, Any]) -> None:
    """Make an instance what an item describes, whatever it was before.

    Args:
        instance: Of the class that `reading` is of.
        reading: What `reading_of` says of the class.
        item: Attribute names and their typed values.
    """
    values = instance.attribute_values = {}
    for name, key, value_of, deserialize, default, is_plain in reading:
        stored = item.get(key)
        if stored and _NULL not in stored:
            value = deserialize(value_of(stored))
        else:
            value = default() if callable(default) else default
            if value is None:
                continue
        if is_plain:
            values[name] = value
        else:
            setattr(instance, name, value)


def _parts(attributes: Mapping[str, Attribute[Any]]) -> Iterator[_Part]:
    for name, attribute in attributes.items():
        is_plain = type(attribute).__set__ is Attribute.__set__
        yield _Part(
            name,
            attribute.attr_name,
            attribute.get_value,
            _deserializer(attribute),
            attribute.default,
            is_plain,
        )


def _deserializer(attribute: Attribute[Any]) -> Callable[[Any], Any]:
    # PynamoDB starts a JSON decoder for each number.
    if type(attribute).deserialize is NumberAttribute.deserialize:
        return _number
    deserialize: Callable[[Any], Any] = attribute.deserialize
    return deserialize


def _number(text: str) -> int | float:
    """A number of up to 38 digits: whole ones are exact, as in JSON."""
    try:
        return int(text)
    except ValueError:
        return float(text)
