"""Outgoing emails: rendered, queued, and delivered to a mail server or a folder."""

from models import Mailer, NoMailer
from roster.config import EmailSettings
from roster.email.file_backend import FileBackend
from roster.email.queue import (
    EMAIL_OUTCOMES,
    SPREAD_SECONDS,
    EmailQueue,
    email_handled,
    queued_emails,
)
from roster.email.render import EmailRenderer, Product
from roster.email.smtp_backend import SmtpBackend

__all__ = [
    "EMAIL_OUTCOMES",
    "EmailRenderer",
    "Product",
    "build_mailer",
    "email_handled",
    "queued_emails",
]


def build_mailer(settings: EmailSettings, product: Product | None = None) -> Mailer:
    """Return the mailer of these settings; without server and folder it drops emails.

    Args:
        settings: The settings of emails.
        product: The product that the emails are about.
    """
    if settings.smtp_host is not None:
        deliver = SmtpBackend(settings).deliver
    elif settings.folder is not None:
        deliver = FileBackend(settings.folder).deliver
    else:
        return NoMailer()
    return EmailQueue(EmailRenderer(settings, product).compose, deliver, spread=SPREAD_SECONDS)
