"""The policy for new passwords, and the only module that hashes and verifies passwords."""

import re
from contextlib import AbstractContextManager
from dataclasses import dataclass

from passlib.context import CryptContext
from zxcvbn.frequency_lists import FREQUENCY_LISTS

from models import field_rules
from models.errors import WeakPassword
from models.security import legacy_hashes
from models.security.hash_pool import HashPool

# NIST SP 800-63B-4, 3.1.1.2: the minimum even where a second factor exists.
SHORTEST_PASSWORD_MIN_LENGTH = 8
_COMMON = frozenset(FREQUENCY_LISTS["passwords"][:10_000])
_SHORTEST_CONTEXT_WORD = 4
_SERVICE_WORDS = ("roster", "password", "passwort")
_SEQUENCES = (
    "abcdefghijklmnopqrstuvwxyz",
    "0123456789",
    "qwertyuiopasdfghjklzxcvbnm",
    "qwertzuiopasdfghjklyxcvbnm",
)
_LONGEST_REPEATED_UNIT = 8


@dataclass(frozen=True)
class Profile:
    """Parameters of argon2id.

    Attributes:
        memory_kib: Memory in KiB.
        rounds: Passes over the memory.
        parallelism: Lanes.
    """

    memory_kib: int
    rounds: int
    parallelism: int


# OWASP Password Storage Cheat Sheet and ASVS 5.0, appendix C: argon2id, 19 MiB, t=2, p=1.
OWASP_PROFILE = Profile(memory_kib=19_456, rounds=2, parallelism=1)
# The cheapest parameters that argon2 allows, for tests only: they protect nothing.
CHEAPEST_PROFILE = Profile(memory_kib=8, rounds=1, parallelism=1)


class PasswordHasher:
    """Hashes and verifies passwords under one profile.

    A password counts exactly as received: it is neither trimmed nor normalized (ASVS 6.2.8).

    Args:
        profile: The cost of a hash.
        threads: Threads that compute hashes in this process.
        queue_size: Requests that may wait for a thread; further ones are rejected. A hash takes
            about 20 ms, so waits are short, and sign-ins never take all the threads that serve
            requests (ASVS 2.4.1, 15.2.2).
    """

    def __init__(
        self, profile: Profile = OWASP_PROFILE, *, threads: int = 1, queue_size: int = 7
    ) -> None:
        self._context = CryptContext(
            schemes=["argon2"],
            argon2__type="ID",
            argon2__memory_cost=profile.memory_kib,
            argon2__rounds=profile.rounds,
            argon2__parallelism=profile.parallelism,
        )
        self._pool = HashPool(threads, queue_size)
        # Verified when there is no user, so that both cases cost one hash (ASVS 6.3.8).
        self._dummy_hash = self.hash("no user has this password")

    def slot(self) -> AbstractContextManager[None]:
        """Hold a slot in the queue for hashes.

        `hash` and `verify` take a slot by themselves. Take one explicitly before work that would
        be lost if no slot were free later.

        Raises:
            Busy: All slots are taken.
        """
        return self._pool.slot()

    def hash(self, password: str) -> str:
        """Hash a password with a new salt.

        Raises:
            Busy: The queue for hashes is full.
        """
        return str(self._pool.run(self._context.hash, password))

    def verify(self, password: str, stored: str | None) -> tuple[bool, str | None]:
        """Compare a password with a stored hash, at the same cost with and without an account.

        Args:
            password: The password as typed.
            stored: The hash of the account, or None where there is no account.

        Returns:
            Whether it matches; and a new hash to store if the old one has an older scheme or
            older parameters, else None.

        Raises:
            Busy: The queue for hashes is full.
        """
        try:
            matches, new_hash = self._pool.run(self._compare, password, stored or self._dummy_hash)
        except (ValueError, NotImplementedError):
            # How passlib reports a password that this hash can never have been made of (over 4096
            # characters, a lone surrogate), and a stored text that is no hash.
            return False, None
        if not matches or stored is None:
            return False, None
        return True, new_hash

    def scheme_of(self, stored: str | None) -> str:
        """Describe the scheme of a stored hash for people; nothing of the hash itself."""
        if stored is None:
            return "no password"
        if self._context.identify(stored):
            is_outdated = self._context.needs_update(stored)
            return "argon2, older parameters" if is_outdated else "argon2"
        return legacy_hashes.scheme_of(stored) or "unknown"

    def _compare(self, password: str, stored: str) -> tuple[bool, str | None]:
        if self._context.identify(stored):
            return self._context.verify_and_update(password, stored)  # type: ignore[no-any-return]
        if legacy_hashes.verify(password, stored):
            return True, self._context.hash(password)
        # A wrong password costs one argon2 hash too, or fast old hashes would reveal by their
        # response time that an account exists (ASVS 6.3.8).
        self._context.verify(password, self._dummy_hash)
        return False, None


class PasswordPolicy:
    """The rules for new passwords. Every code point counts as one character.

    Args:
        min_length: Characters a new password must have, at least 8.
    """

    def __init__(self, min_length: int = 15) -> None:
        if min_length < SHORTEST_PASSWORD_MIN_LENGTH:
            raise ValueError(f"min_length must be at least {SHORTEST_PASSWORD_MIN_LENGTH}")
        self.min_length = min_length

    def validate(self, password: str, *context: str, field: str = "password") -> None:
        """Reject a new password that an attacker would guess early.

        Args:
            password: The new password.
            context: Words about the account that must not carry the password: username, email
                address, full name.
            field: The name of the password in the caller's request.

        Raises:
            WeakPassword: It is too short or too long, common, repetitive, a keyboard sequence, or
                too little remains of it without the context words; the text says which.
        """
        reason = (
            self._wrong_length(password)
            or _is_common(password)
            or _is_pattern(password)
            or _relies_on(password, context)
        )
        if reason:
            raise WeakPassword(field, reason)

    def _wrong_length(self, password: str) -> str | None:
        if len(password) < self.min_length:
            return f"A password has at least {self.min_length} characters; a sentence is fine."
        if len(password) > field_rules.PASSWORD.max_length:
            return f"A password has at most {field_rules.PASSWORD.max_length} characters."
        return None


def _is_common(password: str) -> str | None:
    if password.lower() in _COMMON:
        return "This is one of the most common passwords. Choose another one."
    return None


def _is_pattern(password: str) -> str | None:
    folded, length = password.lower(), len(password)
    if any(
        folded == (folded[:unit] * length)[:length]
        for unit in range(1, min(_LONGEST_REPEATED_UNIT, length // 2) + 1)
    ):
        return "The password repeats a few characters. Choose a less regular one."
    if any(folded in keys * 8 or folded in keys[::-1] * 8 for keys in _SEQUENCES):
        return "The password is a sequence of adjacent keys or letters. Choose another one."
    return None


def _relies_on(password: str, context: tuple[str, ...]) -> str | None:
    words = {part for text in context for part in re.split(r"[\s@]+", text.lower())}
    rest = password.lower()
    for word in sorted(words.union(_SERVICE_WORDS), key=len, reverse=True):
        if len(word) >= _SHORTEST_CONTEXT_WORD:
            rest = rest.replace(word, "")
    if rest == password.lower():
        return None
    if len(rest) < SHORTEST_PASSWORD_MIN_LENGTH or _is_common(rest) or _is_pattern(rest):
        return (
            "Without your name, your email address and words such as the name of this service,"
            " too little of the password remains. Choose another one."
        )
    return None
