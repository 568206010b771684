"""Emails of the domain: their kind, recipient and values. The application delivers them."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol, Self


class EmailKind(StrEnum):
    """What an email says; the values are the names of its templates."""

    VERIFY_EMAIL = "verify-email"
    CONFIRM_EMAIL_CHANGE = "confirm-email-change"
    EMAIL_CHANGE_REQUESTED = "email-change-requested"
    EMAIL_CHANGED = "email-changed"
    RESET_PASSWORD = "reset-password"
    INVITATION = "invitation"
    PASSWORD_CHANGED = "password-changed"
    SECOND_FACTOR_ENABLED = "second-factor-enabled"
    SECOND_FACTOR_DISABLED = "second-factor-disabled"
    RECOVERY_CODE_USED = "recovery-code-used"
    API_KEY_CREATED = "api-key-created"
    USERNAME_CHANGED = "username-changed"
    ADDRESS_PROVEN = "address-proven"
    ADMIN_ADDED = "admin-added"
    ROLES_CHANGED = "roles-changed"
    ACCOUNT_SUSPENDED = "account-suspended"
    ACCOUNT_REACTIVATED = "account-reactivated"
    ACCOUNT_DELETED = "account-deleted"
    ACCOUNT_MERGED = "account-merged"
    WRONG_CODE = "wrong-code"
    ADDRESS_IN_USE = "address-in-use"
    ACCOUNT_LOCKED = "account-locked"
    NEW_DEVICE = "new-device"


class Account(Protocol):
    """What an email takes from a user."""

    @property
    def id(self) -> str:
        """The ID."""
        ...

    @property
    def username(self) -> str | None:
        """The username, None without one."""
        ...

    @property
    def email(self) -> str:
        """The stored address."""
        ...

    @property
    def email_verified(self) -> bool:
        """Whether the address is known to be the user's."""
        ...

    @property
    def locale(self) -> str | None:
        """The language tag of the user, None without one."""
        ...


@dataclass(frozen=True)
class Email:
    """One email.

    Attributes:
        kind: What it says.
        to: An address as stored with the account, never as a caller wrote it.
        username: The account it is about; empty if it has none, or if the recipient may not own it.
        token: The token in its link, None for a notification.
        minutes: How long the token is valid.
        detail: More to say, such as a new address, the name of a key, or a username.
        account_id: The account whose quota counts it.
        is_verified: Whether the address is known to be the recipient's.
        count: How many notices of this kind it stands for.
        hours: In how many hours they came.
        is_decoy: Whether it is composed but not delivered.
        locale: The language tag of the recipient, None without one.
    """

    kind: EmailKind
    to: str = field(repr=False)
    username: str
    token: str | None = field(default=None, repr=False)
    minutes: int | None = None
    detail: str | None = None
    account_id: str = field(default="", compare=False)
    is_verified: bool = field(default=False, compare=False)
    count: int = 1
    hours: int = 1
    is_decoy: bool = False
    locale: str | None = field(default=None, compare=False)

    @classmethod
    def to_user(
        cls,
        kind: EmailKind,
        user: Account,
        *,
        token: str | None = None,
        minutes: int | None = None,
        detail: str | None = None,
        is_verified: bool | None = None,
    ) -> Self:
        """Return an email to the stored address of a user.

        Args:
            kind: What it says.
            user: The user as read.
            token: The token in its link.
            minutes: How long the token is valid.
            detail: More to say.
            is_verified: Whether the address is known to be the user's; as stored by default.
        """
        return cls(
            kind,
            user.email,
            user.username or "",
            token,
            minutes,
            detail,
            account_id=user.id,
            is_verified=bool(user.email_verified if is_verified is None else is_verified),
            locale=user.locale,
        )


class Mailer(Protocol):
    """Sends emails in the background."""

    @property
    def is_configured(self) -> bool:
        """Whether emails can be sent."""
        ...

    def send(self, email: Email) -> None:
        """Queue an email. Never blocks and never fails."""

    def drain(self, seconds: float) -> bool:
        """Attempt to deliver each queued email now; return whether none is queued."""
        ...


class NoMailer:
    """The mailer of a service without email settings."""

    is_configured = False

    def send(self, email: Email) -> None:
        """Drop the email."""

    def drain(self, seconds: float) -> bool:
        """Return that no email is queued."""
        return True
