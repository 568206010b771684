"""Mails as the domain thinks of them: what is said to whom. How they are sent is not its affair."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol


class EmailKind(StrEnum):
    """What a mail says; the names are those of its templates."""

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


@dataclass(frozen=True)
class Email:
    """One mail.

    Attributes:
        kind: What it says.
        to: An address as it is stored with the account, never as a caller wrote it.
        username: The account it is about.
        token: What its link carries, None for a mail that only tells.
        minutes: For how long the token works.
        detail: What else it tells, such as a new address or the name of a key.
    """

    kind: EmailKind
    to: str = field(repr=False)
    username: str
    token: str | None = field(default=None, repr=False)
    minutes: int | None = None
    detail: str | None = None


class Mailer(Protocol):
    """Sends mails: at once back to the caller, whatever becomes of the mail."""

    @property
    def is_configured(self) -> bool:
        """Whether there is a way to send a mail."""
        ...

    def send(self, mail: Email) -> None:
        """Take a mail over. Never blocks and never fails."""


class NoMailer:
    """Where no way to send mails is configured."""

    is_configured = False

    def send(self, mail: Email) -> None:
        """Drop it."""
