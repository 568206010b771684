"""What is wrong with a request, member by member, as JSON pointers and sentences."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NoReturn

from api.errors import RequestError
from api.problems import LONGEST_POINTER

# A body of 64 KB can be wrong in thousands of places; nobody reads them all.
_MOST_NAMED = 5
_MOST_LISTED = 50


def faults_of(error: Any, schema: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What a validation error means. Never the refused value: it may be a password."""
    pointer = "".join(f"/{escape(str(part))}" for part in error.instance_path)
    kind = error.kind
    if kind.name == "required":
        yield f"{pointer}/{escape(kind.property)}", "It is missing."
    elif kind.name == "additionalProperties":
        for name in kind.unexpected:
            yield f"{pointer}/{escape(name)}", "It is unknown or read-only here."
    else:
        yield pointer, _sentence(kind, schema, error.instance_path)


def _sentence(kind: Any, schema: Mapping[str, Any], path: list[Any]) -> str:
    sentences: dict[str, Callable[[], str]] = {
        "type": lambda: f"It must be of the type {' or '.join(kind.types)}.",
        "enum": lambda: f"It must be one of {', '.join(map(str, kind.options))}.",
        "minLength": lambda: f"It must have {kind.limit} characters or more.",
        "maxLength": lambda: f"It must have {kind.limit} characters or fewer.",
        "minimum": lambda: f"It must be {kind.limit} or more.",
        "maximum": lambda: f"It must be {kind.limit} or less.",
        "minProperties": lambda: "Name at least one member to change.",
        "maxItems": lambda: f"It must have {kind.limit} items or fewer.",
        "uniqueItems": lambda: "Its items must differ.",
        "pattern": lambda: _rule(schema, path),
    }
    return sentences[kind.name]()


def _rule(schema: Mapping[str, Any], path: list[Any]) -> str:
    return str(schema["properties"][path[0]]["x-rule"])


def printable(text: str) -> str:
    """The text with a mark in place of what UTF-8 has no bytes for."""
    return text.encode(errors="replace").decode()


def escape(name: str) -> str:
    """A member's name as part of a JSON pointer (RFC 6901)."""
    return name.replace("~", "~0").replace("/", "~1")


def shortened(pointer: str) -> str:
    """A pointer to the member, or to the innermost one around it whose pointer is not too long."""
    while len(pointer) > LONGEST_POINTER:
        pointer = pointer.rpartition("/")[0]
    return pointer


def refuse_one(pointer: str, detail: str) -> NoReturn:
    """Refuse a request for one fault.

    Raises:
        RequestError: Always.
    """
    raise RequestError("invalid-request", errors=[(shortened(pointer), detail)])


def refuse_all(faults: Iterable[tuple[str, str]]) -> None:
    """Refuse a request that has faults.

    Raises:
        RequestError: There is at least one.
    """
    found = list(dict.fromkeys((shortened(pointer), text) for pointer, text in faults))
    if found:
        names = list(dict.fromkeys(pointer or "the body" for pointer, _ in found))
        more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
        detail = f"Check {', '.join(names[:_MOST_NAMED])}{more}."
        raise RequestError("invalid-request", detail, found[:_MOST_LISTED])
