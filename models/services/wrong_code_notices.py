"""Emails about a correct password with a wrong code: the surest sign of a stolen password."""

from functools import partial

from models.email import Email, EmailKind, Mailer
from models.services.background import Background
from models.tables.rate_window import is_first_within
from models.tables.user import User

# Guessing codes must not flood the mailbox.
INTERVAL_SECONDS = 3600


class WrongCodeNotices:
    """Notifies users, at most once an hour.

    The response to the attempt does not wait for it, and does not tell whether an email is sent.

    Args:
        mailer: Sends the emails.
        background: Decides whether one is sent, which takes a write.
    """

    def __init__(self, mailer: Mailer, background: Background) -> None:
        self._mailer = mailer
        self._background = background

    def notify(self, user: User) -> None:
        """Notify a user of a correct password with a wrong code."""
        if self._mailer.is_configured:
            email = Email.to_user(EmailKind.WRONG_CODE, user)
            self._background.submit(("wrong-code", user.id), partial(self._send, user.id, email))

    def _send(self, user_id: str, email: Email, _times: int) -> None:
        if is_first_within(INTERVAL_SECONDS, f"wrong-code-email#{user_id}"):
            self._mailer.send(email)
