"""A mailer that keeps what it is given, so that a test can read it."""

from models import Mail


class Outbox:
    """Keeps the mails it is given."""

    is_configured = True

    def __init__(self) -> None:
        self.mails: list[Mail] = []

    def send(self, mail: Mail) -> None:
        self.mails.append(mail)
