"""Sends the domain's mails: composed here, taken to a mail server or put into a folder."""

from api.config import MailSettings
from api.mail.compose import Composer
from api.mail.folder import MailFolder
from api.mail.outbox import Outbox
from api.mail.smtp import Smtp
from models import Mailer, NoMailer

__all__ = ["build_mailer"]


def build_mailer(settings: MailSettings) -> Mailer:
    """What sends mails under these settings: nothing, where neither server nor folder is given."""
    if settings.smtp_host is not None:
        return Outbox(Composer(settings).compose, Smtp(settings).deliver)
    if settings.folder is not None:
        return Outbox(Composer(settings).compose, MailFolder(settings.folder).deliver)
    return NoMailer()
