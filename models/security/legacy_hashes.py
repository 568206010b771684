"""Password hashes of other systems: which can be imported and are verified until the next sign-in.

An allow-list. Each scheme salts every hash and uses the whole password. Excluded, although passlib
supports them: plain text and its encodings; `hex_*`, `ldap_md5`, `ldap_sha1` and other digests
without salt, which one precomputed table reverses for all users; DES, LM and similar, which use 7
or 8 characters only; NT, MySQL, Oracle and MS-SQL hashes, which have no salt, a known salt, or fold
the case.
"""

import re
import warnings
from collections.abc import Mapping
from functools import cache
from typing import Any

from passlib.context import CryptContext
from passlib.exc import PasslibHashWarning
from passlib.utils.binary import ab64_encode, b64s_encode

from models.errors import InvalidField

# Memory-hard: as strong as Roster's own hashes if the parameters are.
_MEMORY_HARD = ("argon2", "scrypt")
# Acceptable for legacy systems by OWASP's Password Storage Cheat Sheet. The variants with SHA-256
# hash the password first, so that bcrypt's limit of 72 bytes does not apply to them.
_BCRYPT = ("bcrypt", "bcrypt_sha256", "django_bcrypt_sha256")
# NIST SP 800-132. Django, LDAP servers, Atlassian and GRUB each have a format of their own.
_PBKDF2 = (
    "pbkdf2_sha512",
    "pbkdf2_sha256",
    "pbkdf2_sha1",
    "django_pbkdf2_sha256",
    "django_pbkdf2_sha1",
    "atlassian_pbkdf2_sha1",
    "grub_pbkdf2_sha512",
)
# /etc/shadow, and PHP applications such as WordPress and phpBB: a salt and many rounds.
_CRYPT = ("sha512_crypt", "sha256_crypt", "phpass")
# Salted, but fast to compute: stolen hashes are guessed quickly. That is already true in the system
# they come from; the next sign-in replaces each one by argon2id.
_SALTED_ONLY = (
    "ldap_salted_sha512",
    "ldap_salted_sha256",
    "ldap_salted_sha1",
    "django_salted_sha1",
    "md5_crypt",
    "apr_md5_crypt",
)
SCHEMES = (*_MEMORY_HARD, *_BCRYPT, *_PBKDF2, *_CRYPT, *_SALTED_ONLY)

# Alternative formats of these schemes and their replacements: Django's argon2 and bcrypt, and the
# braces of LDAP servers and Dovecot.
_FORMATS = tuple(
    (re.compile(pattern, re.IGNORECASE), replacement)
    for pattern, replacement in (
        (r"argon2(?=\$argon2)", ""),
        (r"bcrypt\$(?=\$2)", ""),
        (r"\{(?:argon2(?:id|i)?|blf-crypt|bcrypt|(?:(?:md5|sha256|sha512)-)?crypt)\}(?=\$)", ""),
        (r"\{pbkdf2(?:-sha1)?\}", "$pbkdf2$"),
        (r"\{pbkdf2-sha256\}", "$pbkdf2-sha256$"),
        (r"\{pbkdf2-sha512\}", "$pbkdf2-sha512$"),
        (r"\{ssha\}", "{SSHA}"),
        (r"\{ssha256\}", "{SSHA256}"),
        (r"\{ssha512\}", "{SSHA512}"),
    )
)
# Flask applications: Werkzeug's own format of PBKDF2 and scrypt.
_WERKZEUG_PBKDF2 = re.compile(
    r"pbkdf2:(?P<digest>sha1|sha256|sha512):(?P<rounds>[0-9]{1,10})\$(?P<salt>[^$]+)\$(?P<hex>[0-9a-f]+)"
)
_WERKZEUG_SCRYPT = re.compile(
    r"scrypt:(?P<n>[0-9]{1,10}):(?P<r>[0-9]{1,5}):(?P<p>[0-9]{1,5})\$(?P<salt>[^$]+)\$(?P<hex>[0-9a-f]{128})"
)

# The cost that one verification may have: about a second of a core of 2025, and a quarter of a
# gigabyte (ASVS 15.2.2). With a more expensive hash, any caller who knows the login could stop the
# service.
MAX_HASH_LENGTH = 1024
MAX_MEMORY_BYTES = 256 * 2**20
MAX_ARGON2_BYTES = 2**30  # memory times passes
MAX_ARGON2_LANES = 16
MAX_SCRYPT_BLOCKS = 2**21  # N times r times p; OWASP's strongest has half of it
_MAX_BCRYPT_LOG2_ROUNDS = 14
_MAX_PHPASS_LOG2_ROUNDS = 18
MAX_ROUNDS: Mapping[str, int] = {
    **dict.fromkeys(_BCRYPT, _MAX_BCRYPT_LOG2_ROUNDS),
    # Django 6 uses 1,200,000.
    **dict.fromkeys(_PBKDF2, 3_000_000),
    **dict.fromkeys(("sha512_crypt", "sha256_crypt"), 1_000_000),
    "phpass": _MAX_PHPASS_LOG2_ROUNDS,
}
# With short digests wrong passwords would match by chance: argon2's format allows 4 bytes.
_MIN_DIGEST_BYTES = 16
# The time of these grows with the length of the password. Longer passwords never match: crypt(3) of
# libxcrypt rejects them (CRYPT_MAX_PASSPHRASE_SIZE).
_MAX_CRYPT_PASSWORD_BYTES = 512
_TIME_GROWS_WITH_LENGTH = frozenset((*_CRYPT, "md5_crypt", "apr_md5_crypt"))


def validate_imported(hash: str) -> str:
    """Return a hash of another system in the format in which it is stored.

    Args:
        hash: The hash as the other system wrote it.

    Raises:
        InvalidField: It cannot be verified, or verifying it would cost too much. The text never
            contains the hash.
    """
    hash = _normalize_format(hash)
    scheme = scheme_of(hash) if len(hash) <= MAX_HASH_LENGTH else None
    if scheme is None:
        raise InvalidField("password_hash", "This is not a hash of a scheme that can be imported.")
    record = _read(scheme, hash)
    if record is None:
        raise InvalidField("password_hash", f"This is not a complete {scheme} hash.")
    if _is_too_expensive(scheme, record):
        raise InvalidField(
            "password_hash", f"Verifying this {scheme} hash would cost too much time or memory."
        )
    return str(record.to_string())


def scheme_of(stored: str) -> str | None:
    """Return the name of the scheme of a hash, or None if it is not on the list."""
    scheme: str | None = _context().identify(stored)
    return scheme


def verify(password: str, stored: str) -> bool:
    """Return whether a hash of any listed scheme matches a password; never raises."""
    try:
        scheme = scheme_of(stored)
        is_long = len(password.encode()) > _MAX_CRYPT_PASSWORD_BYTES
        if scheme is None or (is_long and scheme in _TIME_GROWS_WITH_LENGTH):
            return False
        return bool(_context().verify(password, stored))
    except (ValueError, NotImplementedError):
        # How passlib reports a password that this hash can never have been made of (over 4096
        # characters, NUL, over 72 bytes for bcrypt, a lone surrogate), and a text that is no hash.
        return False


@cache
def _context() -> CryptContext:
    # Created for the first legacy hash: most services have none, and handlers load slowly.
    context = CryptContext(SCHEMES)
    usable = [name for name in SCHEMES if _has_backend(context.handler(name))]
    return CryptContext(usable)


def _has_backend(handler: Any) -> bool:
    # Most handlers need no backend; the others report whether theirs is installed.
    return bool(getattr(handler, "has_backend", lambda: True)())


def _normalize_format(hash: str) -> str:
    for pattern, replacement in _FORMATS:
        if found := pattern.match(hash):
            return replacement + hash[found.end() :]
    return _from_werkzeug(hash)


def _from_werkzeug(hash: str) -> str:
    if found := _WERKZEUG_PBKDF2.fullmatch(hash):
        name = "pbkdf2" if found["digest"] == "sha1" else f"pbkdf2-{found['digest']}"
        salt, digest = (ab64_encode(part).decode() for part in _salt_and_digest(found))
        return f"${name}${found['rounds']}${salt}${digest}"
    if found := _WERKZEUG_SCRYPT.fullmatch(hash):
        salt, digest = _salt_and_digest(found)
        log2 = int(found["n"]).bit_length() - 1
        if int(found["n"]) == 2**log2:
            # scrypt ends in PBKDF2, whose first 32 bytes do not depend on the output length.
            parts = (b64s_encode(part).decode() for part in (salt, digest[:32]))
            return f"$scrypt$ln={log2},r={found['r']},p={found['p']}${'$'.join(parts)}"
    return hash


def _salt_and_digest(found: re.Match[str]) -> tuple[bytes, bytes]:
    # An odd number of digits is no digest; a missing digest is rejected later.
    digits = found["hex"] if len(found["hex"]) % 2 == 0 else ""
    return found["salt"].encode(), bytes.fromhex(digits)


def _read(scheme: str, hash: str) -> Any:
    """Return passlib's record of a hash, or None if it is malformed or has no digest."""
    try:
        with warnings.catch_warnings():
            # Some systems wrote stray bits into bcrypt salts; passlib corrects them with a warning.
            warnings.simplefilter("ignore", PasslibHashWarning)
            record = _context().handler(scheme).from_string(hash)
    except (ValueError, NotImplementedError):
        # How passlib reports a malformed hash: the caller rejects it with a reason.
        return None
    if record.checksum is None or getattr(record, "data", None):
        return None
    return None if _is_too_short(scheme, record) else record


def _is_too_short(scheme: str, record: Any) -> bool:
    return scheme == "argon2" and len(record.checksum) < _MIN_DIGEST_BYTES


def _is_too_expensive(scheme: str, record: Any) -> bool:
    if scheme == "argon2":
        memory = int(record.memory_cost) * 1024
        is_big = memory > MAX_MEMORY_BYTES or int(record.parallelism) > MAX_ARGON2_LANES
        return is_big or memory * int(record.rounds) > MAX_ARGON2_BYTES
    if scheme == "scrypt":
        blocks = int(record.block_size) << int(record.rounds)
        is_big = 128 * blocks > MAX_MEMORY_BYTES
        return is_big or blocks * int(record.parallelism) > MAX_SCRYPT_BLOCKS
    # Schemes without a `rounds` attribute have a fixed number.
    return int(getattr(record, "rounds", 0)) > MAX_ROUNDS.get(scheme, 0)
