"""Turns a mail of the domain into a message: the only place that renders mails."""

from collections.abc import Mapping
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
    EmailKind.VERIFY_EMAIL: "Confirm your e-mail address",
    EmailKind.CONFIRM_EMAIL_CHANGE: "Confirm your new e-mail address",
    EmailKind.EMAIL_CHANGE_REQUESTED: "Your e-mail address is about to change",
    EmailKind.EMAIL_CHANGED: "Your e-mail address has changed",
    EmailKind.RESET_PASSWORD: "Reset your password",
    EmailKind.PASSWORD_CHANGED: "Your password has changed",
    EmailKind.SECOND_FACTOR_ENABLED: "Your second factor is on",
    EmailKind.SECOND_FACTOR_DISABLED: "Your second factor is off",
    EmailKind.RECOVERY_CODE_USED: "A recovery code was used",
    EmailKind.API_KEY_CREATED: "A new API key for your account",
}
# The page that a mail's link leads to.
PAGES: Mapping[EmailKind, str] = {
    EmailKind.VERIFY_EMAIL: "verify-email",
    EmailKind.CONFIRM_EMAIL_CHANGE: "verify-email",
    EmailKind.RESET_PASSWORD: "reset-password",
}
_LONGEST_DETAIL = 254


class EmailRenderer:
    """Writes messages.

    Args:
        settings: The sender, and what links begin with. A link never begins with anything that a
            request says, such as its Host (CVE-2023-49097, GHSA-3529-5m8x-rpv3).
    """

    def __init__(self, settings: EmailSettings) -> None:
        self._settings = settings
        self._templates = Environment(
            loader=PackageLoader("roster.email", "templates"),
            autoescape=select_autoescape(["html"]),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def compose(self, mail: Email) -> EmailMessage:
        """The message that says what a mail says, as text and as HTML.

        Raises:
            ValueError: The address cannot stand in a header, or a token is missing.
        """
        to = _address(mail.to)
        message = EmailMessage(policy=SMTP if to.addr_spec.isascii() else SMTPUTF8)
        message["From"] = self._settings.sender
        message["To"] = to
        message["Subject"] = SUBJECTS[mail.kind]
        message["Date"] = datetime.now(UTC)
        message["Message-ID"] = make_msgid(domain=message["From"].addresses[0].domain)
        # RFC 3834: nobody's holiday notice need answer this.
        message["Auto-Submitted"] = "auto-generated"
        values = self._values(mail)
        text, html = (self._render(f"{mail.kind}.{ending}", values) for ending in ("txt", "html"))
        message.set_content(text, cte=_encoding(text))
        message.add_alternative(html, subtype="html", cte=_encoding(html))
        return message

    def _render(self, name: str, values: Mapping[str, str | None]) -> str:
        return self._templates.get_template(name).render(values) + "\n"

    def _values(self, mail: Email) -> dict[str, str | None]:
        return {
            "base_url": self._settings.base_url,
            "subject": SUBJECTS[mail.kind],
            "username": _one_line(mail.username),
            "detail": _one_line(mail.detail) if mail.detail else None,
            "token": mail.token,
            "link": self._link(mail),
            "lifetime": _in_words(mail.minutes),
        }

    def _link(self, mail: Email) -> str | None:
        if mail.kind not in PAGES:
            return None
        if not mail.token:
            raise ValueError(f"A mail {mail.kind} needs a token.")
        # Behind the # it stays in the browser: no server, proxy or log on the way sees the token
        # (ASVS 14.2.1).
        return f"{self._settings.base_url}/{PAGES[mail.kind]}#token={quote(mail.token, safe='')}"


def _address(text: str) -> Address:
    """An address for a header, without a character that could end the header."""
    local, _, domain = (_ascii(text) or text).rpartition("@")
    if not local or not domain or not text.isprintable() or " " in text:
        raise ValueError("This cannot be an address.")
    return Address(username=local, domain=domain)


def _ascii(text: str) -> str | None:
    # Where only the domain is outside ASCII its IDNA form reaches servers without SMTPUTF8 too.
    # IDNA 2008 does it: Python's own codec is IDNA 2003, under which some names are others.
    try:
        return validate_email(text, check_deliverability=False).ascii_email
    except EmailNotValidError:
        return None


def _one_line(text: str) -> str:
    """What somebody has chosen, unable to pass for a paragraph of ours in a mail of text."""
    words = "".join(char if char.isprintable() else " " for char in text).split()
    return " ".join(words)[:_LONGEST_DETAIL]


def _in_words(minutes: int | None) -> str | None:
    if minutes is None:
        return None
    for unit, size in (("day", 1440), ("hour", 60)):
        if minutes >= 2 * size and minutes % size == 0:
            return f"{minutes // size} {unit}s"
    return f"{minutes} minutes" if minutes != 1 else "1 minute"


def _encoding(text: str) -> str:
    # Plain where it can be, so that links are not broken up for whoever reads the raw mail.
    return "7bit" if text.isascii() else "quoted-printable"
