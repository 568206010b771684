"""The emails of a service, read from the folder of local mode."""

from dataclasses import dataclass, field
from pathlib import Path

from flask import Flask

from models import Email, EmailKind
from roster.config import EmailSettings
from roster.email.file_backend import FileBackend, link_of, text_of
from roster.email.render import EmailRenderer
from web.languages import LANGUAGES

_renderer = EmailRenderer(EmailSettings())
_KINDS = {
    _renderer.compose(Email(kind, "a@example.com", "", "-", locale=language))["Subject"]: kind
    for kind in EmailKind
    for language in LANGUAGES
}
# Longer than a loaded machine takes.
_PATIENCE = 20.0


@dataclass(frozen=True)
class SentEmail:
    """An email in the mailbox.

    Attributes:
        kind: The kind.
        to: The recipient.
        text: The text part.
        token: The token of its link, empty without one.
    """

    kind: EmailKind
    to: str
    text: str
    token: str = field(repr=False)


class SentEmails:
    """Reads the emails of an app."""

    def __init__(self, app: Flask, path: Path) -> None:
        self._mailer = app.extensions["roster"].passwords.emails.mailer
        self._folder = FileBackend(path)

    def __call__(self) -> list[SentEmail]:
        """Return all emails, oldest first, after all queued ones are delivered."""
        assert self._mailer.drain(_PATIENCE), "emails are still queued"
        return [self._read(id) for id in reversed(self._folder.ids())]

    def _read(self, id: str) -> SentEmail:
        message = self._folder.find(id)
        assert message is not None
        _, _, token = (link_of(message) or "").partition("#token=")
        return SentEmail(_KINDS[message["Subject"]], str(message["To"]), text_of(message), token)
