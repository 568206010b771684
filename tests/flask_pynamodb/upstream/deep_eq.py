"""Comparison of nested values, with the signature that PynamoDB's tests use."""

from typing import Any


def deep_eq(first: Any, second: Any, _assert: bool = False) -> None:
    """Compare two values."""
    assert first == second
