"""The rules for headers that an app sends with each request."""

from collections.abc import Mapping
from typing import Any

# Signed headers, headers that frame the request, and headers that the curl client sets itself.
_RESERVED = frozenset(
    {
        "amz-sdk-invocation-id",
        "amz-sdk-request",
        "authorization",
        "connection",
        "content-length",
        "content-type",
        "expect",
        "host",
        "transfer-encoding",
        "x-amz-date",
        "x-amz-security-token",
        "x-amz-target",
    }
)


def reject_invalid(extra: Mapping[Any, Any]) -> None:
    """Reject names and values that no HTTP request can have.

    Raises:
        ValueError: There is one. The text does not repeat its value, which may be secret.
    """
    for name, value in extra.items():
        if not isinstance(name, str) or not isinstance(value, str):
            raise ValueError("must have strings as names and as values of headers")
        # isprintable() is false for CR, LF and other characters that would end the line.
        if not (name.isprintable() and value.isprintable() and name and not set(name) & set(" :;")):
            raise ValueError(f"must not have invalid characters in the extra header {name!r}")


def reject_reserved(extra: Mapping[str, Any]) -> None:
    """Reject headers that belong to the request itself.

    Raises:
        ValueError: There is one.
    """
    for name in extra:
        if name.lower() in _RESERVED:
            raise ValueError(f"must not have the extra header {name!r}, which is reserved")
