"""A mailer that stores its emails for tests."""

from models import Email


class EmailQueue:
    """Keeps the mails it is given."""

    is_configured = True

    def __init__(self) -> None:
        self.mails: list[Email] = []

    def send(self, mail: Email) -> None:
        self.mails.append(mail)
