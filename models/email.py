"""Emails of the domain: their kind, recipient and values. The application delivers them."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol


class EmailKind(StrEnum):
    """What an email says; the values are the names of its templates."""

    VERIFY_EMAIL = "verify-email"
    CONFIRM_EMAIL_CHANGE = "confirm-email-change"
    EMAIL_CHANGE_REQUESTED = "email-change-requested"
    EMAIL_CHANGED = "email-changed"
    RESET_PASSWORD = "reset-password"
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
    WRONG_CODE = "wrong-code"
    ACCOUNT_LOCKED = "account-locked"
    NEW_DEVICE = "new-device"


@dataclass(frozen=True)
class Email:
    """One email.

    Attributes:
        kind: What it says.
        to: An address as stored with the account, never as a caller wrote it.
        username: The account it is about.
        token: The token in its link, None for a notification.
        minutes: How long the token is valid.
        detail: More to say, such as a new address, the name of a key, or a username.
    """

    kind: EmailKind
    to: str = field(repr=False)
    username: str
    token: str | None = field(default=None, repr=False)
    minutes: int | None = None
    detail: str | None = None


class Mailer(Protocol):
    """Sends emails in the background."""

    @property
    def is_configured(self) -> bool:
        """Whether emails can be sent."""
        ...

    def send(self, email: Email) -> None:
        """Queue an email. Never blocks and never fails."""


class NoMailer:
    """The mailer of a service without email settings."""

    is_configured = False

    def send(self, email: Email) -> None:
        """Drop the email."""
