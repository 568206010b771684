"""The settings of emails."""

import re
from dataclasses import dataclass
from email.errors import MessageError
from email.message import EmailMessage
from enum import StrEnum
from pathlib import Path
from typing import Any

from marshmallow import ValidationError

from roster.config.parsing import SettingError, choice, integer, matches, not_empty, text
from roster.config.setting import declared_in, read_all, setting


class SmtpSecurity(StrEnum):
    """How a connection to the mail server is protected."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


# The submission ports (RFC 6409, RFC 8314), and the port without encryption.
_SMTP_PORTS = {SmtpSecurity.STARTTLS: 587, SmtpSecurity.TLS: 465, SmtpSecurity.NONE: 25}


def _must_be_sender(value: str) -> None:
    # It becomes the From header: one address, and nothing that starts another header.
    message = EmailMessage()
    try:
        message["From"] = value
        header = message["From"]
        is_one = len(header.addresses) == 1 and not header.defects
    except (MessageError, ValueError, IndexError):
        is_one = False
    if not is_one or not header.addresses[0].domain:
        raise ValidationError("Must be an address, as in Roster <accounts@example.com>.")


def _must_be_base(value: str) -> None:
    # Links put their own path and fragment behind it.
    if not re.fullmatch(r"https?://[^\s/?#@]+(/[^\s?#]*)?", value):
        raise ValidationError("Must be a URL without ? and #, as in https://accounts.example.com.")


@dataclass(frozen=True)
class EmailSettings:
    """How emails are sent, and the base URL of their links."""

    smtp_host: str | None = setting(
        "ROSTER_SMTP_HOST",
        text(not_empty()),
        None,
        example="smtp.example.com",
        meaning="The mail server. Requires `ROSTER_MAIL_FROM` and `ROSTER_PUBLIC_URL`.",
    )
    smtp_port: int = setting(
        "ROSTER_SMTP_PORT",
        integer(1, 65535),
        587,
        example="2525",
        meaning="Its port: {allowed}. The default is 587 with `starttls`, 465 with `tls`, 25 with"
        " `none`.",
        default_text="follows `ROSTER_SMTP_SECURITY`",
    )
    smtp_security: SmtpSecurity = setting(
        "ROSTER_SMTP_SECURITY",
        choice(SmtpSecurity),
        SmtpSecurity.STARTTLS,
        example="tls",
        meaning="Encryption of the connection: {allowed}. `tls` encrypts from the first byte.",
    )
    smtp_username: str | None = setting(
        "ROSTER_SMTP_USERNAME",
        text(),
        None,
        example="roster",
        meaning="The username for the mail server. Requires `starttls` or `tls`.",
    )
    smtp_password: str | None = setting(
        "ROSTER_SMTP_PASSWORD",
        text(),
        None,
        example="correct-horse-battery",
        meaning="The password for the mail server. Set both or neither.",
        is_secret=True,
    )
    sender: str = setting(
        "ROSTER_MAIL_FROM",
        text(_must_be_sender),
        "roster@localhost",
        example="Roster <accounts@example.com>",
        meaning="The sender of emails: one address, with or without a name.",
    )
    base_url: str = setting(
        "ROSTER_PUBLIC_URL",
        text(_must_be_base),
        "http://127.0.0.1:8080",
        example="https://accounts.example.com",
        meaning="The URL of the service for its users, and the start of every link in emails;"
        " never taken from a request. If it is set, the [types of errors](errors.md) begin with it"
        " too. Under `--local` the default follows `--host` and `--port`.",
    )
    security_contact: str | None = setting(
        "ROSTER_SECURITY_CONTACT",
        text(
            matches(
                r"(https|mailto|tel):\S+",
                "must be a https, mailto or tel URL, as in mailto:security@example.com",
            )
        ),
        None,
        example="mailto:security@example.com",
        meaning="Where to report vulnerabilities, for `/.well-known/security.txt`.",
        default_text="`security@` the domain of `ROSTER_MAIL_FROM`",
    )
    security_email: str | None = setting(
        "ROSTER_SECURITY_EMAIL",
        text(matches(r"[^@\s<>]+@[^@\s<>]+", "must be an address, as in security@example.com")),
        None,
        example="security@example.com",
        meaning="The address that is notified of each new admin.",
        default_text="all active admins",
    )
    # Not a setting of the environment: whether `base_url` is another one than the default.
    has_public_url: bool = False
    # Not a setting of the environment: the folder of emails under --local.
    folder: Path | None = None

    @property
    def public_url(self) -> str:
        """The URL of the service for its users; empty if it is only the default."""
        return self.base_url if self.has_public_url else ""

    @property
    def contact(self) -> str:
        """The URL of the contact for vulnerabilities."""
        if self.security_contact is not None:
            return self.security_contact
        message = EmailMessage()
        message["From"] = self.sender
        domain = message["From"].addresses[0].domain
        # RFC 6068: the domain of a mailto URL is ASCII.
        return f"mailto:security@{domain.encode('idna').decode()}"

    def __post_init__(self) -> None:
        """Reject settings that would send a password unencrypted.

        Raises:
            SettingError: There is a password and no encryption.
        """
        if self.smtp_password is not None and self.smtp_security is SmtpSecurity.NONE:
            raise SettingError(
                "ROSTER_SMTP_SECURITY is none, which would send ROSTER_SMTP_PASSWORD in the clear."
                " Choose starttls or tls, or unset ROSTER_SMTP_USERNAME and ROSTER_SMTP_PASSWORD."
            )


def read_email(errors: list[str]) -> dict[str, Any]:
    """Read the settings of emails.

    Args:
        errors: The texts of errors are appended to it.

    Returns:
        The arguments of `EmailSettings`.
    """
    declared = declared_in(EmailSettings)
    security = read_all({"security": declared["smtp_security"]}, [])["security"]
    values = read_all(declared, errors, smtp_port=_SMTP_PORTS[security])
    values["base_url"] = values["base_url"].rstrip("/")
    values["has_public_url"] = values["base_url"] != EmailSettings.base_url
    errors += _incomplete(values)
    return values


def _incomplete(values: dict[str, Any]) -> list[str]:
    errors = []
    if values["smtp_host"]:
        errors += [
            f"ROSTER_SMTP_HOST is set: set {one.variable} too, which emails and their links need."
            for name, one in declared_in(EmailSettings).items()
            if name in ("sender", "base_url") and one.source == "default"
        ]
    if (values["smtp_username"] is None) != (values["smtp_password"] is None):
        errors.append("Set both ROSTER_SMTP_USERNAME and ROSTER_SMTP_PASSWORD, or neither.")
    return errors
