"""The hashes of passwords."""

import pytest
from passlib.handlers import argon2 as argon2_handlers
from passlib.hash import argon2, bcrypt

from models import CHEAPEST_PROFILE, PasswordHasher

GOOD = "a stone bridge over the river"
COMPOSED = "caf\u00e9 in the old town"
DECOMPOSED = "cafe\u0301 in the old town"


@pytest.fixture(scope="module")
def passwords() -> PasswordHasher:
    return PasswordHasher(CHEAPEST_PROFILE)


@pytest.fixture
def comparisons(monkeypatch) -> list[str]:
    """The argon2 hashes that passwords are compared with."""
    found: list[str] = []
    original = argon2_handlers._argon2_cffi.low_level.verify_secret

    def verify_secret(hash, secret, type):
        found.append(hash)
        return original(hash, secret, type)

    monkeypatch.setattr(argon2_handlers._argon2_cffi.low_level, "verify_secret", verify_secret)
    return found


class TestHash:
    def test_default_profile(self):
        """A new hash is argon2id at OWASP's 19 MiB, two passes, one lane (ASVS 11.4.2)."""
        assert PasswordHasher().hash(GOOD).startswith("$argon2id$v=19$m=19456,t=2,p=1$")

    def test_same_password_twice(self, passwords):
        """Every hash has a salt of its own."""
        assert passwords.hash(GOOD) != passwords.hash(GOOD)


class TestVerify:
    def test_right_password(self, passwords):
        """The right password matches, and a current hash needs no successor."""
        assert passwords.verify(GOOD, passwords.hash(GOOD)) == (True, None)

    def test_wrong_password(self, passwords):
        """Another password does not match."""
        assert passwords.verify("another " + GOOD, passwords.hash(GOOD)) == (False, None)

    def test_no_account(self, passwords):
        """Without a stored hash nothing matches, not even the stand-in's own password."""
        assert passwords.verify("no user has this password", None) == (False, None)

    @pytest.mark.parametrize(
        "similar",
        [GOOD.upper(), GOOD + " ", " " + GOOD, GOOD[:-1]],
        ids=["case", "trailing space", "leading space", "truncated"],
    )
    def test_exactly_as_received(self, passwords, similar):
        """A password is neither folded, trimmed nor truncated (ASVS 6.2.8)."""
        assert passwords.verify(similar, passwords.hash(GOOD)) == (False, None)

    @pytest.mark.parametrize("typed", [COMPOSED, DECOMPOSED], ids=["composed", "decomposed"])
    def test_new_hash_matches_either_form(self, passwords, typed):
        """A new hash is made of normal form C, so that every keyboard types the same."""
        assert passwords.verify(typed, passwords.hash(DECOMPOSED)) == (True, None)

    def test_old_hash_of_the_raw_form(self, passwords):
        """A hash of a decomposed password, made before 0.7, matches and gets a successor."""
        old = argon2.using(memory_cost=8, rounds=1, parallelism=1).hash(DECOMPOSED)

        matches, newer = passwords.verify(DECOMPOSED, old)

        assert matches
        assert passwords.verify(COMPOSED, newer) == (True, None)

    def test_old_hash_of_a_composed_password(self, passwords):
        """A hash made before 0.7 of a composed password now matches the decomposed one, too."""
        old = argon2.using(memory_cost=8, rounds=1, parallelism=1).hash(COMPOSED)

        assert passwords.verify(DECOMPOSED, old) == (True, None)

    @pytest.mark.parametrize("guess", [COMPOSED, DECOMPOSED], ids=["one form", "two forms"])
    @pytest.mark.parametrize("scheme", ["argon2", "bcrypt", "unknown"])
    def test_equal_work_without_an_account(self, passwords, comparisons, scheme, guess):
        """A wrong password costs as many argon2 hashes with an account as without (ASVS 6.3.8)."""
        stored = {
            "argon2": passwords.hash(GOOD),
            "bcrypt": bcrypt.using(rounds=4).hash(GOOD),
            "unknown": "{no-such-scheme}",
        }[scheme]
        passwords.verify(guess, None)
        expected = len(comparisons)
        comparisons.clear()

        passwords.verify(guess, stored)

        assert len(comparisons) == expected == (1 if guess == COMPOSED else 2)

    def test_older_profile(self, passwords):
        """A hash of a weaker profile matches and comes with its successor."""
        old = PasswordHasher(CHEAPEST_PROFILE).hash(GOOD)

        is_right, newer = PasswordHasher().verify(GOOD, old)

        assert is_right
        assert newer.startswith("$argon2id$v=19$m=19456,")

    def test_bcrypt_row(self, passwords):
        """A bcrypt hash matches and comes with an argon2id successor."""
        is_right, newer = passwords.verify(GOOD, bcrypt.using(rounds=4).hash(GOOD))

        assert is_right
        assert newer.startswith("$argon2id$")

    @pytest.mark.parametrize(
        "odd",
        ["x" * 10_000, "\ud800", "nul\0nul", "é" * 40],
        ids=["over 4096 characters", "lone surrogate", "NUL", "over 72 bytes"],
    )
    @pytest.mark.parametrize("scheme", ["argon2", "bcrypt", "unknown"])
    def test_odd_input(self, passwords, odd, scheme):
        """What passlib raises on is simply not the password, whatever the stored scheme."""
        stored = {
            "argon2": passwords.hash(GOOD),
            "bcrypt": bcrypt.using(rounds=4).hash(GOOD),
            "unknown": "{no-such-scheme}",
        }[scheme]

        assert passwords.verify(odd, stored) == (False, None)

    def test_long_prefix(self, passwords):
        """Two passwords that share their first 100 bytes differ (the bcrypt truncation class)."""
        prefix = "p" * 100

        assert not passwords.verify(prefix + "b", passwords.hash(prefix + "a"))[0]
