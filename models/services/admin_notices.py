"""Reports of new admins by email: an account that gains every right must not go unnoticed."""

from dataclasses import dataclass

from models.email import Email, EmailKind, Mailer
from models.tables.user import Role, Status, User
from models.tables.user_listing import UserFilter, newest_first

# The newest admins that are notified.
MAX_RECIPIENTS = 100


@dataclass(frozen=True)
class Recipient:
    """Who is notified.

    Attributes:
        address: The email address.
        name: How the email addresses its reader.
    """

    address: str
    name: str


class AdminNotices:
    """Notifies the admins, or one address of the operator, of each new admin.

    Args:
        mailer: Sends the emails.
        address: The address of the operator; None for all admins.
    """

    def __init__(self, mailer: Mailer, address: str | None = None) -> None:
        self._mailer = mailer
        self._address = address

    def recipients(self) -> list[Recipient]:
        """Return who is to be notified of a new admin; call this before the change.

        So a failure to read the admins fails the request while nothing has changed.
        """
        if not self._mailer.is_configured:
            return []
        if self._address:
            return [Recipient(self._address, "security team")]
        chosen = UserFilter(Status.ACTIVE, Role.ADMIN)
        admins, _ = newest_first(chosen, after=None, limit=MAX_RECIPIENTS)
        return [Recipient(admin.email, admin.username) for admin in admins]

    def send(self, recipients: list[Recipient], user: User) -> None:
        """Notify the recipients that the user is an admin now; the user is not notified."""
        for each in recipients:
            if each.address != user.email:
                self._mailer.send(
                    Email(EmailKind.ADMIN_ADDED, each.address, each.name, detail=user.username)
                )
