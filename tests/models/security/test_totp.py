"""TOTP codes: the stored form of the secret, and the accepted time steps."""

import base64
import logging
import re
import subprocess
import sys
from urllib.parse import parse_qs, urlsplit

import pytest

from models import RECOVERY_CODES, SecretKeys, Totp
from models.errors import UnreadableSecret
from models.security.totp import digest_of, key_of, new_recovery_codes
from tests.support.authenticator import Authenticator, Clock
from tests.support.documents import DOCS
from tests.support.legacy_totp import encrypt

OLD, NEW = "a key that only tests have", "another key of tests"
ADA = "the ID of ada"
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
    return Totp([OLD], clock=clock)


@pytest.fixture
def made(totp: Totp):
    return totp.new("ada", ADA)


@pytest.fixture
def phone(made, clock: Clock) -> Authenticator:
    return Authenticator(made.secret, clock)


class TestNew:
    def test_secret(self, totp):
        """Each secret has 160 random bits, as RFC 4226 recommends, and all differ."""
        first, second = totp.new("ada", ADA), totp.new("ada", ADA)

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
        """A nonce sees to it that one secret is never stored in the same way again."""
        first, second = (totp.new("ada", ADA).stored for _ in range(2))

        assert first != second

    def test_uri(self, made):
        """The URI tells an authenticator the service, the account and the secret."""
        uri = urlsplit(made.uri)

        assert (uri.scheme, uri.netloc, uri.path) == ("otpauth", "totp", "/Roster:ada")
        assert parse_qs(uri.query) == {"secret": [made.secret], "issuer": ["Roster"]}

    def test_issuer(self, clock):
        """Authenticators call the service what its operator calls it."""
        made = Totp([OLD], issuer="The Works", clock=clock).new("ada", ADA)

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
        stored = encrypt(base64.b32encode(RFC_KEY).decode(), secret_key=OLD)
        match = Totp([OLD], clock=Clock(seconds)).match(stored, code, user_id=ADA)

        assert match.counter == seconds // 30

    @pytest.mark.parametrize("steps", [-1, 0, 1])
    def test_counter(self, totp, clock, made, phone, steps):
        """A code of the present step, or of a neighbour, tells its step's number."""
        match = totp.match(made.stored, phone.code(steps), user_id=ADA)

        assert match.counter == clock() // 30 + steps

    @pytest.mark.parametrize("steps", [-100, -3, -2, 2, 3, 100])
    def test_lifetime(self, totp, made, phone, steps):
        """ASVS 6.5.5: codes of other steps count for nothing."""
        assert totp.match(made.stored, phone.code(steps), user_id=ADA) is None

    @pytest.mark.parametrize(
        "seconds, counts", [(-31, False), (-30, True), (59, True), (60, False)]
    )
    def test_to_the_second(self, totp, clock, made, phone, seconds, counts):
        """A code counts from one step before its own to the end of the step after it."""
        code = phone.code()
        clock.seconds += seconds

        assert (totp.match(made.stored, code, user_id=ADA) is not None) is counts

    def test_after(self, totp, clock, made, phone):
        """ASVS 6.5.1: neither the code of the last counter nor an earlier one counts again."""
        last = clock() // 30

        def match(steps: int):
            return totp.match(made.stored, phone.code(steps), user_id=ADA, after=last)

        assert match(0) is None
        assert match(-1) is None
        assert match(1).counter == last + 1

    def test_clock_goes_back(self, totp, clock, made, phone):
        """A clock that is set back brings no used code to life."""
        last = clock() // 30
        clock.move(-10)

        for steps in (0, 10):
            assert totp.match(made.stored, phone.code(steps), user_id=ADA, after=last) is None

    def test_gaps(self, totp, made, phone):
        """A code may be typed as telephones show it, in two groups."""
        code = phone.code()

        for typed in (f" {code[:3]} {code[3:]} ", f"{code[:3]}-{code[3:]}"):
            assert totp.match(made.stored, typed, user_id=ADA) is not None

    def test_other_secret(self, totp, made, clock):
        """The code of one account is none of another."""
        other = Authenticator(totp.new("eve", "the ID of eve").secret, clock)

        assert totp.match(made.stored, other.code(), user_id=ADA) is None

    @pytest.mark.parametrize("otp", NONSENSE)
    def test_nonsense(self, totp, made, otp):
        """ASVS 2.2.1: whatever is typed is a wrong code, and never an error."""
        assert totp.match(made.stored, otp, user_id=ADA) is None

    @pytest.mark.parametrize("zero", ["\u0660", "\uff10", "\U0001d7ce"])
    def test_digits_of_other_scripts(self, totp, made, phone, zero):
        """Digits that look like the right ones, or mean the same, are not the code."""
        code = "".join(chr(ord(zero) + int(digit)) for digit in phone.code())

        assert totp.match(made.stored, code, user_id=ADA) is None


class TestKeys:
    def test_current_key(self, made, totp, phone):
        """A secret that the current key has sealed stays as it is stored."""
        assert totp.match(made.stored, phone.code(), user_id=ADA).resealed is None
        assert totp.reseal(made.stored, ADA) is None

    def test_older_key(self, clock, made, phone):
        """M3: a secret of an older key is opened, and sealed again with the current one."""
        later = Totp([NEW, OLD], clock=clock)
        resealed = later.match(made.stored, phone.code(), user_id=ADA).resealed

        assert key_of(resealed) == SecretKeys([NEW]).ids[0]
        assert Totp([NEW], clock=clock).match(resealed, phone.code(), user_id=ADA)

    def test_without_code(self, clock, made, phone):
        """M3: it can be sealed again without its user."""
        resealed = Totp([NEW, OLD], clock=clock).reseal(made.stored, ADA)

        assert Totp([NEW], clock=clock).match(resealed, phone.code(), user_id=ADA)

    def test_key_is_gone(self, clock, made, phone):
        """M3, ASVS 16.5.3: without its key a secret is unreadable; no code is wrong."""
        later = Totp([NEW], clock=clock)

        for code in (phone.code(), "000000"):
            with pytest.raises(UnreadableSecret, match=f"{ADA} .* {SecretKeys([OLD]).ids[0]}"):
                later.match(made.stored, code, user_id=ADA)

    def test_row_of_another_user(self, totp, made, phone):
        """ASVS 11.3.3: a secret that is copied to the row of another user accepts no code."""
        with pytest.raises(UnreadableSecret):
            totp.match(made.stored, phone.code(), user_id="the ID of eve")

    @pytest.mark.parametrize("stored", ["", "nonsense", "{}", "[]", '{"enckey": {"t": "0"}}'])
    def test_unknown_form(self, totp, stored):
        """Whatever else is stored is unreadable, and is sealed with no key."""
        with pytest.raises(UnreadableSecret):
            totp.match(stored, "123456", user_id=ADA)
        with pytest.raises(UnreadableSecret):
            totp.reseal(stored, ADA)


class TestLegacy:
    """The form of version 0.6: AES-CTR, whose wrong key is not noticed."""

    @pytest.mark.parametrize("keys", [[OLD], [OLD, NEW], [NEW, OLD], ["a third one", NEW, OLD]])
    def test_secret_key(self, clock, made, phone, keys):
        """M3: a secret of any configured key is opened, and sealed again with the current one."""
        stored = encrypt(made.secret, secret_key=OLD)
        match = Totp(keys, clock=clock).match(stored, phone.code(), user_id=ADA)

        assert key_of(match.resealed) == SecretKeys(keys).ids[0]
        assert Totp(keys[:1], clock=clock).match(match.resealed, phone.code(), user_id=ADA)

    @pytest.mark.parametrize("tag", ["0", "1", "2026", "2026-11", "a", "A"])
    def test_tag(self, clock, made, phone, tag):
        """A secret of ROSTER_TOTP_SECRETS is opened, and sealed with the current secret key."""
        secret = "sixteen letters!"
        stored = encrypt(made.secret, tag=tag, key=secret)
        totp = Totp([NEW], legacy_secrets={tag: secret, "x": "y" * 16}, clock=clock)
        match = totp.match(stored, phone.code(), user_id=ADA)

        assert key_of(stored) == f"tag {tag}"
        assert Totp([NEW], clock=clock).match(match.resealed, phone.code(), user_id=ADA)

    def test_secret_key_with_a_comma(self, clock, made, phone):
        """The command in docs/upgrading.md yields what opens the secrets of such a key."""
        old = "an old key, with a comma"
        [command] = re.findall(r"`python3 -c '(.+?)'`", (DOCS / "upgrading.md").read_text())
        output = subprocess.check_output(
            [sys.executable, "-c", command], env={"OLD_KEY": old}, text=True
        )
        totp = Totp([NEW], legacy_secrets={"0": output.strip()}, clock=clock)
        stored = encrypt(made.secret, secret_key=old)

        assert totp.match(stored, phone.code(), user_id=ADA)

    def test_tag_is_gone(self, clock, made, phone):
        """M3, ASVS 16.5.3: a tag that is no longer configured is an error that names it."""
        stored = encrypt(made.secret, tag="2026", key="k" * 16)
        totp = Totp([NEW], legacy_secrets={"2027": "k" * 16}, clock=clock)

        with pytest.raises(UnreadableSecret, match="tag 2026"):
            totp.match(stored, phone.code(), user_id=ADA)

    @pytest.mark.parametrize("keys", [[OLD], [OLD, NEW], [NEW, OLD]])
    def test_without_code(self, clock, made, phone, keys):
        """M3: it is sealed again without its user, although its key is not known for certain."""
        stored = encrypt(made.secret, secret_key=OLD)
        resealed = Totp(keys, clock=clock).reseal(stored, ADA)

        assert Totp(keys[:1], clock=clock).match(resealed, phone.code(), user_id=ADA)

    def test_first_code_decides(self, clock, made, phone):
        """Of the secrets that two keys yield, the one that the first code belongs to stays."""
        stored = encrypt(made.secret, secret_key=OLD)
        resealed = Totp([NEW, OLD], clock=clock).reseal(stored, ADA)
        after = Totp([NEW], clock=clock)
        decided = after.match(resealed, phone.code(), user_id=ADA).resealed

        assert len(decided) < len(resealed)
        assert after.match(decided, phone.code(), user_id=ADA).resealed is None

    def test_wrong_key_is_logged(self, clock, made, phone, caplog):
        """M3: a wrong key looks like a wrong code in this form, so the log has a line."""
        stored = encrypt(made.secret, secret_key=OLD)

        with caplog.at_level(logging.WARNING):
            assert Totp([NEW], clock=clock).match(stored, phone.code(), user_id=ADA) is None
        assert ADA in caplog.text
        assert "roster keys rekey" in caplog.text


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
