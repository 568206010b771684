"""The faults of a request, field by field, as JSON pointers and sentences."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NoReturn

from api.errors import RequestError
from api.json_pointers import escape, shortened

# A body of 64 KB can be wrong in thousands of places; more than these help no reader.
_MAX_NAMED = 5
UNKNOWN = "It is unknown or read-only here."
_MAX_LISTED = 50


def faults_of(error: Any, schema: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Translate a validation error. Never repeats the rejected value: it may be a password."""
    pointer = "".join(f"/{escape(str(part))}" for part in error.instance_path)
    kind = error.kind
    if kind.name == "required":
        yield f"{pointer}/{escape(kind.property)}", "It is missing."
    elif kind.name == "additionalProperties":
        for name in kind.unexpected:
            yield f"{pointer}/{escape(name)}", UNKNOWN
    else:
        yield pointer, _sentence(kind, schema, error.instance_path)


def _sentence(kind: Any, schema: Mapping[str, Any], path: list[Any]) -> str:
    sentences: dict[str, Callable[[], str]] = {
        "type": lambda: f"It must be of the type {' or '.join(kind.types)}.",
        "enum": lambda: f"It must be one of {', '.join(map(str, kind.options))}.",
        "minLength": lambda: f"It must have at least {kind.limit} characters.",
        "maxLength": lambda: f"It must have at most {kind.limit} characters.",
        "minimum": lambda: f"It must be at least {kind.limit}.",
        "maximum": lambda: f"It must be at most {kind.limit}.",
        "minProperties": lambda: "Name at least one field to change.",
        "maxItems": lambda: f"It must have at most {kind.limit} items.",
        "uniqueItems": lambda: "Its items must differ.",
        "pattern": lambda: _rule(schema, path),
    }
    return sentences[kind.name]()


def _rule(schema: Mapping[str, Any], path: list[Any]) -> str:
    part = schema["properties"][path[0]]
    # The second part is the position in an array.
    return str((part["items"] if len(path) > 1 else part)["x-rule"])


def printable(text: str) -> str:
    """Return the text with a replacement for what UTF-8 cannot encode."""
    return text.encode(errors="replace").decode()


def raise_one(pointer: str, detail: str) -> NoReturn:
    """Reject a request for one fault.

    Raises:
        RequestError: Always.
    """
    raise RequestError("invalid-request", errors=[(shortened(pointer), detail)])


def raise_if_any(faults: Iterable[tuple[str, str]]) -> None:
    """Reject a request that has faults.

    Raises:
        RequestError: There is at least one.
    """
    found = list(dict.fromkeys((shortened(pointer), text) for pointer, text in faults))
    if found:
        names = list(dict.fromkeys(pointer or "the body" for pointer, _ in found))
        more = f" and {len(names) - _MAX_NAMED} more" if len(names) > _MAX_NAMED else ""
        detail = f"Check {', '.join(names[:_MAX_NAMED])}{more}."
        raise RequestError("invalid-request", detail, found[:_MAX_LISTED])
