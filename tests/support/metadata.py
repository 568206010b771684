"""Concurrent changes of metadata."""

from typing import Any


def add_key(number: int, current: dict[str, Any]) -> dict[str, Any]:
    """Return the current metadata with one more key, `key-<number>`."""
    return {**current, f"key-{number}": number}
