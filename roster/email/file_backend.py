"""Deliver emails to a folder, for local mode: one file per email, the newest are kept."""

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
# IDs begin with the time, so that they sort by age.
_ID = re.compile(r"[0-9]{8}T[0-9]{12}-[0-9a-f]{8}")
_LINK = re.compile(r"https?://\S+#token=\S+")


class FileBackend:
    """Stores emails as files that only their owner can read.

    Args:
        path: The folder; created for the first email.
        kept: How many emails are kept; older ones are deleted.
    """

    def __init__(self, path: Path, kept: int = KEPT) -> None:
        self._path = path
        self._kept = kept

    def deliver(self, message: EmailMessage) -> None:
        """Write a message into the folder and report it on stdout.

        Raises:
            DeliveryFailed: The folder is not writable.
        """
        try:
            path = self._write(message)
            self._delete_old()
        except OSError as error:
            raise DeliveryFailed(
                f"the folder of emails: {error.strerror}", is_temporary=True
            ) from None
        # In local mode the developer follows the link from the terminal.
        lines = [f"Email: {message['Subject']}", f"  {path}", f"  {link_of(message)}"]
        print("\n".join(lines if link_of(message) else lines[:-1]), flush=True)

    def ids(self) -> list[str]:
        """Return the IDs of the emails, newest first."""
        return sorted(filter(_ID.fullmatch, self._stems()), reverse=True)

    def find(self, id: str) -> EmailMessage | None:
        """Return an email by its ID, or None if there is none or the ID is not valid."""
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
        # Renamed when complete, so that no reader sees half an email.
        draft = path.with_suffix(".draft")
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(message.as_bytes())
        draft.replace(path)
        return path

    def _delete_old(self) -> None:
        for id in self.ids()[self._kept :]:
            # Another worker may delete the same file.
            self._file(id).unlink(missing_ok=True)


def text_of(message: EmailMessage) -> str:
    """Return the plain text of an email."""
    return _part(message, "plain")


def html_of(message: EmailMessage) -> str:
    """Return the HTML of an email."""
    return _part(message, "html")


def link_of(message: EmailMessage) -> str | None:
    """Return the link with a token in an email, or None."""
    found = _LINK.search(text_of(message))
    return found and found[0]


def _part(message: EmailMessage, kind: str) -> str:
    body = message.get_body((kind,))
    return str(body.get_content()).replace("\r\n", "\n") if body else ""
