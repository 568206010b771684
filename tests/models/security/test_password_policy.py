"""The rules for new passwords."""

import pytest

from models import PasswordPolicy
from models.errors import WeakPassword
from models.security import breached_passwords

# The passwords that finding M7 lists, and the reasons why they are rejected.
ACCEPTED_BEFORE = {
    "aaaaaaaaaaaaaab": "repeats",
    "111111111111112": "repeats",
    "0000000000000001": "repeats",
    "abcdefghijklmno1": "sequence of adjacent",
    "qwertyuiop12345": "sequence of adjacent",
    "1q2w3e4r5t6y7u8i": "sequence of adjacent",
    "q1w2e3r4t5y6u7i8": "sequence of adjacent",
    "iloveyouiloveyou1": "repeats",
    "letmein12345678": "sequence of adjacent",
    "Welcome12345678": "sequence of adjacent",
    "Passw0rd12345678": "sequence of adjacent",
    "administrator123": "data breaches",
    "Roster2026!!!!!!": 'easily guessed word "roster"',
    "correcthorsebatterystaple": "data breaches",
    "correct horse battery staple": "data breaches",
}


@pytest.fixture
def policy() -> PasswordPolicy:
    return PasswordPolicy()


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

    @pytest.mark.parametrize("password", ACCEPTED_BEFORE, ids=str)
    def test_accepted_before(self, policy, password):
        """Each password of finding M7 is rejected at the default length (ASVS 6.2.4, 6.2.12)."""
        with pytest.raises(WeakPassword, match=ACCEPTED_BEFORE[password]):
            policy.validate(password, "ada", "ada@example.com")

    @pytest.mark.parametrize(
        ("password", "reason"),
        [
            ("!aaaaaaaaaaaaaaab", "repeats"),
            ("xyxyxyxyxyxyxyxyq7", "repeats"),
            ("dragonqwertyuiop", "sequence of adjacent"),
            ("lkjhgfdsalkjhg77", "repeats|sequence of adjacent"),
            ("zaq1xsw2cde3vfr4b", "sequence of adjacent"),
            ("I Love You Forever", "data breaches"),
            ("summer2026summer", "common words"),
            ("a" * 72 + "b", "repeats"),
            ("0" * 1023 + "1", "repeats"),
            ("0123456789" * 102, "repeats|sequence"),
        ],
    )
    def test_little_remains(self, policy, password, reason):
        """Runs, repeats and keyboard walks are judged by what remains without them (M7)."""
        with pytest.raises(WeakPassword, match=reason):
            policy.validate(password)

    @pytest.mark.parametrize("length", [71, 72, 73, 100, 1024])
    def test_long_passwords_are_scored(self, policy, length):
        """zxcvbn raises above 72 characters; a long password is judged by its first 72."""
        policy.validate(("seven lanterns on the pier and a stone bridge " * 1000)[:length])

    def test_context_word_only_on_one_account(self, policy):
        """The words of one account have no effect on the passwords of others."""
        password = "zebulonia harbors lights"
        with pytest.raises(WeakPassword):
            policy.validate("zebulonia 77 aa", "zebulonia")

        policy.validate(password, "ada")

    @pytest.mark.parametrize(
        ("password", "reason"),
        [
            ("password password", 'Without the easily guessed word "password", too little'),
            (
                "Roster password 12",
                'Without the easily guessed words "roster" and "password", too little',
            ),
            ("zebulonia 77 aa", "Without your username, name and email address, too little"),
            (
                "zebulonia password",
                "Without your username, name and email address and without the easily guessed word"
                ' "password", too little',
            ),
        ],
    )
    def test_reason_names_the_words(self, policy, password, reason):
        """The reason names the words of the service, and of the user's only where they are from."""
        with pytest.raises(WeakPassword, match=f"^{reason} of the password remains"):
            policy.validate(password, "zebulonia", "z@example.com")

    def test_decomposed_letters_count_once(self, policy):
        """The length is that of normal form C, which is hashed."""
        with pytest.raises(WeakPassword, match="at least 15"):
            policy.validate("e\u0301a\u0301" * 7)

    def test_exempt(self):
        """The published password of the demo users is accepted only where it is exempt."""
        demo = "correct horse battery staple"
        PasswordPolicy(exempt=[demo]).validate(demo)

        with pytest.raises(WeakPassword, match="data breaches"):
            PasswordPolicy().validate(demo)

    @pytest.mark.parametrize("password", ["kx82mqp4", "lantern7pier"])
    def test_minimum_of_eight(self, password):
        """With a minimum of 8, eight random characters are accepted."""
        PasswordPolicy(min_length=8).validate(password)

    def test_common(self):
        """A common password is rejected with a minimum of 8, too (ASVS 6.2.4)."""
        with pytest.raises(WeakPassword, match="most common"):
            PasswordPolicy(min_length=8).validate("Football1".lower())

    @pytest.mark.parametrize(
        "password",
        [
            "seven lanterns on the pier",
            "a stone bridge over the river",
            "sixteen tin lanterns",
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

    def test_minimum_below_nist(self):
        """A minimum that NIST SP 800-63B-4 forbids cannot be configured."""
        with pytest.raises(ValueError, match="at least 8"):
            PasswordPolicy(min_length=7)


class TestBreachedPasswords:
    def test_every_entry_is_found(self):
        """A filter finds all its entries, in any case."""
        entries = [f"Entry Number {number}" for number in range(500)]

        content = breached_passwords.build(entries)

        assert all(breached_passwords.contains(content, entry.upper()) for entry in entries)
        assert not breached_passwords.contains(content, "Entry Number 500")

    def test_other_passwords(self):
        """Passwords that are not on the list are not found."""
        found = [n for n in range(5000) if breached_passwords.is_breached(f"no entry has {n} ok")]

        assert found == []

    def test_long_list(self):
        """The list has hundreds of thousands of entries: ASVS 6.2.4 requires 3,000."""
        listed = ("administrator123", "correcthorsebatterystaple", "qwertyuiop12345")

        assert all(map(breached_passwords.is_breached, listed))


class TestServiceName:
    @pytest.mark.parametrize(
        "password", ["zweifelchips-2026", "Chips-Zweifel-2026", "ZWEIFEL zweifel 12"]
    )
    def test_words(self, password):
        """The words of the product's name must not carry a password."""
        policy = PasswordPolicy(service_name="Zweifel Chips")

        with pytest.raises(WeakPassword, match="easily guessed"):
            policy.validate(password)

    def test_as_a_part(self):
        """A password that is long enough without them may have them."""
        PasswordPolicy(service_name="Acme").validate("acme lantern orbit gravel mitten")
