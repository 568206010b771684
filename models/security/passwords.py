"""Passwords: the rules for new ones, and the only place that hashes and verifies."""

import re
from contextlib import AbstractContextManager
from dataclasses import dataclass

from passlib.context import CryptContext
from zxcvbn.frequency_lists import FREQUENCY_LISTS

from models.errors import WeakPassword
from models.security import legacy_hashes
from models.security.hash_pool import HashPool

# NIST SP 800-63B-4 asks verifiers to take at least 64; longer ones cost nothing up to here.
MAX_LENGTH = 1024
# NIST SP 800-63B-4, 3.1.1.2: the floor even where a second factor exists.
SHORTEST_PASSWORD_MIN_LENGTH = 8
_COMMON = frozenset(FREQUENCY_LISTS["passwords"][:10_000])
_SHORTEST_CONTEXT_WORD = 4
_SERVICE_WORDS = ("roster", "password", "passwort")
_RUNS = (
    "abcdefghijklmnopqrstuvwxyz",
    "0123456789",
    "qwertyuiopasdfghjklzxcvbnm",
    "qwertzuiopasdfghjklyxcvbnm",
)
_LONGEST_UNIT = 8


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
# As cheap as argon2 allows. For tests only: it protects nothing.
CHEAPEST_PROFILE = Profile(memory_kib=8, rounds=1, parallelism=1)


class Passwords:
    """Hashes, verifies and judges passwords under one profile and one minimum length.

    A password counts exactly as it was received: it is neither trimmed nor normalised
    (ASVS 6.2.8), and every code point counts as one character.

    Args:
        profile: The cost of a hash.
        min_length: Characters a new password must have, 8 at the least.
        at_once: How many threads compute hashes in this process; who wants another one waits.
        waiting: How many more may wait for one of them; who comes then is sent away. A hash takes
            some 20 ms, so that nobody waits long, and the threads that serve requests are never
            all taken by sign-ins (ASVS 2.4.1, 15.2.2).
    """

    def __init__(
        self,
        profile: Profile = OWASP_PROFILE,
        min_length: int = 15,
        *,
        at_once: int = 1,
        waiting: int = 7,
    ) -> None:
        if min_length < SHORTEST_PASSWORD_MIN_LENGTH:
            raise ValueError(f"min_length must be at least {SHORTEST_PASSWORD_MIN_LENGTH}")
        self.min_length = min_length
        self._context = CryptContext(
            schemes=["argon2"],
            argon2__type="ID",
            argon2__memory_cost=profile.memory_kib,
            argon2__rounds=profile.rounds,
            argon2__parallelism=profile.parallelism,
        )
        self._threads = HashPool(at_once, waiting)
        # What is verified when there is no user, so that both cases cost one hash (ASVS 6.3.8).
        self._nobody = self.hash("nobody has this password")

    def turn(self) -> AbstractContextManager[None]:
        """Hold a place among those who compute hashes or wait for it.

        `hash` and `verify` take one by themselves. Whoever has to do something before that is not
        to be done in vain takes it first.

        Raises:
            Busy: All places are taken.
        """
        return self._threads.turn()

    def hash(self, password: str) -> str:
        """Hash a password with a fresh salt.

        Raises:
            Busy: Too many wait for a hash.
        """
        return str(self._threads.run(self._context.hash, password))

    def verify(self, password: str, stored: str | None) -> tuple[bool, str | None]:
        """Compare a password with a stored hash, at the same cost whether there is one or not.

        Args:
            password: What the caller typed.
            stored: The hash of the account, or None where there is no account.

        Returns:
            Whether it matches; and a new hash to store if the old one is of an older scheme
            or profile, else None.

        Raises:
            Busy: Too many wait for a hash.
        """
        try:
            is_right, newer = self._threads.run(self._compare, password, stored or self._nobody)
        except (ValueError, NotImplementedError):
            # passlib's ways to say that this can never have been this hash's password: over
            # 4096 characters, a lone surrogate; or that this is no hash.
            return False, None
        if not is_right or stored is None:
            return False, None
        return True, newer

    def scheme_of(self, stored: str | None) -> str:
        """What a stored hash is, in a few words for people; nothing of the hash itself."""
        if stored is None:
            return "no password"
        if self._context.identify(stored):
            is_older = self._context.needs_update(stored)
            return "argon2, older parameters" if is_older else "argon2"
        return legacy_hashes.scheme_of(stored) or "unknown"

    def refuse_weak(self, password: str, *context: str, member: str = "password") -> None:
        """Refuse a new password that an attacker would try early, and say why.

        Args:
            password: The new password.
            context: Words about the account that must not carry it: user name, address, name.
            member: What the password is called in the caller's request.

        Raises:
            WeakPassword: It is too short or long, common, repetitive, a run of keys, or little
                is left of it without the context words.
        """
        reason = (
            self._wrong_length(password)
            or _is_common(password)
            or _is_pattern(password)
            or _leans_on(password, context)
        )
        if reason:
            raise WeakPassword(member, reason)

    def _compare(self, password: str, stored: str) -> tuple[bool, str | None]:
        if self._context.identify(stored):
            return self._context.verify_and_update(password, stored)  # type: ignore[no-any-return]
        if legacy_hashes.verify(password, stored):
            return True, self._context.hash(password)
        # A wrong password costs one of our hashes too, or quick old ones would tell by the time
        # they take who has an account (ASVS 6.3.8).
        self._context.verify(password, self._nobody)
        return False, None

    def _wrong_length(self, password: str) -> str | None:
        if len(password) < self.min_length:
            return f"A password has at least {self.min_length} characters; a sentence is fine."
        if len(password) > MAX_LENGTH:
            return f"A password has {MAX_LENGTH} characters at the most."
        return None


def _is_common(password: str) -> str | None:
    if password.lower() in _COMMON:
        return "This is one of the most common passwords. Choose another one."
    return None


def _is_pattern(password: str) -> str | None:
    folded, length = password.lower(), len(password)
    if any(
        folded == (folded[:unit] * length)[:length]
        for unit in range(1, min(_LONGEST_UNIT, length // 2) + 1)
    ):
        return "The password repeats a few characters. Choose a less regular one."
    if any(folded in run * 8 or folded in run[::-1] * 8 for run in _RUNS):
        return "The password is a run of neighbouring keys or letters. Choose another one."
    return None


def _leans_on(password: str, context: tuple[str, ...]) -> str | None:
    words = {part for text in context for part in re.split(r"[\s@]+", text.lower())}
    rest = password.lower()
    for word in sorted(words.union(_SERVICE_WORDS), key=len, reverse=True):
        if len(word) >= _SHORTEST_CONTEXT_WORD:
            rest = rest.replace(word, "")
    if rest == password.lower():
        return None
    if len(rest) < SHORTEST_PASSWORD_MIN_LENGTH or _is_common(rest) or _is_pattern(rest):
        return (
            "Without your name, your address and words such as the name of this service too"
            " little is left of the password. Choose another one."
        )
    return None
