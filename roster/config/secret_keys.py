"""The secret keys: one, or several separated by commas or line breaks, and their quality.

Random values contain neither separator, so the same text works in a variable and in a file with one
key on each line.
"""

import re
from itertools import pairwise

from environs import Env

from roster.config.parsing import Parser, SettingError

CREATE_KEY = "python3 -c 'import secrets; print(secrets.token_urlsafe(32))'"
_SEPARATORS = re.compile(r"[,\r\n]")
_MIN_BYTES = 32
# 32 random hexadecimal digits have fewer once in a billion keys.
_MIN_DISTINCT = 7
# Seven letters or more, which a random key contains once in 100 million.
_PLACEHOLDERS = re.compile(
    "changeme|changethis|changeit|placeholder|example|replaceme|replacethis|secretkey|yoursecret"
    "|yourkey|mysecret|topsecret|supersecret|password|insecure|notsecret|onlyfor|longrandom"
    "|randomkey|randomvalue|randomstring|default|development|testing"
)


def secret_keys() -> Parser:
    """Return a parser of secret keys; the quality of the first one is checked later."""

    def read(env: Env, name: str) -> tuple[str, ...]:
        text = env.str(name)
        try:
            text.encode()
        except UnicodeEncodeError:
            raise SettingError(
                f"{name} is not UTF-8 text. Create a key with {CREATE_KEY}."
            ) from None
        return split_keys(text)

    return Parser(read)


def split_keys(text: str) -> tuple[str, ...]:
    """Return the keys in a text, each once, without whitespace at their ends."""
    keys = (part.strip() for part in _SEPARATORS.split(text))
    return tuple(dict.fromkeys(key for key in keys if key))


def weakness(key: str) -> str | None:
    """Return why a key is surely not 32 random bytes, None if it may be.

    Randomness cannot be measured. This finds keys that were typed or copied from an example.
    """
    length = len(key.encode())
    if length < _MIN_BYTES:
        return f"is too short ({length} of {_MIN_BYTES} bytes)"
    if re.search(r"\s", key):
        return "contains whitespace, so it is not random; keys are separated by commas"
    if len(set(key)) < _MIN_DISTINCT or _is_repetition(key):
        return "repeats a few characters"
    if _is_sequence(key):
        return "is a sequence of characters"
    if found := _PLACEHOLDERS.search(re.sub("[^a-z]", "", key.casefold())):
        return f"is a placeholder: it contains {found[0]!r}"
    return None


def _is_repetition(key: str) -> bool:
    """Whether the key consists of a shorter text, twice or more; the last one may be cut off."""
    return any(key.startswith(key[period:]) for period in range(1, len(key) // 2 + 1))


def _is_sequence(key: str) -> bool:
    """Whether most characters are neighbors of the one before, as in `abcdef` or `654321`.

    Of random hexadecimal digits a sixth are.
    """
    steps = [abs(ord(after) - ord(before)) for before, after in pairwise(key)]
    return sum(step <= 1 for step in steps) > len(steps) * 3 / 4
