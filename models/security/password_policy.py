"""The rules for new passwords: what an attacker would guess early is rejected, with the reason."""

import re
import unicodedata
from collections.abc import Callable, Collection

from zxcvbn import zxcvbn
from zxcvbn.frequency_lists import FREQUENCY_LISTS

from models import field_rules
from models.errors import WeakPassword
from models.security.breached_passwords import is_breached

# NIST SP 800-63B-4, 3.1.1.2: the minimum even where a second factor exists.
SHORTEST_PASSWORD_MIN_LENGTH = 8
# zxcvbn's score 4. A shorter minimum length accepts less: zxcvbn counts ten guesses for each random
# character, so that eight of them have its score 3.
_MAX_GUESSES_EXPONENT = 10
# For what remains without context words.
_MIN_GUESSES_OF_REST = 10**SHORTEST_PASSWORD_MIN_LENGTH
# zxcvbn takes ten times as long for 64 characters as for 24, and raises above 72. The
# guesses for a part are a lower bound for the whole.
_PART_LENGTH = 24
_PARTS = 3
_COMMON = frozenset(FREQUENCY_LISTS["passwords"])
_BREACHED = (
    "This password is on a list of passwords from data breaches, which attackers try first. Choose"
    " another one."
)
_SHORTEST_CONTEXT_WORD = 4
_SERVICE_WORDS = ("roster", "password", "passwort")
_KEYBOARD_WALKS = (
    "abcdefghijklmnopqrstuvwxyzabc",
    "0123456789012",
    "1234567890123",
    "qwertyuiopasdfghjklzxcvbnmqwe",
    "qwertzuiopasdfghjklyxcvbnmqwe",
    "azertyuiopqsdfghjklmwxcvbnaze",
    "1q2w3e4r5t6y7u8i9o0p",
    "q1w2e3r4t5y6u7i8o9p0",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
    "qazwsxedcrfvtgbyhnujmikolp",
    "!@#$%^&*()",
)
_SHORTEST_WALK = 4
# The parts of walks that begin a walk or continue it by one key.
_STEPS = frozenset(
    keys[start : start + _SHORTEST_WALK]
    for walk in _KEYBOARD_WALKS
    for keys in (walk, walk[::-1])
    for start in range(len(keys) - _SHORTEST_WALK + 1)
)
# One character three times or more, two or three characters three times, a longer unit twice.
_REPEATS = re.compile(r"(.)\1{2,}|(.{2,3}?)\2{2,}|(.{4,32}?)\3+", re.DOTALL)


class PasswordPolicy:
    """The rules for new passwords. Every code point of normal form C counts as one character.

    Args:
        min_length: Characters a new password must have, at least 8.
        service_name: The name of the product; its words must not carry a password.
        exempt: Passwords that the operator has published, as that of the demo users; they are
            accepted.
        is_known_breach: Asks another service about a password that satisfies all other rules.
    """

    def __init__(
        self,
        min_length: int = 15,
        *,
        service_name: str = "",
        exempt: Collection[str] = (),
        is_known_breach: Callable[[str], bool] | None = None,
    ) -> None:
        if min_length < SHORTEST_PASSWORD_MIN_LENGTH:
            raise ValueError(f"min_length must be at least {SHORTEST_PASSWORD_MIN_LENGTH}")
        self.min_length = min_length
        self._min_guesses = 10 ** min(min_length, _MAX_GUESSES_EXPONENT)
        self._service_words = _service_words(service_name)
        self._exempt = frozenset(exempt)
        self._is_known_breach = is_known_breach

    def validate(
        self, password: str, *context: str, field: str = "password", offline: bool = False
    ) -> None:
        """Reject a new password that an attacker would guess early.

        Args:
            password: The new password.
            context: Words about the account that must not carry the password: username, email
                address, full name.
            field: The name of the password in the caller's request.
            offline: Whether to ask no other service, for a password that is not set yet.

        Raises:
            WeakPassword: It is too short or too long; too little remains of it without the context
                words, or without repeats and keyboard walks; it is common, breached, or easy to
                guess. The text says which.
        """
        password = unicodedata.normalize("NFC", password)
        reason = self._wrong_length(password)
        if reason is None and password not in self._exempt:
            reason = (
                _relies_on(password, context, self._service_words)
                or _is_pattern(password)
                or _is_common(password)
                or _is_guessable(password, self._min_guesses)
                or (None if offline else self._is_breached_elsewhere(password))
            )
        if reason:
            raise WeakPassword(field, reason)

    def _wrong_length(self, password: str) -> str | None:
        if len(password) < self.min_length:
            return f"A password has at least {self.min_length} characters; a sentence is fine."
        if len(password) > field_rules.PASSWORD.max_length:
            return f"A password has at most {field_rules.PASSWORD.max_length} characters."
        return None

    def _is_breached_elsewhere(self, password: str) -> str | None:
        if self._is_known_breach and self._is_known_breach(password):
            return _BREACHED
        return None


def _is_common(password: str) -> str | None:
    if password.lower() in _COMMON:
        return "This is one of the most common passwords. Choose another one."
    if is_breached(password):
        return _BREACHED
    return None


def _is_pattern(password: str) -> str | None:
    folded = password.lower()
    rest = _without_repeats(folded)
    if rest != folded and _is_too_little(rest):
        return (
            "The password repeats a few characters, and too little remains without the"
            " repetitions. Choose a less regular one."
        )
    rest = _without_repeats(_without_walks(rest))
    if rest != folded and _is_too_little(rest):
        return (
            "The password is for the most part a sequence of adjacent keys or letters, and too"
            " little remains without it. Choose another one."
        )
    return None


def _service_words(name: str) -> tuple[str, ...]:
    """Return the words of every service, and those of the product, also written as one."""
    words = unicodedata.normalize("NFC", name).lower().split()
    return tuple(dict.fromkeys([*_SERVICE_WORDS, *words, "".join(words)]))


def _relies_on(
    password: str, context: tuple[str, ...], service_words: tuple[str, ...]
) -> str | None:
    own = {part for text in context for part in re.split(r"[\s@]+", text.lower())}
    found, rest = set(), password.lower()
    for word in sorted(own.union(service_words), key=len, reverse=True):
        if len(word) >= _SHORTEST_CONTEXT_WORD and word in rest:
            found.add(word)
            rest = rest.replace(word, "")
    if not found:
        return None
    if _is_too_little(rest) or _is_pattern(rest) or _is_guessable(rest, _MIN_GUESSES_OF_REST):
        sources = _sources_of(found, own, service_words)
        return f"Without {sources}, too little of the password remains. Choose another one."
    return None


def _sources_of(found: set[str], own: set[str], service_words: tuple[str, ...]) -> str:
    """Describe where the context words in a password come from, without repeating the user's."""
    services = [f'"{word}"' for word in service_words if word in found]
    sources = ["your username, name and email address"] if found & own else []
    if services:
        sources.append(f"the easily guessed {'words' if services[1:] else 'word'} ")
        sources[-1] += " and ".join(services)
    return " and without ".join(sources)


def _is_guessable(password: str, min_guesses: int) -> str | None:
    parts = range(0, min(len(password), _PARTS * _PART_LENGTH), _PART_LENGTH)
    for start in parts:
        if zxcvbn(password[start : start + _PART_LENGTH])["guesses"] >= min_guesses:
            return None
    return (
        "The password consists of common words, names, dates or patterns that attackers combine"
        " early. Choose another one; several unrelated words are fine."
    )


def _is_too_little(rest: str) -> bool:
    return len(rest) < SHORTEST_PASSWORD_MIN_LENGTH or rest in _COMMON


def _without_repeats(text: str) -> str:
    """Keep one of each repeated unit."""
    return _REPEATS.sub(lambda match: next(filter(None, match.groups())), text)


def _without_walks(text: str) -> str:
    """Remove sequences of four or more adjacent letters, digits or keys."""
    kept, position = [], 0
    while position < len(text):
        if text[position : position + _SHORTEST_WALK] not in _STEPS:
            kept.append(text[position])
            position += 1
            continue
        while text[position : position + _SHORTEST_WALK] in _STEPS:
            position += 1
        position += _SHORTEST_WALK - 1
    return "".join(kept)
