"""The rules for passwords, and their hashes."""

import pytest
from passlib.hash import bcrypt

from models import CHEAPEST_PROFILE, PasswordHasher, PasswordPolicy
from models.errors import WeakPassword

GOOD = "a stone bridge over the river"


@pytest.fixture(scope="module")
def passwords() -> PasswordHasher:
    return PasswordHasher(CHEAPEST_PROFILE)


@pytest.fixture
def policy() -> PasswordPolicy:
    return PasswordPolicy()


class TestHash:
    def test_default_profile(self):
        """A new hash is argon2id at OWASP's 19 MiB, two passes, one lane (ASVS 11.4.2)."""
        assert PasswordHasher().hash(GOOD).startswith("$argon2id$v=19$m=19456,t=2,p=1$")

    def test_same_password_twice(self, passwords):
        """Every hash has a salt of its own."""
        assert passwords.hash(GOOD) != passwords.hash(GOOD)

    def test_minimum_below_nist(self):
        """A minimum that NIST SP 800-63B-4 forbids cannot be configured."""
        with pytest.raises(ValueError, match="at least 8"):
            PasswordPolicy(min_length=7)


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

    def test_composed_and_decomposed(self, passwords):
        """Unicode is not normalised: the bytes count as they came (ASVS 6.2.8)."""
        stored = passwords.hash("caf\u00e9 in the old town")

        assert passwords.verify("cafe\u0301 in the old town", stored) == (False, None)

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


class TestPolicy:
    @pytest.mark.parametrize(
        ("password", "reason"),
        [
            ("only 14 chars!", "at least 15"),
            ("x" * 1025, "at most 1024 characters"),
            ("aaaaaaaaaaaaaaaaaa", "repeats"),
            ("abcabcabcabcabcabc", "repeats"),
            ("1234567890123456789", "sequence of adjacent"),
            ("abcdefghijklmnopqrs", "sequence of adjacent"),
            ("qwertyuiopasdfghjkl", "sequence of adjacent"),
            ("passwordpassword1", "too little"),
            ("john.johnson12345", "too little"),
            ("johnson@example.com", "too little"),
        ],
    )
    def test_guessable(self, policy, password, reason):
        """What an attacker tries early is refused, and the reason is given (NIST 800-63B-4)."""
        with pytest.raises(WeakPassword, match=reason):
            policy.validate(password, "john.johnson", "johnson@example.com")

    def test_common(self):
        """One of the 10,000 most common passwords is refused at any minimum (ASVS 6.2.4)."""
        with pytest.raises(WeakPassword, match="most common"):
            PasswordPolicy(min_length=8).validate("Football1".lower())

    @pytest.mark.parametrize(
        "password",
        [
            "correct horse battery staple",
            "fifteen letters",
            "пароль из пятнадцати",
            "x" * 7 + "\N{GRINNING FACE}" * 3 + "quite fine",
            "anna likes savannahs very much",
            "no digits and no capitals needed",
        ],
    )
    def test_acceptable(self, policy, password):
        """Length is what counts: no classes of characters are asked for (ASVS 6.2.5)."""
        policy.validate(password, "anna", "anna@example.com")

    def test_sixty_four_characters(self, policy):
        """64 characters and many more are welcome (ASVS 6.2.9)."""
        policy.validate("the quick brown fox " * 3 + "jumps over dogs and cats and more")

    def test_code_points_count(self, policy):
        """Each code point counts as one character, however many bytes it has."""
        with pytest.raises(WeakPassword, match="at least 15"):
            policy.validate("\N{GRINNING FACE}ab\N{DOG FACE}cd\N{CAT FACE}")

    def test_names_the_field(self, policy):
        """The refusal names the member as the caller's request calls it."""
        with pytest.raises(WeakPassword) as refused:
            policy.validate("short", field="new_password")

        assert refused.value.field == "new_password"
