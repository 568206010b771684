"""The only module that hashes and verifies passwords."""

import unicodedata
from contextlib import AbstractContextManager
from dataclasses import dataclass

from passlib.context import CryptContext

from models.security import legacy_hashes
from models.security.hash_pool import HashPool


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

    A password is neither trimmed nor case-folded. It is hashed in Unicode normal form C, so that
    every keyboard types the same; hashes of the form as received also match (ADR 0019).

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
        """Hash a password, in normal form C, with a new salt.

        Raises:
            Busy: The queue for hashes is full.
        """
        return str(self._pool.run(self._context.hash, _normalize(password)))

    def verify(self, password: str, stored: str | None) -> tuple[bool, str | None]:
        """Compare a password with a stored hash, at the same cost with and without an account.

        Args:
            password: The password as typed.
            stored: The hash of the account, or None where there is no account.

        Returns:
            Whether it matches; and a new hash to store if the old one has an older scheme or
            older parameters, or was made of another form of the password, else None.

        Raises:
            Busy: The queue for hashes is full.
        """
        try:
            matches, new_hash = self._pool.run(
                self._compare_forms, password, stored or self._dummy_hash
            )
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

    def _compare_forms(self, password: str, stored: str) -> tuple[bool, str | None]:
        """Compare normal form C first, then the password as received if that differs.

        A wrong password costs the same for every account, and without one: the number of
        comparisons depends on the password alone.
        """
        normalized = _normalize(password)
        matches, new_hash = self._compare(normalized, stored)
        if matches or normalized == password:
            return matches, new_hash
        matches, new_hash = self._compare(password, stored)
        return matches, self._context.hash(normalized) if matches else None

    def _compare(self, password: str, stored: str) -> tuple[bool, str | None]:
        is_outdated = not self._context.identify(stored) or self._context.needs_update(stored)
        if not is_outdated:
            return bool(self._context.verify(password, stored)), None
        if legacy_hashes.verify(password, stored):
            return True, self._context.hash(password)
        # A wrong password costs one hash of Roster's parameters in any case, or fast old hashes
        # would reveal by their response time that an account exists (ASVS 6.3.8). Slow ones are
        # hidden by the minimum time of a failed sign-in.
        self._context.verify(password, self._dummy_hash)
        return False, None


def _normalize(password: str) -> str:
    """Return the form that is hashed: normal form C (NIST SP 800-63B-4, 3.1.1.2)."""
    return unicodedata.normalize("NFC", password)
