"""Keys of items: what DynamoDB considers the same key, and keys that no item can have."""

from decimal import Decimal, InvalidOperation
from typing import Any

from pynamodb.attributes import Attribute

from flask_pynamodb.app_model import AppModel

# DynamoDB's limits of keys, in bytes, and of numbers.
_MAX_HASH_KEY = 2048
_MAX_RANGE_KEY = 1024
_MAX_DIGITS = 38
_MIN_EXPONENT, _MAX_EXPONENT = -130, 125

Key = dict[str, dict[str, Any]]


def identity(key: Key, names: tuple[str, ...]) -> tuple[Any, ...]:
    """Return a value that is equal for equal keys, however their numbers are written.

    Args:
        key: A key, or an item with its key, in DynamoDB's format.
        names: The names of the attributes of the key.
    """
    return tuple(_value(*next(iter(key[name].items()))) for name in names)


def can_exist(
    model: type[AppModel], hash_key: Any, range_key: Any = None, *, index_name: str | None = None
) -> bool:
    """Tell whether an item can have this key; DynamoDB rejects requests for others.

    Args:
        model: The model of the item.
        hash_key: The value of the hash key, or of that of the index.
        range_key: The value of the range key, or None.
        index_name: The index that is queried, None for the table.
    """
    if index_name is not None:
        hashed: Any = model._indexes[index_name]._hash_key_attribute()
        return _is_possible(hashed, hashed.serialize(hash_key), _MAX_HASH_KEY)
    own: Any = model
    hashed_value, range_value = own._serialize_keys(hash_key, range_key)
    if not _is_possible(own._hash_key_attribute(), hashed_value, _MAX_HASH_KEY):
        return False
    ranged = own._range_key_attribute()
    return (
        ranged is None or range_value is None or _is_possible(ranged, range_value, _MAX_RANGE_KEY)
    )


def _is_possible(attribute: Attribute[Any], value: Any, most: int) -> bool:
    if attribute.attr_type == "N":
        return _is_number(value)
    if isinstance(value, str):
        try:
            value = value.encode()
        except UnicodeEncodeError:
            return False
    return not isinstance(value, bytes) or 1 <= len(value) <= most


def _is_number(text: str) -> bool:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return False
    if not number.is_finite():
        return False
    # Not `normalize`, which rounds.
    digits = "".join(map(str, number.as_tuple().digits)).strip("0")
    return not number or (
        len(digits) <= _MAX_DIGITS and _MIN_EXPONENT <= number.adjusted() <= _MAX_EXPONENT
    )


def _value(attribute_type: str, value: Any) -> Any:
    if attribute_type != "N":
        return value
    try:
        return Decimal(value)
    except InvalidOperation:
        # DynamoDB rejects the request and says why.
        return value
