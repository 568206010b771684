"""Claimed user names and e-mail addresses: the unique constraint that DynamoDB lacks."""

import re
import unicodedata

from email_validator import EmailNotValidError, validate_email

from flask_pynamodb import UniqueClaim
from models.db import db
from models.errors import InvalidEmail, InvalidField

# Lower and upper case are spelt out: under a case-insensitive match U+017F and U+212A would
# count as s and k.
USERNAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]{2,31}$"
_USERNAME = re.compile(USERNAME_PATTERN)
# RFC 5321, 4.5.3.1.3: a path of 256 octets, less its angle brackets.
EMAIL_MAX_LENGTH = 254


class Identifier(UniqueClaim, db.Model):  # type: ignore[misc,name-defined]
    """One claimed name; its owner is a user's id. It exists exactly as long as the user has it."""

    class Meta:
        table_name = "identifiers"


def username_key(username: str) -> str:
    """The key of a user name's claim."""
    return f"username#{username}"


def email_key(email: str) -> str:
    """The key of an address's claim: the same for every case it may be written in."""
    return f"email#{_fold(email)}"


def normalize_username(username: str) -> str:
    """A user name as it is stored: lower case.

    Raises:
        InvalidField: It is not 3 to 32 of letters, digits, dot, underscore and hyphen.
    """
    if not _USERNAME.fullmatch(username):
        raise InvalidField(
            "username",
            "A user name has 3 to 32 letters (a-z), digits, dots, underscores or hyphens"
            " and starts with a letter or digit.",
        )
    return username.lower()


def normalize_email(email: str) -> str:
    """An address as it is stored: Unicode normal form C, the domain in lower case.

    Raises:
        InvalidEmail: It cannot be an address, or Unicode would turn it into another one.
    """
    if len(email) > EMAIL_MAX_LENGTH:
        raise InvalidEmail("email", f"An address has {EMAIL_MAX_LENGTH} characters at the most.")
    try:
        checked = validate_email(email, check_deliverability=False, strict=True)
    except EmailNotValidError as error:
        raise InvalidEmail("email", str(error)) from None
    if _becomes_ascii(email.rpartition("@")[0]):
        raise InvalidEmail("email", "The address has a character that merely looks like a letter.")
    return checked.normalized


def login_key(login: str) -> str | None:
    """The claim that a login (user name or address) would be found under, None if it cannot be."""
    try:
        if "@" in login:
            return email_key(normalize_email(login))
        return username_key(normalize_username(login))
    except InvalidField:
        return None


def _becomes_ascii(text: str) -> bool:
    """Whether normalising turns a character outside ASCII into one inside, as U+212A into K."""
    return any(not char.isascii() and unicodedata.normalize("NFC", char).isascii() for char in text)


def _fold(email: str) -> str:
    """Lower case without ever leading a character outside ASCII to one inside.

    `str.lower` maps U+0130 to an i with a combining dot and U+212A to k; an address with those
    must not be found as the plain one (CVE-2019-19844).
    """
    return "".join(
        lower if char.isascii() or not any(map(str.isascii, lower)) else char
        for char, lower in ((char, char.lower()) for char in email)
    )
