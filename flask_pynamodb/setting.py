"""The declaration of one setting, and the conversion of its values."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_KINDS: Mapping[type, str] = {
    str: "a string",
    int: "a whole number",
    float: "a number",
    bool: "True or False",
    Mapping: "a mapping",
}
# The words of click's booleans.
_BOOLEANS = {
    **dict.fromkeys(("1", "true", "yes", "on", "t", "y"), True),
    **dict.fromkeys(("0", "false", "no", "off", "f", "n"), False),
}


@dataclass(frozen=True)
class Setting:
    """The declaration of one key of `app.config`.

    Attributes:
        kind: The type of the value; `object` for values that only code can pass.
        default: The value if the key is missing.
        meaning: What it does, in Markdown; `{allowed}` stands for the accepted values.
        unset: What the default None means, in Markdown.
        example: The text of an environment variable with a valid value.
        bounds: The least and the greatest number; None is no bound.
        choices: The accepted strings, if they are few.
        former_names: Accepted strings that have another name now.
        pattern: The pattern of accepted strings.
        hint: What to write instead of a string that does not match.
        check: Raises a ValueError that says what a value must be.
        is_secret: Whether the value must not be displayed.
        is_per_connection: Whether a model's `Meta` may have its own value, in lower case.
        is_per_app: Whether the value is the same for all databases of an app.
    """

    kind: type
    default: Any
    meaning: str
    unset: str = ""
    example: str = ""
    bounds: tuple[float | None, float | None] = (None, None)
    choices: tuple[str, ...] = ()
    former_names: Mapping[str, str] | None = None
    pattern: str = ""
    hint: str = ""
    check: Callable[[Any], object] | None = None
    is_secret: bool = False
    is_per_connection: bool = False
    is_per_app: bool = False

    @property
    def allowed(self) -> str:
        """The accepted values, in Markdown."""
        low, high = self.bounds
        if self.choices:
            return _either([f"`{choice}`" for choice in self.choices])
        if high is not None:
            return f"{low:g} to {high:g}"
        return "" if low is None else f"{low:g} or more"

    def convert(self, value: Any) -> Any:
        """Return a value as its type; None, and an empty text, are the default.

        Args:
            value: The value, or its text, as from an environment variable.

        Raises:
            ValueError: It is not accepted. The text says what it must be, and does not repeat it.
        """
        if is_unset(value):
            return self.default
        converted = self._typed(value)
        if self.choices:
            current: Mapping[Any, Any] = self.former_names or {}
            converted = current.get(converted, converted)
            if converted not in self.choices:
                raise ValueError(f"must be {_either(self.choices)}")
        low, high = self.bounds
        # Not a number, unlike any number, is neither at least the one nor at most the other.
        if not ((low is None or converted >= low) and (high is None or converted <= high)):
            raise ValueError(f"must be {self.allowed}")
        if self.pattern and not re.fullmatch(self.pattern, converted):
            raise ValueError(self.hint)
        if self.check is not None:
            self.check(converted)
        return converted

    def _typed(self, value: Any) -> Any:
        kind = self.kind
        if kind is object or (isinstance(value, kind) and not _is_misused_bool(kind, value)):
            return value
        if kind is float and type(value) is int:
            return value
        if kind is bool and type(value) is int and value in (0, 1):
            return bool(value)
        if not isinstance(value, str):
            raise ValueError(f"must be {_KINDS[kind]}, not {type(value).__name__}")
        try:
            return _FROM_TEXT[kind](value.strip())
        except (KeyError, ValueError):
            raise ValueError(f"must be {_KINDS[kind]}") from None


def is_unset(value: Any) -> bool:
    """Return whether a value is None, or an empty text, as from an empty environment variable."""
    return value is None or (isinstance(value, str) and not value.strip())


def _is_misused_bool(kind: type, value: Any) -> bool:
    # To Python, True is a whole number.
    return kind is int and isinstance(value, bool)


def _boolean(text: str) -> bool:
    return _BOOLEANS[text.lower()]


def _mapping(text: str) -> Any:
    """Return the mapping in a text: a JSON object, or pairs as in `x-team=accounts,x-tier=gold`."""
    if text.startswith("{"):
        return json.loads(text)
    pairs = [part.partition("=") for part in text.split(",")]
    if not all(sign for _, sign, _ in pairs):
        raise ValueError("There is a part without a value.")
    return {name.strip(): value.strip() for name, _, value in pairs}


_FROM_TEXT: Mapping[type, Callable[[str], Any]] = {
    int: int,
    float: float,
    bool: _boolean,
    Mapping: _mapping,
}


def _either(choices: Sequence[str]) -> str:
    *first, last = choices
    return f"{', '.join(first)} or {last}"
