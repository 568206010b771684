"""The settings of emails."""

import re
from dataclasses import dataclass, field
from email.errors import MessageError
from email.message import EmailMessage
from enum import StrEnum
from pathlib import Path

from environs import Env
from marshmallow import ValidationError
from marshmallow.validate import Length, Range

from roster.config.parsing import SettingError


class SmtpSecurity(StrEnum):
    """How a connection to the mail server is protected."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


# The submission ports (RFC 6409, RFC 8314), and the port without encryption.
_SMTP_PORTS = {SmtpSecurity.STARTTLS: 587, SmtpSecurity.TLS: 465, SmtpSecurity.NONE: 25}


@dataclass(frozen=True)
class EmailSettings:
    """How emails are sent, and the base URL of their links.

    Attributes:
        sender: ROSTER_MAIL_FROM.
        base_url: ROSTER_PUBLIC_URL, the base of links; never taken from a request.
        smtp_host: ROSTER_SMTP_HOST, None if no mail server is configured.
        smtp_port: ROSTER_SMTP_PORT.
        smtp_username: ROSTER_SMTP_USERNAME.
        smtp_password: ROSTER_SMTP_PASSWORD.
        smtp_security: ROSTER_SMTP_SECURITY.
        folder: The folder for emails under `--local`.
    """

    sender: str = "roster@localhost"
    base_url: str = "http://127.0.0.1:8080"
    smtp_host: str | None = None
    smtp_port: int = 587
    smtp_username: str | None = None
    smtp_password: str | None = field(default=None, repr=False)
    smtp_security: SmtpSecurity = SmtpSecurity.STARTTLS
    folder: Path | None = None

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


def read_mail(env: Env) -> EmailSettings:
    """Read the settings of emails.

    Raises:
        SettingError: A setting that another one requires is missing.
        EnvError: A value is invalid.
    """
    default = EmailSettings()
    security = env.enum("SMTP_SECURITY", default.smtp_security, enum=SmtpSecurity, by_value=True)
    _must_be_complete(env)
    return EmailSettings(
        sender=env.str("MAIL_FROM", default.sender, validate=_must_be_sender),
        base_url=env.str("PUBLIC_URL", default.base_url, validate=_must_be_base).rstrip("/"),
        smtp_host=env.str("SMTP_HOST", None, validate=Length(min=1)),
        smtp_port=env.int("SMTP_PORT", _SMTP_PORTS[security], validate=Range(min=1, max=65535)),
        smtp_username=env.str("SMTP_USERNAME", None),
        smtp_password=env.str("SMTP_PASSWORD", None),
        smtp_security=security,
    )


def _must_be_complete(env: Env) -> None:
    if env.str("SMTP_HOST", None):
        for name in ("MAIL_FROM", "PUBLIC_URL"):
            if not env.str(name, None):
                raise SettingError(
                    f"ROSTER_SMTP_HOST is set: set ROSTER_{name} too, which mails and their links"
                    " need."
                )
    if (env.str("SMTP_USERNAME", None) is None) != (env.str("SMTP_PASSWORD", None) is None):
        raise SettingError("Set both ROSTER_SMTP_USERNAME and ROSTER_SMTP_PASSWORD, or neither.")


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
