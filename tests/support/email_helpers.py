"""The mails of a service, out of the folder where local mode puts them."""

from dataclasses import dataclass, field
from pathlib import Path

from flask import Flask

from models import EmailKind
from roster.email.file_backend import FileBackend, link_of, text_of
from roster.email.render import SUBJECTS

_KINDS = {subject: kind for kind, subject in SUBJECTS.items()}
# Longer than a loaded machine takes.
_PATIENCE = 20.0


@dataclass(frozen=True)
class SentEmail:
    """What somebody finds in the mailbox.

    Attributes:
        kind: What it says.
        to: The address that it came to.
        text: Its text.
        token: What its link carries, empty if it has none.
    """

    kind: EmailKind
    to: str
    text: str
    token: str = field(repr=False)


class SentEmails:
    """Reads the mails that an app has sent."""

    def __init__(self, app: Flask, path: Path) -> None:
        self._mailer = app.extensions["roster"].passwords.emails.mailer
        self._folder = FileBackend(path)

    def __call__(self) -> list[SentEmail]:
        """All of them, the oldest first, as soon as none waits to be sent."""
        assert self._mailer.drain(_PATIENCE), "mails still wait"
        return [self._read(id) for id in reversed(self._folder.ids())]

    def _read(self, id: str) -> SentEmail:
        message = self._folder.find(id)
        assert message is not None
        _, _, token = (link_of(message) or "").partition("#token=")
        return SentEmail(_KINDS[message["Subject"]], str(message["To"]), text_of(message), token)
