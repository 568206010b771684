"""Render an email of the domain as a message; the only module that does."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import make_msgid
from functools import cache
from pathlib import Path
from textwrap import fill
from typing import Any
from urllib.parse import quote

from email_validator import EmailNotValidError, validate_email
from jinja2 import PackageLoader, StrictUndefined
from markupsafe import Markup

from models import Email, EmailKind
from roster.config import EmailSettings
from roster.overrides import EMAILS, OverridableEnvironment
from web.languages import SOURCE, best_language, catalog, install

# The page that the link of an email leads to.
PAGES: Mapping[EmailKind, str] = {
    EmailKind.VERIFY_EMAIL: "verify-email",
    EmailKind.CONFIRM_EMAIL_CHANGE: "verify-email",
    EmailKind.RESET_PASSWORD: "reset-password",
    EmailKind.INVITATION: "accept-invitation",
}
_MAX_DETAIL_LENGTH = 254
_LINE_LENGTH = 76
# What users have written, and a character in it that they cannot have written.
_OF_OTHERS = ("username", "detail")
_SPACE = "\ue000"


@dataclass(frozen=True)
class Product:
    """The product that emails are about.

    Attributes:
        name: Its name.
        color: The color of buttons; white text is readable on it.
        support_url: Where users get help.
        language: The language of emails to users without one of ours.
        templates: The folder of templates that take the place of ours.
    """

    name: str = "Roster"
    color: str = "#0b57d0"
    support_url: str | None = None
    language: str = SOURCE
    templates: Path | None = None


class EmailRenderer:
    """Renders messages.

    Args:
        settings: The sender, and the base URL of links. A link is never built from a request, such
            as its Host header (CVE-2023-49097, GHSA-3529-5m8x-rpv3).
        product: The product that the emails are about.
        falls_back: Whether ours takes the place of a broken template of the operator.
    """

    def __init__(
        self,
        settings: EmailSettings,
        product: Product | None = None,
        *,
        falls_back: bool = True,
    ) -> None:
        self._falls_back = falls_back
        self._settings = settings
        self._product = product or Product()
        # One for each language and format, so that no template decides by its name whether values
        # are escaped. They are created when an email needs them.
        self._environment = cache(self._create_environment)

    def _create_environment(self, language: str, escapes: bool) -> OverridableEnvironment:
        environment = OverridableEnvironment(
            loader=PackageLoader("roster.email", "templates"),
            autoescape=escapes,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        install(environment, language)
        environment.globals["bold"] = _bold
        if self._product.templates:
            environment.override(self._product.templates / EMAILS, falls_back=self._falls_back)
        return environment

    def preview(self, email: Email, ending: str) -> str:
        """Return one part of an email: `txt`, `html` or `subject.txt`."""
        return self._render(email, ending, self._values(email))

    def compose(self, email: Email) -> EmailMessage:
        """Return the message for an email, as text and as HTML.

        Raises:
            ValueError: The address is not valid in a header, or a token is missing.
        """
        to = _address(email.to)
        message = EmailMessage(policy=SMTP if to.addr_spec.isascii() else SMTPUTF8)
        message["From"] = self._settings.sender
        message["To"] = to
        values = self._values(email)
        message["Subject"] = values["subject"]
        message["Date"] = datetime.now(UTC)
        message["Message-ID"] = make_msgid(domain=message["From"].addresses[0].domain)
        # RFC 3834: asks auto-responders not to reply.
        message["Auto-Submitted"] = "auto-generated"
        unbroken = {name: _unbroken(values[name]) for name in _OF_OTHERS}
        text = _wrapped(self._render(email, "txt", {**values, **unbroken}))
        html = self._render(email, "html", values) + "\n"
        message.set_content(text, cte=_encoding(text))
        message.add_alternative(html, subtype="html", cte=_encoding(html))
        return message

    def _language(self, email: Email) -> str:
        return best_language(email.locale) or self._product.language

    def _render(self, email: Email, ending: str, values: Mapping[str, Any]) -> str:
        environment = self._environment(self._language(email), ending == "html")
        return environment.get_template(f"{email.kind}.{ending}").render(values)

    def _values(self, email: Email) -> dict[str, Any]:
        language = self._language(email)
        values = {
            "name": self._product.name,
            "color": self._product.color,
            "support_url": self._product.support_url,
            "language": language,
            "base_url": self._settings.base_url,
            "username": _one_line(email.username),
            "detail": _one_line(email.detail) if email.detail else None,
            "token": email.token,
            "link": self._link(email),
            "lifetime": _in_words(email.minutes, language),
            "count": email.count if email.count > 1 else None,
            "hours": email.hours,
        }
        subject = self._render(email, "subject.txt", values)
        # A header is one line, and filters reject emails without a subject.
        return {**values, "subject": _one_line(subject) or self._product.name}

    def _link(self, email: Email) -> str | None:
        if email.kind not in PAGES:
            return None
        if not email.token:
            raise ValueError(f"An email {email.kind} needs a token.")
        # The fragment stays in the browser: no server, proxy or log sees the token (ASVS 14.2.1).
        return f"{self._settings.base_url}/{PAGES[email.kind]}#token={quote(email.token, safe='')}"


def _in_words(minutes: int | None, language: str) -> str | None:
    if minutes is None:
        return None
    ngettext = catalog(language).ngettext
    days, hours = minutes // 1440, minutes // 60
    if days >= 2 and minutes % 1440 == 0:
        return ngettext("%(count)s day", "%(count)s days", days) % {"count": days}
    if hours >= 2 and minutes % 60 == 0:
        return ngettext("%(count)s hour", "%(count)s hours", hours) % {"count": hours}
    return ngettext("%(count)s minute", "%(count)s minutes", minutes) % {"count": minutes}


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


def _bold(text: str) -> Markup:
    return Markup("<strong>{}</strong>").format(text)


def _unbroken(text: str | None) -> str | None:
    """Return a user-supplied text with spaces at which `_wrapped` begins no line."""
    return text and text.replace(" ", _SPACE)


def _wrapped(text: str) -> str:
    """Wrap long lines between words; links and user-supplied texts stay in one piece."""
    lines = [
        line
        if len(line) <= _LINE_LENGTH
        else fill(line, _LINE_LENGTH, break_long_words=False, break_on_hyphens=False)
        for line in text.splitlines()
    ]
    return "\n".join([*lines, ""]).replace(_SPACE, " ")


def _encoding(text: str) -> str:
    # Unencoded where possible, so that links stay in one piece in the raw email.
    return "7bit" if text.isascii() else "quoted-printable"
