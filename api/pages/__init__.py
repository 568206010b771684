"""Pages for people: where the links of mails lead, and in local mode the mails themselves."""

from flask import Flask

from api.config import MailSettings
from api.pages import account, mailbox


def init_app(app: Flask, settings: MailSettings) -> None:
    """Add the pages. They are no part of the API and of its description."""
    account.init_app(app)
    # Where there is no folder there is no such address either: nothing to be left open by mistake.
    if settings.folder is not None:
        mailbox.init_app(app, settings.folder)
