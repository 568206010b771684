"""Passwords of 15 characters or more from known breaches, as a Bloom filter.

`tools/write_breached_passwords.py` writes the filter. It contains no passwords, only bits: an entry
is always found, and one in a million other passwords is found by chance.
"""

import hashlib
import unicodedata
from collections.abc import Iterable, Iterator
from functools import cache
from importlib import resources

FILTER_FILE = "breached_passwords.bloom"
# The least length of the entries; shorter passwords are looked up in zxcvbn's list.
MIN_LENGTH = 15
# With 29 bits an entry, 20 bits are the optimum: 2**-20 of other passwords are found.
_BITS_PER_ENTRY = 29
_BITS_PER_LOOKUP = 20


def is_breached(password: str) -> bool:
    """Return whether a password is on the list: in any case, with or without separators."""
    content = _load()
    return contains(content, password) or contains(content, _without_separators(password))


def contains(content: bytes, password: str) -> bool:
    """Return whether a filter has a password, in any case."""
    positions = _bits(fold(password), len(content) * 8)
    return all(content[bit >> 3] >> (bit & 7) & 1 for bit in positions)


def fold(password: str) -> str:
    """Return a password in the form that entries have: normalized, in lower case."""
    return unicodedata.normalize("NFC", password).lower()


def build(entries: Iterable[str]) -> bytes:
    """Return the filter of these passwords."""
    folded = {fold(entry) for entry in entries}
    content = bytearray(-(-len(folded) * _BITS_PER_ENTRY // 8))
    for entry in folded:
        for bit in _bits(entry, len(content) * 8):
            content[bit >> 3] |= 1 << (bit & 7)
    return bytes(content)


@cache
def _load() -> bytes:
    return resources.files("models.security").joinpath("data", FILTER_FILE).read_bytes()


def _bits(folded: str, size: int) -> Iterator[int]:
    """Return the positions of an entry, from two hashes (Kirsch and Mitzenmacher, 2006)."""
    digest = hashlib.sha256(folded.encode(errors="surrogatepass")).digest()
    first, step = int.from_bytes(digest[:8]), int.from_bytes(digest[8:16]) | 1
    return ((first + number * step) % size for number in range(_BITS_PER_LOOKUP))


def _without_separators(text: str) -> str:
    return "".join(char for char in text if char not in " -_.,")
