"""The size of an item as DynamoDB bills it, from the developer guide: item sizes and formats."""

from collections.abc import Mapping
from typing import Any

_NESTED = 3


def item_size(item: Mapping[str, Any]) -> int:
    """Return the bytes of an item in DynamoDB's notation, without the overhead of storage."""
    return sum(len(name.encode()) + _size(value) for name, value in item.items())


def _size(value: Mapping[str, Any]) -> int:
    [(kind, content)] = value.items()
    match kind:
        case "S":
            return len(content.encode())
        case "N":
            # One byte for two significant digits, and one more.
            return len(content.strip("-0").replace(".", "")) // 2 + 2
        case "BOOL" | "NULL":
            return 1
        case "M":
            return _NESTED + item_size(content) + len(content)
        case "L":
            return _NESTED + sum(1 + _size(one) for one in content)
        case "SS":
            return sum(len(one.encode()) for one in content)
        case _:
            raise ValueError(f"no rule for {kind}")
