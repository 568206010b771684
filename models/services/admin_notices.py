"""Reports of new admins by email: an account that gains every right must not go unnoticed."""

from dataclasses import replace

from models.email import Email, EmailKind, Mailer
from models.roles import Role
from models.tables.user import Status, User
from models.tables.user_listing import UserFilter, newest_first

# The newest admins that are notified.
MAX_RECIPIENTS = 100


class AdminNotices:
    """Notifies the admins, or one address of the operator, of each new admin.

    Args:
        mailer: Sends the emails.
        address: The address of the operator; None for all admins.
    """

    def __init__(self, mailer: Mailer, address: str | None = None) -> None:
        self._mailer = mailer
        self._address = address

    def prepare(self) -> list[Email]:
        """Return the emails about a new admin, still without its name; call before the change.

        So a failure to read the admins fails the request while nothing has changed.
        """
        if not self._mailer.is_configured:
            return []
        if self._address:
            # The operator has chosen this address.
            operator = Email(
                EmailKind.ADMIN_ADDED,
                self._address,
                "security team",
                account_id="operator",
                is_verified=True,
            )
            return [operator]
        chosen = UserFilter(Status.ACTIVE, Role.ADMIN)
        admins, _ = newest_first(chosen, after=None, limit=MAX_RECIPIENTS)
        return [Email.to_user(EmailKind.ADMIN_ADDED, admin) for admin in admins]

    def send(self, emails: list[Email], user: User) -> None:
        """Send prepared emails, that the user is an admin now; the user gets none."""
        for email in emails:
            if email.to != user.email:
                self._mailer.send(replace(email, detail=user.account_name))
