"""Hashes that other systems made: which can be imported, and what is verified against them."""

import hashlib

import pytest
from passlib.registry import get_crypt_handler
from werkzeug.security import generate_password_hash

from models import CHEAPEST_PROFILE, PasswordHasher
from models.errors import InvalidField
from models.security import legacy_hashes

PASSWORD = "a stone bridge over the river"
# As cheap as each scheme allows: there are many.
CHEAP = {
    "argon2": {"memory_cost": 8, "rounds": 1, "parallelism": 1},
    "scrypt": {"rounds": 4},
    "bcrypt": {"rounds": 4},
    "bcrypt_sha256": {"rounds": 4},
    "django_bcrypt_sha256": {"rounds": 4},
    "sha512_crypt": {"rounds": 1000},
    "sha256_crypt": {"rounds": 1000},
    "phpass": {"rounds": 7},
    "pbkdf2_sha512": {"rounds": 1},
    "pbkdf2_sha256": {"rounds": 1},
    "pbkdf2_sha1": {"rounds": 1},
    "django_pbkdf2_sha256": {"rounds": 1},
    "django_pbkdf2_sha1": {"rounds": 1},
    "grub_pbkdf2_sha512": {"rounds": 1},
}
# Made by the systems themselves, or taken from their documentation and tests.
FROM_ELSEWHERE = {
    "Django, argon2": lambda: "argon2" + made("argon2"),
    "Django, bcrypt": lambda: "bcrypt$" + made("bcrypt"),
    "Django, PBKDF2": lambda: django_pbkdf2(PASSWORD),
    "Flask, scrypt": lambda: generate_password_hash(PASSWORD, "scrypt:1024:8:1"),
    "Flask, PBKDF2": lambda: generate_password_hash(PASSWORD, "pbkdf2:sha256:10"),
    "Flask, PBKDF2 with SHA-1": lambda: generate_password_hash(PASSWORD, "pbkdf2:sha1:10"),
    "PHP, bcrypt": lambda: made("bcrypt").replace("$2b$", "$2y$"),
    "LDAP, crypt": lambda: "{CRYPT}" + made("sha512_crypt"),
    "LDAP, crypt in lower case": lambda: "{crypt}" + made("md5_crypt"),
    "LDAP, argon2": lambda: "{ARGON2}" + made("argon2"),
    "LDAP, PBKDF2": lambda: made("ldap_pbkdf2_sha256", rounds=10),
    "LDAP, PBKDF2 with SHA-512": lambda: made("ldap_pbkdf2_sha512", rounds=10),
    "LDAP, SSHA in lower case": lambda: made("ldap_salted_sha1").replace("{SSHA}", "{ssha}"),
    "Dovecot, bcrypt": lambda: "{BLF-CRYPT}" + made("bcrypt"),
    "Dovecot, SHA-512": lambda: "{SHA512-CRYPT}" + made("sha512_crypt"),
    "argon2i": lambda: made("argon2", **CHEAP["argon2"], type="I"),
    "argon2d": lambda: made("argon2", **CHEAP["argon2"], type="D"),
}
REFUSED = {
    "plain text": PASSWORD,
    "plain text of LDAP": "{PLAIN}" + PASSWORD,
    "MD5": hashlib.md5(PASSWORD.encode()).hexdigest(),
    "SHA-1": hashlib.sha1(PASSWORD.encode()).hexdigest(),
    "SHA-256": hashlib.sha256(PASSWORD.encode()).hexdigest(),
    "SHA-512": hashlib.sha512(PASSWORD.encode()).hexdigest(),
    "LDAP, MD5 without salt": "{MD5}/kmI20AkVfr7LnEhpHoYUQ==",
    "LDAP, SHA-1 without salt": "{SHA}fEqNCco3Yq9h5ZUglD3CZJT4lBs=",
    "LDAP, DES": "{CRYPT}abgOeLfPimXQo",
    "DES": "abgOeLfPimXQo",
    "BSDi": "_/...lLDAxARksGCHin.",
    "LM": "e52cac67419a9a224a3b108f3fa6cb6d",
    "NT": "$NT$8846f7eaee8fb117ad06bdd830b7586c",
    "MySQL": "*0D3CED9BEC10A777AEC23CCC353A8C08A633045E",
    "PostgreSQL": "md55d41402abc4b2a76b9719d911017c592",
    "Oracle": "S:4143053633E59B4992A8EA17D2FF542C9EDEB335C886EED9C80450C1B4E6",
    "Django, disabled": "!ab12cd34",
    "Unix, disabled": "*",
    "empty": "",
    "digits of another script": "$2b$٠٤$nbyxoiasGHEUSRMxB8sX9eS.8s5BKBFqe76uNU9iE4AcOKMKaVVB.",
    "long": "{SSHA}" + "A" * 2000,
    "argon2 without digest": "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ",
    "argon2 with 4 bytes": "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$AAAAAA",
    "argon2 with a key": "$argon2id$v=19$m=8,t=1,p=1,keyid=AAAA$c29tZXNhbHQ$" + "A" * 22,
    "argon2 with data": "$argon2id$v=19$m=8,t=1,p=1,data=AAAA$c29tZXNhbHQ$" + "A" * 22,
    "argon2 of the future": "$argon2id$v=99$m=8,t=1,p=1$c29tZXNhbHQ$" + "A" * 22,
    "bcrypt without digest": "$2b$04$nbyxoiasGHEUSRMxB8sX9e",
    "bcrypt cut off": "$2b$04$nbyxoiasGHEUSRMxB8sX9eS",
    "bcrypt with a known flaw": "$2x$04$nbyxoiasGHEUSRMxB8sX9eS.8s5BKBFqe76uNU9iE4AcOKMKaVVB.",
    "Flask, half a digit": "pbkdf2:sha256:10$salt$abc",
    "Flask, no power of two": f"scrypt:15:8:1$salt${'ab' * 64}",
}
TOO_DEAR = {
    "argon2 in 4 GiB": "$argon2id$v=19$m=4194304,t=1,p=1$c29tZXNhbHQ$" + "A" * 22,
    "argon2 in a million passes": "$argon2id$v=19$m=19456,t=1000000,p=1$c29tZXNhbHQ$" + "A" * 22,
    "argon2 in 255 lanes": "$argon2id$v=19$m=19456,t=1,p=255$c29tZXNhbHQ$" + "A" * 22,
    "scrypt with N=2^25": "$scrypt$ln=25,r=8,p=1$c29tZXNhbHQ$" + "A" * 43,
    "scrypt with a large r": "$scrypt$ln=14,r=1024,p=1$c29tZXNhbHQ$" + "A" * 43,
    "scrypt with a large p": "$scrypt$ln=14,r=8,p=1000$c29tZXNhbHQ$" + "A" * 43,
    "Flask, scrypt": f"scrypt:{2**25}:8:1$salt${'ab' * 64}",
    "Flask, PBKDF2": f"pbkdf2:sha256:1000000000$salt${'ab' * 32}",
    "PBKDF2 with a billion rounds": "$pbkdf2-sha256$1000000000$c29tZXNhbHQ$" + "A" * 43,
    "Django, PBKDF2 with a billion rounds": "pbkdf2_sha256$1000000000$salt$" + "A" * 43 + "=",
    "SHA-512 with a billion rounds": "$6$rounds=999999999$saltsalt$" + "A" * 86,
    "SHA-256 with a billion rounds": "$5$rounds=999999999$saltsalt$" + "A" * 43,
    "bcrypt at cost 31": "$2b$31$nbyxoiasGHEUSRMxB8sX9eS.8s5BKBFqe76uNU9iE4AcOKMKaVVB.",
    "phpass at 2^30": "$P$SsaltsaltAAAAAAAAAAAAAAAAAAAAAA",
}
ODD = {
    "empty": "",
    "NUL": "nul\0nul",
    "lone surrogate": "\ud800",
    "over 72 bytes": "é" * 40,
    "over 512 bytes": "é" * 400,
    "5,000 characters": "x" * 5000,
}


def made(scheme, **settings):
    """A hash of the password."""
    settings = settings or CHEAP.get(scheme, {})
    handler = get_crypt_handler(scheme)
    return (handler.using(**settings) if settings else handler).hash(PASSWORD)


def django_pbkdf2(password):
    """A hash as Django's `PBKDF2PasswordHasher` writes it."""
    return get_crypt_handler("django_pbkdf2_sha256").using(rounds=10).hash(password)


@pytest.fixture(scope="module")
def passwords():
    return PasswordHasher(CHEAPEST_PROFILE)


@pytest.mark.parametrize("scheme", legacy_hashes.SCHEMES)
class TestEveryScheme:
    def test_imported_and_replaced(self, passwords, scheme):
        """A hash can be imported, its password matches, and an argon2id hash is to replace it."""
        is_right, newer = passwords.verify(PASSWORD, legacy_hashes.validate_imported(made(scheme)))

        assert is_right
        assert newer is None or newer.startswith("$argon2id$")

    def test_wrong_password(self, passwords, scheme):
        """Another password does not match."""
        assert passwords.verify("another " + PASSWORD, made(scheme)) == (False, None)

    @pytest.mark.parametrize("odd", ODD.values(), ids=ODD.keys())
    def test_odd_password(self, passwords, scheme, odd):
        """What a scheme cannot hash is simply not the password: never an error."""
        assert passwords.verify(odd, made(scheme)) == (False, None)

    def test_whole_password(self, passwords, scheme):
        """No scheme looks at the beginning of a password only (ASVS 6.2.8, the bcrypt class)."""
        assert passwords.verify(PASSWORD + "x", made(scheme)) == (False, None)

    def test_name(self, passwords, scheme):
        """A hash can be told from others without being shown."""
        assert passwords.scheme_of(made(scheme)) == scheme


class TestLongPasswords:
    @pytest.mark.parametrize("scheme", ["bcrypt_sha256", "pbkdf2_sha256", "sha512_crypt", "phpass"])
    def test_last_of_many(self, passwords, scheme):
        """Two passwords that share their first 200 bytes differ."""
        handler = get_crypt_handler(scheme).using(**CHEAP[scheme])
        stored = handler.hash("p" * 200 + "a")

        assert passwords.verify("p" * 200 + "b", stored) == (False, None)
        assert passwords.verify("p" * 200 + "a", stored)[0]

    def test_bcrypt_at_its_limit(self, passwords):
        """bcrypt reads at most 72 bytes; a password of 73 is rejected instead of truncated."""
        handler = get_crypt_handler("bcrypt").using(rounds=4)
        stored = handler.hash("p" * 72)

        assert passwords.verify("p" * 72, stored)[0]
        assert passwords.verify("p" * 73, stored) == (False, None)


class TestElsewhere:
    @pytest.mark.parametrize("make", FROM_ELSEWHERE.values(), ids=FROM_ELSEWHERE.keys())
    def test_spelling(self, passwords, make):
        """A hash counts as the system wrote it that made it, and is replaced by argon2id."""
        stored = legacy_hashes.validate_imported(make())

        assert passwords.verify("another " + PASSWORD, stored) == (False, None)
        assert passwords.verify(PASSWORD, stored)[0]

    def test_argon2i_is_replaced(self, passwords):
        """argon2i and argon2d are no argon2id."""
        stored = legacy_hashes.validate_imported(FROM_ELSEWHERE["argon2i"]())

        assert passwords.verify(PASSWORD, stored)[1].startswith("$argon2id$")


class TestRefused:
    @pytest.mark.parametrize("hash", REFUSED.values(), ids=REFUSED.keys())
    def test_not_a_hash_to_import(self, hash):
        """Plain text, unsalted, truncating and malformed hashes are refused and not repeated."""
        with pytest.raises(InvalidField) as refused:
            legacy_hashes.validate_imported(hash)

        assert refused.value.field == "password_hash"
        assert hash == "" or len(hash) == 1 or hash not in str(refused.value)

    @pytest.mark.parametrize("hash", REFUSED.values(), ids=REFUSED.keys())
    def test_nobody_signs_in_with_it(self, passwords, hash):
        """A stored malformed hash matches no password and raises no error."""
        assert passwords.verify(PASSWORD, hash) == (False, None)

    @pytest.mark.parametrize("hash", TOO_DEAR.values(), ids=TOO_DEAR.keys())
    def test_too_dear(self, hash):
        """A hash that would keep the service busy is refused (ASVS 15.2.2)."""
        with pytest.raises(InvalidField, match="too much time or memory"):
            legacy_hashes.validate_imported(hash)

    @pytest.mark.parametrize(
        "hash",
        [
            "$argon2id$v=19$m=102400,t=2,p=8$c29tZXNhbHQ$" + "A" * 43,
            "$scrypt$ln=17,r=8,p=1$c29tZXNhbHQ$" + "A" * 43,
            "pbkdf2_sha256$1200000$salt$" + "A" * 43 + "=",
            "$6$rounds=656000$saltsalt$" + "A" * 86,
            "$2b$14$nbyxoiasGHEUSRMxB8sX9eS.8s5BKBFqe76uNU9iE4AcOKMKaVVB.",
        ],
        ids=["Django's argon2", "OWASP's scrypt", "Django's PBKDF2", "passlib's SHA-512", "bcrypt"],
    )
    def test_strong(self, hash):
        """What other systems take for strong can be imported."""
        assert legacy_hashes.validate_imported(hash)


class TestTime:
    @pytest.mark.parametrize("scheme", legacy_hashes.SCHEMES)
    def test_wrong_password(self, passwords, monkeypatch, scheme):
        """M2: a wrong password costs one hash of Roster's parameters, whatever is stored."""
        verified = []
        context = passwords._context
        inner = context.verify
        monkeypatch.setattr(
            context, "verify", lambda *given: verified.append(given[1]) or inner(*given)
        )

        # Of other parameters than those of the hasher.
        settings = {"memory_cost": 16, "rounds": 2, "parallelism": 1} if scheme == "argon2" else {}
        passwords.verify("another " + PASSWORD, made(scheme, **settings))

        assert verified == [passwords._dummy_hash]
