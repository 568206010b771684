"""Read JSON strictly: reject what could not be stored or returned exactly as it was sent."""

import codecs
import json
import math
from collections.abc import Iterator
from typing import Any, NoReturn

from api.errors import RequestError
from api.json_pointers import escape, shortened
from api.validation_errors import printable, raise_if_any, raise_one

# No account needs deeper bodies, and each level costs stack in every traversal.
_MAX_DEPTH = 32


def read_object(data: bytes) -> dict[str, Any]:
    """Parse a JSON object.

    Raises:
        RequestError: It is not a JSON object, or contains what cannot be stored.
    """
    if data.startswith(codecs.BOM_UTF8):
        raise RequestError(
            "malformed-json",
            "The body begins with a byte order mark, which JSON does not allow (RFC 8259, 8.1)."
            " Send UTF-8 without it.",
        )
    try:
        payload = json.loads(
            data.decode(),
            object_pairs_hook=_reject_duplicates,
            parse_constant=_reject_constant,
            parse_float=_finite,
        )
    except (ValueError, RecursionError) as error:
        raise RequestError("malformed-json", f"The body is not JSON: {_reason(error)}.") from None
    if not isinstance(payload, dict):
        raise_one("", "The body must be a JSON object.")
    raise_if_any(_unstorable_values(payload))
    return payload


def _reason(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} at character {error.pos}"
    if isinstance(error, UnicodeDecodeError):
        return f"byte {error.start} is not UTF-8"
    return "it is nested too deeply" if isinstance(error, RecursionError) else "a number is too big"


def _reject_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        seen: set[str] = set()
        name = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        pointer = shortened(printable(f"/{escape(name)}"))
        raise RequestError(
            "malformed-json",
            f"The field {pointer or 'with a long name'} occurs twice in one object.",
            [(pointer, "It occurs twice.")],
        )
    return fields


def _reject_constant(name: str) -> NoReturn:
    raise RequestError("malformed-json", f"{name} is not a JSON value.")


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise RequestError("malformed-json", "A number is too big.")
    return number


def _unstorable_values(payload: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what JSON allows but cannot be stored or returned unchanged."""
    queue: list[tuple[str, Any, int]] = [("", payload, 0)]
    while queue:
        pointer, value, depth = queue.pop()
        if depth > _MAX_DEPTH:
            yield pointer, f"It is nested more than {_MAX_DEPTH} levels deep."
        elif isinstance(value, str):
            yield from _unstorable_text(pointer, value)
        elif isinstance(value, int) and not -(2**63) <= value < 2**64:
            yield pointer, "It is a number of more than 64 bits."
        elif isinstance(value, dict):
            for name, part in value.items():
                here = f"{pointer}/{escape(name)}"
                yield from _unstorable_text(here, name)
                queue.append((here, part, depth + 1))
        elif isinstance(value, list):
            queue += [(f"{pointer}/{at}", part, depth + 1) for at, part in enumerate(value)]


def _unstorable_text(pointer: str, text: str) -> Iterator[tuple[str, str]]:
    if "\0" in text:
        yield printable(pointer), "It contains a NUL character."
    elif not text.isascii() and printable(text) != text:
        yield printable(pointer), "It contains half of a surrogate pair."
