"""Render an email of the domain as a message; the only module that does."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import make_msgid
from urllib.parse import quote

from email_validator import EmailNotValidError, validate_email
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from models import Email, EmailKind
from roster.config import EmailSettings

SUBJECTS: Mapping[EmailKind, str] = {
    EmailKind.VERIFY_EMAIL: "Verify your email address",
    EmailKind.CONFIRM_EMAIL_CHANGE: "Verify your new email address",
    EmailKind.EMAIL_CHANGE_REQUESTED: "Your email address is about to change",
    EmailKind.EMAIL_CHANGED: "Your email address has changed",
    EmailKind.RESET_PASSWORD: "Reset your password",
    EmailKind.PASSWORD_CHANGED: "Your password has changed",
    EmailKind.SECOND_FACTOR_ENABLED: "Two-factor authentication enabled",
    EmailKind.SECOND_FACTOR_DISABLED: "Two-factor authentication disabled",
    EmailKind.RECOVERY_CODE_USED: "A recovery code was used",
    EmailKind.API_KEY_CREATED: "A new API key for your account",
    EmailKind.USERNAME_CHANGED: "Your username has changed",
    EmailKind.ADDRESS_PROVEN: "Your account has a new password",
    EmailKind.ADMIN_ADDED: "A new admin",
    EmailKind.ROLES_CHANGED: "Your roles have changed",
    EmailKind.ACCOUNT_SUSPENDED: "Your account was suspended",
    EmailKind.ACCOUNT_REACTIVATED: "Your account is active again",
    EmailKind.ACCOUNT_DELETED: "Your account was deleted",
    EmailKind.WRONG_CODE: "Your password was used with a wrong code",
    EmailKind.ACCOUNT_LOCKED: "Too many failed attempts to sign in",
    EmailKind.ADDRESS_IN_USE: "Your address was entered for another account",
    EmailKind.NEW_DEVICE: "A sign-in on a new device",
}
# The page that the link of an email leads to.
PAGES: Mapping[EmailKind, str] = {
    EmailKind.VERIFY_EMAIL: "verify-email",
    EmailKind.CONFIRM_EMAIL_CHANGE: "verify-email",
    EmailKind.RESET_PASSWORD: "reset-password",
}
_MAX_DETAIL_LENGTH = 254


@dataclass(frozen=True)
class Product:
    """The product that emails are about.

    Attributes:
        name: Its name.
        color: The color of buttons; white text is readable on it.
        support_url: Where users get help.
    """

    name: str = "Roster"
    color: str = "#0b57d0"
    support_url: str | None = None


class EmailRenderer:
    """Renders messages.

    Args:
        settings: The sender, and the base URL of links. A link is never built from a request, such
            as its Host header (CVE-2023-49097, GHSA-3529-5m8x-rpv3).
        product: The product that the emails are about.
    """

    def __init__(self, settings: EmailSettings, product: Product | None = None) -> None:
        self._settings = settings
        self._product = product or Product()
        self._templates = Environment(
            loader=PackageLoader("roster.email", "templates"),
            autoescape=select_autoescape(["html"]),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def compose(self, email: Email) -> EmailMessage:
        """Return the message for an email, as text and as HTML.

        Raises:
            ValueError: The address is not valid in a header, or a token is missing.
        """
        to = _address(email.to)
        message = EmailMessage(policy=SMTP if to.addr_spec.isascii() else SMTPUTF8)
        message["From"] = self._settings.sender
        message["To"] = to
        message["Subject"] = SUBJECTS[email.kind]
        message["Date"] = datetime.now(UTC)
        message["Message-ID"] = make_msgid(domain=message["From"].addresses[0].domain)
        # RFC 3834: asks auto-responders not to reply.
        message["Auto-Submitted"] = "auto-generated"
        values = self._values(email)
        text, html = (self._render(f"{email.kind}.{ending}", values) for ending in ("txt", "html"))
        message.set_content(text, cte=_encoding(text))
        message.add_alternative(html, subtype="html", cte=_encoding(html))
        return message

    def _render(self, name: str, values: Mapping[str, str | None]) -> str:
        return self._templates.get_template(name).render(values) + "\n"

    def _values(self, email: Email) -> dict[str, str | None]:
        return {
            "name": self._product.name,
            "color": self._product.color,
            "support_url": self._product.support_url,
            "base_url": self._settings.base_url,
            "subject": SUBJECTS[email.kind],
            "username": _one_line(email.username),
            "detail": _one_line(email.detail) if email.detail else None,
            "token": email.token,
            "link": self._link(email),
            "lifetime": _in_words(email.minutes),
            "count": str(email.count) if email.count > 1 else None,
            "hours": f"{email.hours} hours" if email.hours > 1 else "hour",
        }

    def _link(self, email: Email) -> str | None:
        if email.kind not in PAGES:
            return None
        if not email.token:
            raise ValueError(f"An email {email.kind} needs a token.")
        # The fragment stays in the browser: no server, proxy or log sees the token (ASVS 14.2.1).
        return f"{self._settings.base_url}/{PAGES[email.kind]}#token={quote(email.token, safe='')}"


def _address(text: str) -> Address:
    """Return an address for a header, without characters that could end the header."""
    local, _, domain = (_ascii(text) or text).rpartition("@")
    if not local or not domain or not text.isprintable() or " " in text:
        raise ValueError("This is not a valid address.")
    return Address(username=local, domain=domain)


def _ascii(text: str) -> str | None:
    # If only the domain is outside ASCII, its IDNA form also works without SMTPUTF8. IDNA 2008 is
    # used: Python's own codec is IDNA 2003, which maps some names to different ones.
    try:
        return validate_email(text, check_deliverability=False).ascii_email
    except EmailNotValidError:
        return None


def _one_line(text: str) -> str:
    """Return a user-supplied text on one line, so that it cannot look like a paragraph of ours."""
    words = "".join(char if char.isprintable() else " " for char in text).split()
    return " ".join(words)[:_MAX_DETAIL_LENGTH]


def _in_words(minutes: int | None) -> str | None:
    if minutes is None:
        return None
    for unit, size in (("day", 1440), ("hour", 60)):
        if minutes >= 2 * size and minutes % size == 0:
            return f"{minutes // size} {unit}s"
    return f"{minutes} minutes" if minutes != 1 else "1 minute"


def _encoding(text: str) -> str:
    # Unencoded where possible, so that links stay in one piece in the raw email.
    return "7bit" if text.isascii() else "quoted-printable"
