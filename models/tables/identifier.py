"""Reserved usernames and email addresses: the unique constraint that DynamoDB lacks."""

import unicodedata
from datetime import datetime, timedelta

import email_validator
from email_validator import EmailNotValidError, validate_email
from pynamodb.attributes import TTLAttribute
from pynamodb.expressions.condition import Condition

from flask_pynamodb import Transaction, UniqueValue
from models import field_rules
from models.clock import now
from models.db import Table
from models.errors import InvalidEmail, InvalidField

# RFC 6761 and others: names that no mail server in the Internet has. `EmailDomains` decides about
# them for new addresses, since a setting allows some; the library would reject all of them, also
# where a stored address is looked up. Its documentation has this way of allowing them.
SPECIAL_USE_DOMAINS = frozenset(email_validator.SPECIAL_USE_DOMAIN_NAMES)
email_validator.SPECIAL_USE_DOMAIN_NAMES.clear()


class Identifier(UniqueValue, Table):
    """One reserved name; its owner is a user's ID.

    The row of an email address exists exactly as long as the user has it. That of a username stays
    for a time after the user has given it up, and belongs to no user then. An address with a
    pending invitation has a row of its own, which belongs to the invitation until that expires.
    """

    class Meta:
        table_name = "identifiers"

    # Until when a name that was given up is not available to others, and until when an address has
    # an invitation. DynamoDB deletes the row later; the conditions compare the time.
    held_until = TTLAttribute(null=True)

    @property
    def user_id(self) -> str | None:
        """The ID of the user that has the name now."""
        return None if self.held_until else str(self.owner)

    @classmethod
    def take(
        cls,
        transaction: Transaction,
        key: str,
        user_id: str,
        *,
        otherwise: Exception,
        takes_over: bool = False,
    ) -> None:
        """Reserve a name that is free, or that the same user has given up.

        Args:
            transaction: The transaction of the user.
            key: The key of the name.
            user_id: The user.
            otherwise: Raised if the name is not available.
            takes_over: Whether a name that another user has given up is available at once.
        """
        is_held: Condition = cls.held_until.exists()
        if not takes_over:
            is_held &= (cls.owner == user_id) | (cls.held_until <= now())
        row = cls(value=key, owner=user_id)
        transaction.save(row, cls.value.does_not_exist() | is_held, otherwise=otherwise)

    @classmethod
    def hold(
        cls,
        transaction: Transaction,
        key: str,
        owner: str,
        until: datetime,
        *,
        otherwise: Exception,
    ) -> None:
        """Reserve a key for a time, unless another owner has it; extend the time of the same one.

        Args:
            transaction: The transaction of the owner.
            key: The key.
            owner: The ID of the owner.
            until: When the key becomes available again.
            otherwise: Raised if another owner has it.
        """
        is_free = cls.value.does_not_exist() | (cls.held_until <= now()) | (cls.owner == owner)
        row = cls(value=key, owner=owner, held_until=until)
        transaction.save(row, is_free, otherwise=otherwise)

    @classmethod
    def give_up(
        cls,
        transaction: Transaction,
        key: str,
        user_id: str,
        *,
        otherwise: Exception,
        quarantine: timedelta,
    ) -> None:
        """Release a name; for the time of the quarantine only the same user can take it back."""
        has_it = (cls.owner == user_id) & cls.held_until.does_not_exist()
        if quarantine:
            row = cls(value=key, owner=user_id, held_until=now() + quarantine)
            transaction.save(row, has_it, otherwise=otherwise)
        else:
            transaction.delete(cls(value=key), has_it, otherwise=otherwise)

    @classmethod
    def move(
        cls,
        transaction: Transaction,
        key: str,
        giver_id: str,
        taker_id: str,
        *,
        otherwise: Exception,
    ) -> None:
        """Let a name that one user has belong to another, without a time in between."""
        has_it = (cls.owner == giver_id) & cls.held_until.does_not_exist()
        transaction.save(cls(value=key, owner=taker_id), has_it, otherwise=otherwise)


def find_owner(key: str) -> str | None:
    """Return the ID that a key is reserved for, None if it is free; strongly consistent."""
    try:
        return str(Identifier.get(key, consistent_read=True).owner)
    except Identifier.DoesNotExist:
        return None


def username_key(username: str) -> str:
    """Return the key under which a username is reserved."""
    return f"username#{username}"


def email_key(email: str) -> str:
    """Return the key under which an email address is reserved: the same for every case."""
    return f"email#{_fold(email)}"


def invitation_key(email: str) -> str:
    """Return the key under which the invitation of an email address is reserved."""
    return f"invitation#{_fold(email)}"


def external_key(external_id: str) -> str:
    """Return the key under which the ID of another system is reserved: its case counts."""
    return f"external#{external_id}"


def normalize_username(username: str) -> str:
    """Return a username as stored: in lower case.

    Raises:
        InvalidField: It breaks `field_rules.USERNAME`.
    """
    if not field_rules.USERNAME.matches(username):
        raise InvalidField("username", field_rules.USERNAME.requirement)
    return username.lower()


def normalize_external_id(external_id: str | None) -> str | None:
    """Return the ID of another system as it is stored; None for a user without one.

    Raises:
        InvalidField: It breaks `field_rules.EXTERNAL_ID`.
    """
    if external_id is not None and not field_rules.EXTERNAL_ID.matches(external_id):
        raise InvalidField("external_id", field_rules.EXTERNAL_ID.requirement)
    return external_id


def normalize_email(email: str) -> str:
    """Return an email address as stored: Unicode normal form C, the domain in lower case.

    Blanks around it are removed: they come with copying and with keyboards that add one.

    Raises:
        InvalidEmail: It is not a valid address, or Unicode would turn it into another one.
    """
    email = email.strip()
    longest = field_rules.EMAIL.max_length
    if len(email) > longest:
        raise InvalidEmail("email", f"An email address has at most {longest} characters.")
    try:
        validated = validate_email(email, check_deliverability=False, strict=True)
    except EmailNotValidError as error:
        raise InvalidEmail("email", str(error)) from None
    if _becomes_ascii(email.rpartition("@")[0]):
        raise InvalidEmail("email", "The address has a character that only looks like a letter.")
    return validated.normalized


def domain_of(email: str) -> str:
    """Return the domain of a stored address in ASCII and in lower case."""
    domain = email.rpartition("@")[2]
    return domain if domain.isascii() else ascii_domain(domain)


def ascii_domain(domain: str) -> str:
    """Return a domain in ASCII (IDNA) and in lower case.

    Raises:
        InvalidEmail: No email address can have it.
    """
    try:
        validated = validate_email(f"a@{domain}", check_deliverability=False, strict=True)
    except EmailNotValidError as error:
        raise InvalidEmail("email", str(error)) from None
    return validated.ascii_domain


def login_key(login: str) -> str | None:
    """Return the key that a login (username or email address) is reserved under, if it is valid.

    Blanks around it do not count.
    """
    try:
        if "@" in login:
            return email_key(normalize_email(login))
        return username_key(normalize_username(login.strip()))
    except InvalidField:
        return None


def _becomes_ascii(text: str) -> bool:
    """Return whether normalizing turns a non-ASCII character into ASCII, as U+212A into K."""
    return any(not char.isascii() and unicodedata.normalize("NFC", char).isascii() for char in text)


def _fold(email: str) -> str:
    """Lower the case without turning a non-ASCII character into an ASCII one.

    `str.lower` maps U+0130 to an i with a combining dot and U+212A to k; an address with those
    must not match the plain one (CVE-2019-19844).
    """
    return "".join(
        lower if char.isascii() or not any(map(str.isascii, lower)) else char
        for char, lower in ((char, char.lower()) for char in email)
    )
