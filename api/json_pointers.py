"""JSON pointers to what is at fault in a request (RFC 6901)."""

from collections.abc import Iterable

from api.problems import MAX_POINTER_LENGTH


def pointer_to(names: Iterable[str]) -> str:
    """Return the pointer to what names lead to, or to the innermost parent that is near enough."""
    return shortened("".join(f"/{escape(name)}" for name in names))


def escape(name: str) -> str:
    """Return the name of a field as a part of a pointer."""
    return name.replace("~", "~0").replace("/", "~1")


def shortened(pointer: str) -> str:
    """Return a pointer to the field, or to the innermost parent with a short enough pointer."""
    while len(pointer) > MAX_POINTER_LENGTH:
        pointer = pointer.rpartition("/")[0]
    return pointer
