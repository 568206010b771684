"""TOTP codes: the stored form of the secret, and the accepted time steps."""

import base64
import hashlib
from urllib.parse import parse_qs, urlsplit

import pytest
from passlib.totp import TOTP

from models import RECOVERY_CODES, Totp, secrets_from
from models.security.totp import digest_of, new_recovery_codes
from tests.support.authenticator import Authenticator, Clock

SECRETS = {"2026": "a secret that only tests have"}
# The key and the codes of RFC 6238, appendix B, shortened to six digits.
RFC_KEY = b"12345678901234567890"
RFC_CODES = [
    (59, "287082"),
    (1111111109, "081804"),
    (1111111111, "050471"),
    (1234567890, "005924"),
    (2000000000, "279037"),
    (20000000000, "353130"),
]
NONSENSE = [
    "",
    " ",
    "-",
    "12345",
    "1234567",
    "abcdef",
    "12345a",
    "-12345",
    "+12345",
    "1.5e10",
    "0x1234",
    "12\n3456",
    "123456\n",
    "\x00",
    "12345\x00",
    "\u0661\u0662\u0663\u0664\u0665\u0666",
    "\uff11\uff12\uff13\uff14\uff15\uff16",
    "\u00b2" * 6,
    "\ud800",
    "'; --",
    "{{7*7}}",
    "0" * 1000,
    "a" * 1000,
    "9" * 5000,
]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def totp(clock: Clock) -> Totp:
    return Totp(SECRETS, clock=clock)


@pytest.fixture
def made(totp: Totp):
    return totp.new("ada")


@pytest.fixture
def phone(made, clock: Clock) -> Authenticator:
    return Authenticator(made.secret, clock)


class TestNew:
    def test_secret(self, totp):
        """Each secret has 160 random bits, as RFC 4226 recommends, and all differ."""
        first, second = totp.new("ada"), totp.new("ada")

        assert len(base64.b32decode(first.secret)) == 20
        assert first.secret != second.secret

    def test_encrypted_at_rest(self, made):
        """ASVS 13.3.1: the stored value contains neither the secret nor its bytes."""
        key = base64.b32decode(made.secret)

        assert made.secret not in made.stored
        assert key.hex() not in made.stored.lower()
        assert base64.b64encode(key).decode() not in made.stored
        assert "ada" not in made.stored

    def test_same_secret_twice(self, totp):
        """A salt sees to it that one secret is never stored in the same way again."""
        first, second = (totp.new("ada").stored for _ in range(2))

        assert first != second

    def test_uri(self, made):
        """The URI tells an authenticator the service, the account and the secret."""
        uri = urlsplit(made.uri)

        assert (uri.scheme, uri.netloc, uri.path) == ("otpauth", "totp", "/Roster:ada")
        assert parse_qs(uri.query) == {"secret": [made.secret], "issuer": ["Roster"]}

    def test_issuer(self, clock):
        """Authenticators call the service what its operator calls it."""
        made = Totp(SECRETS, issuer="The Works", clock=clock).new("ada")

        assert urlsplit(made.uri).path == "/The%20Works:ada"
        assert parse_qs(urlsplit(made.uri).query)["issuer"] == ["The Works"]

    def test_repr(self, made):
        """ASVS 16.2.5: a secret that is logged by mistake is not in the log."""
        assert made.secret not in repr(made)
        assert made.stored not in repr(made)


class TestMatch:
    @pytest.mark.parametrize("seconds, code", RFC_CODES)
    def test_rfc_6238(self, seconds, code):
        """The codes are those of the standard."""
        stored = TOTP.using(secrets=SECRETS)(key=RFC_KEY, format="raw").to_json()

        assert Totp(SECRETS, clock=Clock(seconds)).match(stored, code) == seconds // 30

    @pytest.mark.parametrize("steps", [-1, 0, 1])
    def test_counter(self, totp, clock, made, phone, steps):
        """A code of the present step, or of a neighbour, tells its step's number."""
        assert totp.match(made.stored, phone.code(steps)) == clock() // 30 + steps

    @pytest.mark.parametrize("steps", [-100, -3, -2, 2, 3, 100])
    def test_lifetime(self, totp, made, phone, steps):
        """ASVS 6.5.5: codes of other steps count for nothing."""
        assert totp.match(made.stored, phone.code(steps)) is None

    @pytest.mark.parametrize(
        "seconds, counts", [(-31, False), (-30, True), (59, True), (60, False)]
    )
    def test_to_the_second(self, totp, clock, made, phone, seconds, counts):
        """A code counts from one step before its own to the end of the step after it."""
        code = phone.code()
        clock.seconds += seconds

        assert (totp.match(made.stored, code) is not None) is counts

    def test_after(self, totp, clock, made, phone):
        """ASVS 6.5.1: neither the code of the last counter nor an earlier one counts again."""
        last = clock() // 30

        assert totp.match(made.stored, phone.code(), after=last) is None
        assert totp.match(made.stored, phone.code(-1), after=last) is None
        assert totp.match(made.stored, phone.code(1), after=last) == last + 1

    def test_clock_goes_back(self, totp, clock, made, phone):
        """A clock that is set back brings no used code to life."""
        last = clock() // 30
        clock.move(-10)

        assert totp.match(made.stored, phone.code(), after=last) is None
        assert totp.match(made.stored, phone.code(10), after=last) is None

    def test_gaps(self, totp, made, phone):
        """A code may be typed as telephones show it, in two groups."""
        code = phone.code()

        assert totp.match(made.stored, f" {code[:3]} {code[3:]} ") is not None
        assert totp.match(made.stored, f"{code[:3]}-{code[3:]}") is not None

    def test_other_secret(self, totp, made, clock):
        """The code of one account is none of another."""
        other = Authenticator(totp.new("eve").secret, clock)

        assert totp.match(made.stored, other.code()) is None

    @pytest.mark.parametrize("otp", NONSENSE)
    def test_nonsense(self, totp, made, otp):
        """ASVS 2.2.1: whatever is typed is a wrong code, and never an error."""
        assert totp.match(made.stored, otp) is None

    @pytest.mark.parametrize("zero", ["\u0660", "\uff10", "\U0001d7ce"])
    def test_digits_of_other_scripts(self, totp, made, phone, zero):
        """Digits that look like the right ones, or mean the same, are not the code."""
        code = "".join(chr(ord(zero) + int(digit)) for digit in phone.code())

        assert totp.match(made.stored, code) is None


class TestTags:
    def test_last_tag_encrypts(self, clock):
        """New secrets are encrypted with the last tag; numbers are ordered as numbers."""
        by_year = Totp({"2027": "k" * 16, "2026": "x" * 16}, clock=clock)
        by_number = Totp({"10": "k" * 16, "9": "x" * 16}, clock=clock)

        assert '"t":"2027"' in by_year.new("ada").stored
        assert '"t":"10"' in by_number.new("ada").stored

    def test_older_tags_decrypt(self, clock, made, phone):
        """Who was there before a new secret came still has the same authenticator."""
        later = Totp({**SECRETS, "2027": "another secret of tests"}, clock=clock)

        assert later.match(made.stored, phone.code()) is not None

    def test_tag_is_gone(self, clock, made, phone):
        """ASVS 16.5.3: a secret that cannot be decrypted accepts no code."""
        later = Totp({"2027": "another secret of tests"}, clock=clock)

        with pytest.raises(KeyError, match="2026"):
            later.match(made.stored, phone.code())

    def test_other_secret(self, clock, made, phone):
        """The tables without the encryption key give no codes."""
        guessed = Totp({"2026": "a secret that somebody guessed"}, clock=clock)

        assert guessed.match(made.stored, phone.code()) is None


class TestSecretsFrom:
    def test_same_on_every_host(self):
        """One secret key leads to one secret, and another one to another."""
        assert secrets_from("a key") == secrets_from("a key")
        assert secrets_from("a key") != secrets_from("another key")

    def test_not_the_key(self):
        """The key itself, which signs cursors, encrypts nothing."""
        secret = secrets_from("a key")["0"]

        assert len(secret) == 64
        assert secret != hashlib.sha256(b"a key").hexdigest()
        assert "a key" not in secret

    @pytest.mark.parametrize("tag", ["1", "2026", "2026-11", "a", "A"])
    def test_given_later(self, clock, tag):
        """Secrets that the operator gives later encrypt from then on; older ones are still read."""
        made = Totp(secrets_from("a key"), clock=clock).new("ada")
        later = Totp({**secrets_from("a key"), tag: "k" * 16}, clock=clock)

        assert f'"t":"{tag}"' in later.new("ada").stored
        assert later.match(made.stored, Authenticator(made.secret, clock).code()) is not None


class TestRecoveryCodes:
    def test_ten(self):
        """There are ten codes, and each is another one."""
        codes = new_recovery_codes()

        assert len(set(codes)) == len(codes) == RECOVERY_CODES == 10

    def test_bits(self):
        """ASVS 6.5.2: a code has 120 random bits, so that a plain digest of it may be stored."""
        code = new_recovery_codes()[0].replace("-", "").upper()

        assert len(base64.b32decode(code)) * 8 == 120

    def test_form(self):
        """A code is in lower case and in groups, to be copied from paper."""
        code = new_recovery_codes()[0]

        assert code.islower()
        assert [len(group) for group in code.split("-")] == [4] * 6

    def test_digest(self):
        """Case and gaps do not count; the digest does not hold the code."""
        code = new_recovery_codes()[0]
        digest = digest_of(code)

        assert digest == digest_of(code.upper())
        assert digest == digest_of(f" {code.replace('-', ' ')} ")
        assert digest == digest_of(code.replace("-", ""))
        assert len(digest) == 64
        assert code not in digest

    def test_other_code(self):
        """Two codes have two digests."""
        first, second, *_ = new_recovery_codes()

        assert digest_of(first) != digest_of(second)

    @pytest.mark.parametrize("code", [*NONSENSE, "k" * 23, "k" * 25, "1" * 24, "\u212a" * 24])
    def test_nonsense(self, code):
        """Whatever is typed is no code, and never an error; the Kelvin sign is no k."""
        assert digest_of(code) is None
