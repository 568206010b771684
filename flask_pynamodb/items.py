"""Convert items from DynamoDB's format to instances of models."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from pynamodb import models
from pynamodb.attributes import Attribute, NumberAttribute

_NULL = "NULL"


class _AttributeReader(NamedTuple):
    """How one attribute of a model is read.

    Attributes:
        name: The name of the Python attribute.
        key: The name in the item.
        value: Returns the value without its type, as in `{"S": "ada"}`.
        deserialize: Converts the value to Python.
        default: The default of an absent attribute, or a callable that returns it.
        is_plain: Whether setting the attribute only stores the value.
    """

    name: str
    key: str
    value: Callable[[dict[str, Any]], Any]
    deserialize: Callable[[Any], Any]
    default: Any
    is_plain: bool


Reader = tuple[_AttributeReader, ...]


def compile_reader(model: type[models.Model]) -> Reader | None:
    """Return the reader of a model's items; None if the model overrides PynamoDB's reading.

    PynamoDB sets every default twice, and each value through a descriptor that looks up its name,
    which takes longer than the rest of reading an item.
    """
    # Some of these are not in PynamoDB's public interface; a test compares both ways of reading.
    hooks = ("__init__", "_container_deserialize", "_set_defaults", "_set_discriminator")
    if model._discriminator or any(  # type: ignore[attr-defined]
        getattr(model, hook) is not getattr(models.Model, hook) for hook in hooks
    ):
        return None
    return tuple(_attribute_readers(model.get_attributes()))


def load(model: type[Any], reader: Reader, item: Mapping[str, Any]) -> Any:
    """Return a new instance with the attributes of an item.

    Args:
        model: The class of the instance.
        reader: The reader of the class, from `compile_reader`.
        item: Attribute names and their typed values.
    """
    instance: Any = object.__new__(model)
    load_into(instance, reader, item)
    return instance


def load_into(instance: Any, reader: Reader, item: Mapping[str, Any]) -> None:
    """Replace all attributes of an instance by those of an item.

    Args:
        instance: An instance of the class of the reader.
        reader: The reader of the class, from `compile_reader`.
        item: Attribute names and their typed values.
    """
    values = instance.attribute_values = {}
    for name, key, value_of, deserialize, default, is_plain in reader:
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


def _attribute_readers(attributes: Mapping[str, Attribute[Any]]) -> Iterator[_AttributeReader]:
    for name, attribute in attributes.items():
        is_plain = type(attribute).__set__ is Attribute.__set__
        yield _AttributeReader(
            name,
            attribute.attr_name,
            attribute.get_value,
            _deserializer(attribute),
            attribute.default,
            is_plain,
        )


def _deserializer(attribute: Attribute[Any]) -> Callable[[Any], Any]:
    # PynamoDB uses a JSON decoder for each number.
    if type(attribute).deserialize is NumberAttribute.deserialize:
        return _number
    deserialize: Callable[[Any], Any] = attribute.deserialize
    return deserialize


def _number(text: str) -> int | float:
    """Convert a number of up to 38 digits; whole numbers are exact."""
    try:
        return int(text)
    except ValueError:
        return float(text)
