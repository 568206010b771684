"""Sends the domain's mails: composed here, taken to a mail server or put into a folder."""

from models import Mailer, NoMailer
from roster.config import MailSettings
from roster.email.file_backend import MailFolder
from roster.email.queue import Outbox
from roster.email.render import Composer
from roster.email.smtp_backend import Smtp

__all__ = ["build_mailer"]


def build_mailer(settings: MailSettings) -> Mailer:
    """What sends mails under these settings: nothing, where neither server nor folder is given."""
    if settings.smtp_host is not None:
        return Outbox(Composer(settings).compose, Smtp(settings).deliver)
    if settings.folder is not None:
        return Outbox(Composer(settings).compose, MailFolder(settings.folder).deliver)
    return NoMailer()
