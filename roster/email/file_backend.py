"""A folder instead of a mail server, for local mode: one file per mail, the newest are kept."""

import os
import re
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTPUTF8
from pathlib import Path

from roster.email.delivery import DeliveryFailed

KEPT = 200
# Ids begin with the time, so that their order is that of the mails.
_ID = re.compile(r"[0-9]{8}T[0-9]{12}-[0-9a-f]{8}")
_LINK = re.compile(r"https?://\S+#token=\S+")


class FileBackend:
    """Mails as files that only their owner can read.

    Args:
        path: The folder; made when the first mail comes.
        kept: How many mails stay; older ones go.
    """

    def __init__(self, path: Path, kept: int = KEPT) -> None:
        self._path = path
        self._kept = kept

    def deliver(self, message: EmailMessage) -> None:
        """Put a message into the folder and say so on stdout.

        Raises:
            DeliveryFailed: The folder cannot be written to.
        """
        try:
            path = self._write(message)
            self._tidy()
        except OSError as error:
            raise DeliveryFailed(f"the folder of mails: {error.strerror}", may_pass=True) from None
        # Local mode is for a person at a terminal, who wants to follow the link.
        lines = [f"Email: {message['Subject']}", f"  {path}", f"  {link_of(message)}"]
        print("\n".join(lines if link_of(message) else lines[:-1]), flush=True)

    def ids(self) -> list[str]:
        """The ids of the mails, the newest first."""
        return sorted(filter(_ID.fullmatch, self._stems()), reverse=True)

    def find(self, id: str) -> EmailMessage | None:
        """A mail by its id, None if there is none or if this cannot be an id."""
        if not _ID.fullmatch(id):
            return None
        try:
            raw = self._file(id).read_bytes()
        except FileNotFoundError:
            return None
        return message_from_bytes(raw, EmailMessage, policy=SMTPUTF8)

    def _file(self, id: str) -> Path:
        return self._path / f"{id}.eml"

    def _stems(self) -> Iterator[str]:
        return (path.stem for path in self._path.glob("*.eml"))

    def _write(self, message: EmailMessage) -> Path:
        self._path.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._file(f"{datetime.now(UTC):%Y%m%dT%H%M%S%f}-{secrets.token_hex(4)}")
        # It gets its name when it is complete: nobody reads half a mail.
        draft = path.with_suffix(".draft")
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(message.as_bytes())
        draft.replace(path)
        return path

    def _tidy(self) -> None:
        for id in self.ids()[self._kept :]:
            # Another worker may be tidying up too.
            self._file(id).unlink(missing_ok=True)


def text_of(message: EmailMessage) -> str:
    """What a mail says to readers without HTML."""
    return _part(message, "plain")


def html_of(message: EmailMessage) -> str:
    """What a mail says to readers with HTML."""
    return _part(message, "html")


def link_of(message: EmailMessage) -> str | None:
    """The link with a token in a mail, None if it has none."""
    found = _LINK.search(text_of(message))
    return found and found[0]


def _part(message: EmailMessage, kind: str) -> str:
    body = message.get_body((kind,))
    return str(body.get_content()).replace("\r\n", "\n") if body else ""
