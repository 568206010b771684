"""Convert items from DynamoDB's format to instances of models."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pynamodb import models
from pynamodb.attributes import Attribute, NumberAttribute

# Sets all attributes of an instance from an item.
Reader = Callable[[Any, Mapping[str, Any]], None]
# Methods of a model that take part in PynamoDB's reading. Some are not in its public interface; a
# test compares both ways of reading.
HOOKS = (
    "__init__",
    "__new__",
    "__setattr__",
    "_container_deserialize",
    "_set_defaults",
    "_set_discriminator",
)


def compile_reader(model: type[models.Model]) -> Reader | None:
    """Return the reader of a model's items; None if the model overrides PynamoDB's reading.

    PynamoDB sets every default twice, and each value through a descriptor that looks up its name,
    which takes longer than the rest of reading an item. The reader is one function without loops
    and look-ups, generated for the attributes of the model.
    """
    own: Any = model
    if own._discriminator or any(
        getattr(model, hook) is not getattr(models.Model, hook) for hook in HOOKS
    ):
        return None
    names: dict[str, Any] = {}
    lines = ["def read(instance, item):", " values = instance.attribute_values = {}"]
    for number, (name, attribute) in enumerate(model.get_attributes().items()):
        lines += _read_attribute(number, name, attribute, names)
    # The source consists of names of attributes, as literals, and of the lines below.
    exec("\n".join(lines), names)  # nosec B102
    reader: Reader = names["read"]
    return reader


def load(model: type[Any], reader: Reader, item: Mapping[str, Any]) -> Any:
    """Return a new instance with the attributes of an item.

    Args:
        model: The class of the instance.
        reader: The reader of the class, from `compile_reader`.
        item: Attribute names and their typed values.
    """
    instance: Any = object.__new__(model)
    reader(instance, item)
    return instance


def _read_attribute(
    number: int, name: str, attribute: Attribute[Any], names: dict[str, Any]
) -> Iterator[str]:
    """Return the lines that read one attribute.

    Args:
        number: Distinguishes the names of this attribute.
        name: The name of the Python attribute.
        attribute: The attribute.
        names: The globals of the lines; those of this attribute are added.
    """
    names |= {f"attribute_{number}": attribute, "read_number": _read_number}
    deserialize = type(attribute).deserialize
    # A class of the app may be patched later, as in its tests.
    is_pynamodbs = type(attribute).__module__.startswith("pynamodb.")
    is_plain = type(attribute).__set__ is Attribute.__set__
    target = f"values[{name!r}]" if is_plain else f"instance.{name}"
    kind = attribute.attr_type
    read = f"attribute_{number}.deserialize"
    if deserialize is NumberAttribute.deserialize and is_pynamodbs:
        # PynamoDB uses a JSON decoder for each number.
        read = "read_number"
    elif deserialize is Attribute.deserialize and is_pynamodbs:
        read = ""
    yield f" stored = item.get({attribute.attr_name!r})"
    if type(attribute).get_value is Attribute.get_value:
        yield f" if stored is not None and {kind!r} in stored:"
        yield f"  {target} = {read}(stored[{kind!r}])"
        yield " elif stored and 'NULL' not in stored:"
    else:
        yield " if stored and 'NULL' not in stored:"
    yield f"  {target} = {read}(attribute_{number}.get_value(stored))"
    # The default may be changed later, too.
    yield " else:"
    yield f"  value = attribute_{number}.default"
    yield "  if callable(value):"
    yield "   value = value()"
    yield "  if value is not None:"
    yield f"   {target} = value"


def _read_number(text: str) -> int | float:
    """Convert a number of up to 38 digits; whole numbers are exact."""
    try:
        return int(text)
    except ValueError:
        return float(text)
