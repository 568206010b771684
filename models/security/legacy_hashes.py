"""Hashes that other systems made: which can be imported, and are verified until the next sign-in.

A list of what is allowed, never of what is not. Each scheme has a salt for each hash and looks at
the whole password. Not on the list, whatever passlib can do: plain text and its encodings; `hex_*`,
`ldap_md5`, `ldap_sha1` and other digests without salt, which one table of digests reverses for
everybody; DES, LM and their kin, which look at 7 or 8 characters only; NT, MySQL, Oracle and MS-SQL
hashes, which have no salt, a known one, or fold the case.
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

# Memory-hard: as good as Roster's own if the parameters are.
_MEMORY_HARD = ("argon2", "scrypt")
# Good by OWASP's Password Storage Cheat Sheet for old systems; those with SHA-256 hash the password
# before, so that they have no limit of 72 bytes. bcrypt itself refuses what is longer.
_BCRYPT = ("bcrypt", "bcrypt_sha256", "django_bcrypt_sha256")
# NIST SP 800-132. Django, LDAP servers, Atlassian and GRUB spell it each its own way.
_PBKDF2 = (
    "pbkdf2_sha512",
    "pbkdf2_sha256",
    "pbkdf2_sha1",
    "django_pbkdf2_sha256",
    "django_pbkdf2_sha1",
    "atlassian_pbkdf2_sha1",
    "grub_pbkdf2_sha512",
)
# /etc/shadow; and what PHP applications such as WordPress and phpBB had: salt and many rounds.
_CRYPT = ("sha512_crypt", "sha256_crypt", "phpass")
# Salted, but quickly computed: whoever steals the hashes guesses fast. That is so wherever they
# come from, too; a sign-in turns each into argon2id, and nothing else would.
_SALTED_ONLY = (
    "ldap_salted_sha512",
    "ldap_salted_sha256",
    "ldap_salted_sha1",
    "django_salted_sha1",
    "md5_crypt",
    "apr_md5_crypt",
)
SCHEMES = (*_MEMORY_HARD, *_BCRYPT, *_PBKDF2, *_CRYPT, *_SALTED_ONLY)

# Other ways to write a hash of one of these schemes, and how to write it here: Django's argon2 and
# bcrypt, and the braces of LDAP servers and Dovecot.
_SPELLINGS = tuple(
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
# What Flask apps have: Werkzeug's own way to write PBKDF2 and scrypt.
_WERKZEUG_PBKDF2 = re.compile(
    r"pbkdf2:(?P<digest>sha1|sha256|sha512):(?P<rounds>[0-9]{1,10})\$(?P<salt>[^$]+)\$(?P<hex>[0-9a-f]+)"
)
_WERKZEUG_SCRYPT = re.compile(
    r"scrypt:(?P<n>[0-9]{1,10}):(?P<r>[0-9]{1,5}):(?P<p>[0-9]{1,5})\$(?P<salt>[^$]+)\$(?P<hex>[0-9a-f]{128})"
)

# What one verification may cost: about a second of a core of 2025, and a quarter of a gigabyte
# (ASVS 15.2.2). A hash that asks for more would let anybody who knows the login stop the service.
LONGEST_HASH = 1024
MOST_MEMORY_BYTES = 256 * 2**20
MOST_ARGON2_BYTES = 2**30  # memory times passes
MOST_ARGON2_LANES = 16
MOST_SCRYPT_BLOCKS = 2**21  # N times r times p; OWASP's strongest has half of it
_LOG2_OF_MOST_BCRYPT_ROUNDS = 14
_LOG2_OF_MOST_PHPASS_ROUNDS = 18
MOST_ROUNDS: Mapping[str, int] = {
    **dict.fromkeys(_BCRYPT, _LOG2_OF_MOST_BCRYPT_ROUNDS),
    # Django 6 makes 1,200,000.
    **dict.fromkeys(_PBKDF2, 3_000_000),
    **dict.fromkeys(("sha512_crypt", "sha256_crypt"), 1_000_000),
    "phpass": _LOG2_OF_MOST_PHPASS_ROUNDS,
}
# Shorter digests of argon2 would let wrong passwords pass: its format allows 4 bytes.
_SHORTEST_DIGEST_BYTES = 16
# These take the longer, the longer the password is. No such hash is of a longer one: crypt(3) of
# libxcrypt refuses those (CRYPT_MAX_PASSPHRASE_SIZE).
_LONGEST_CRYPT_PASSWORD_BYTES = 512
_GROWS_WITH_PASSWORD = frozenset((*_CRYPT, "md5_crypt", "apr_md5_crypt"))


def checked(hash: str) -> str:
    """A hash as it is stored.

    Args:
        hash: As another system wrote it.

    Raises:
        InvalidField: It is none that can be verified, or verifying it would cost too much. The
            text never has the hash in it.
    """
    hash = _respelt(hash)
    scheme = scheme_of(hash) if len(hash) <= LONGEST_HASH else None
    if scheme is None:
        raise InvalidField("password_hash", "This is no hash of a scheme that can be imported.")
    record = _read(scheme, hash)
    if record is None:
        raise InvalidField("password_hash", f"This is no complete {scheme} hash.")
    if _is_too_dear(scheme, record):
        raise InvalidField(
            "password_hash", f"Verifying this {scheme} hash would cost too much time or memory."
        )
    return str(record.to_string())


def scheme_of(stored: str) -> str | None:
    """The name of a hash's scheme, None if it is of none on the list."""
    scheme: str | None = _context().identify(stored)
    return scheme


def verify(password: str, stored: str) -> bool:
    """Whether a hash of any scheme is this password's; never an error, whatever they are."""
    try:
        scheme = scheme_of(stored)
        is_long = len(password.encode()) > _LONGEST_CRYPT_PASSWORD_BYTES
        if scheme is None or (is_long and scheme in _GROWS_WITH_PASSWORD):
            return False
        return bool(_context().verify(password, stored))
    except (ValueError, NotImplementedError):
        # passlib's ways to say that this can never have been this hash's password: over 4096
        # characters, NUL, over 72 bytes for bcrypt, a lone surrogate; or that it is no hash.
        return False


@cache
def _context() -> CryptContext:
    # Made when the first old hash is met: most services have none, and handlers take time to load.
    context = CryptContext(SCHEMES)
    usable = [name for name in SCHEMES if _has_backend(context.handler(name))]
    return CryptContext(usable)


def _has_backend(handler: Any) -> bool:
    # Most handlers bring their own; the others say whether what they need is installed.
    return bool(getattr(handler, "has_backend", lambda: True)())


def _respelt(hash: str) -> str:
    for pattern, replacement in _SPELLINGS:
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
            # scrypt ends in PBKDF2, whose first 32 bytes are the same however many follow.
            parts = (b64s_encode(part).decode() for part in (salt, digest[:32]))
            return f"$scrypt$ln={log2},r={found['r']},p={found['p']}${'$'.join(parts)}"
    return hash


def _salt_and_digest(found: re.Match[str]) -> tuple[bytes, bytes]:
    # An odd number of digits is no digest, and no digest is refused later on.
    digits = found["hex"] if len(found["hex"]) % 2 == 0 else ""
    return found["salt"].encode(), bytes.fromhex(digits)


def _read(scheme: str, hash: str) -> Any:
    """passlib's record of a hash, None if it is malformed or has no digest."""
    try:
        with warnings.catch_warnings():
            # Stray bits in a salt of bcrypt, which some systems wrote: they are put right here.
            warnings.simplefilter("ignore", PasslibHashWarning)
            record = _context().handler(scheme).from_string(hash)
    except (ValueError, NotImplementedError):
        # passlib's ways to say that it is malformed: the caller refuses it, and says why.
        return None
    if record.checksum is None or getattr(record, "data", None):
        return None
    return None if _is_too_short(scheme, record) else record


def _is_too_short(scheme: str, record: Any) -> bool:
    return scheme == "argon2" and len(record.checksum) < _SHORTEST_DIGEST_BYTES


def _is_too_dear(scheme: str, record: Any) -> bool:
    if scheme == "argon2":
        memory = int(record.memory_cost) * 1024
        is_big = memory > MOST_MEMORY_BYTES or int(record.parallelism) > MOST_ARGON2_LANES
        return is_big or memory * int(record.rounds) > MOST_ARGON2_BYTES
    if scheme == "scrypt":
        blocks = int(record.block_size) << int(record.rounds)
        is_big = 128 * blocks > MOST_MEMORY_BYTES
        return is_big or blocks * int(record.parallelism) > MOST_SCRYPT_BLOCKS
    # Those without a number of rounds always make the same.
    return int(getattr(record, "rounds", 0)) > MOST_ROUNDS.get(scheme, 0)
