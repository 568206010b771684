"""Email verification: an address counts as the user's once the emailed token has come back."""

from datetime import timedelta

from models.email import Email, EmailKind
from models.errors import EmailTaken, InvalidToken, UserNotFound
from models.services.account_emails import AccountEmails, TokenEmail
from models.services.user_update import copy_with, retry_on_conflict, swap_reservations, write
from models.tables.audit_event import Actor, AuditEvent, EventType
from models.tables.identifier import Identifier, email_key
from models.tables.one_time_token import OneTimeToken, Purpose
from models.tables.user import User


class EmailVerification:
    """Operations on email addresses.

    Args:
        emails: Sends the tokens.
        lifetime: How long a token is valid.
    """

    def __init__(self, emails: AccountEmails, lifetime: timedelta = timedelta(hours=24)) -> None:
        self.emails = emails
        self.lifetime = lifetime

    def request(self, email: str, *, by: Actor) -> None:
        """Email a token to the user with this address, unless it is already verified.

        Raises:
            EmailNotConfigured: No way to send email is configured.
        """

        def make_email(user: User) -> TokenEmail | None:
            return None if user.email_verified else self.make_email(user, user.email)

        self.emails.send_if_account_exists(
            email, EventType.EMAIL_VERIFICATION_REQUESTED, by, make_email
        )

    def make_email(self, user: User, address: str, *, is_new: bool = False) -> TokenEmail:
        """Return a token and its email for an address that the user has or requests."""
        row, token = OneTimeToken.new(user, Purpose.CONFIRM_EMAIL, address, self.lifetime)
        email = Email(
            EmailKind.CONFIRM_EMAIL_CHANGE if is_new else EmailKind.VERIFY_EMAIL,
            to=address,
            username=user.username,
            token=token,
            minutes=int(self.lifetime.total_seconds() // 60),
        )
        return TokenEmail(row, email)

    def confirm(self, token: str, *, by: Actor) -> None:
        """Record that a user owns the address that a token was emailed to.

        A new address replaces the old one, which is notified.

        Raises:
            InvalidToken: The token is unknown, used or expired, or the user has requested another
                address since, or set a new password before confirming a new address.
            EmailTaken: Another user has the new address by now.
        """
        row, user = OneTimeToken.get_valid(token, Purpose.CONFIRM_EMAIL)
        try:
            replaced = retry_on_conflict(user, None, lambda current: _confirm(current, row, by))
        except UserNotFound:
            raise InvalidToken from None
        if replaced:
            email = Email(EmailKind.EMAIL_CHANGED, to=replaced, username=user.username)
            self.emails.mailer.send(email)


def require_available(user: User, address: str) -> None:
    """Reject early an address of another user; the transaction that reserves it decides.

    Raises:
        EmailTaken: Another user has it.
    """
    try:
        owner = Identifier.get(email_key(address), consistent_read=True).owner
    except Identifier.DoesNotExist:
        return
    if owner != user.id:
        raise EmailTaken


def _confirm(before: User, row: OneTimeToken, by: Actor) -> str | None:
    """Write the confirmation; return the address that was replaced, if any."""
    if not before.is_active or row.email not in (before.email, before.pending_email):
        raise InvalidToken
    is_new = row.email != before.email
    # A thief who requested a new address from a stolen session must not get the account after its
    # owner has set a new password or signed out everywhere.
    if is_new and row.session_epoch != before.session_epoch:
        raise InvalidToken
    after = copy_with(before, email=row.email, email_verified=True)
    if is_new:
        after.pending_email = None
    type = EventType.EMAIL_CHANGED if is_new else EventType.EMAIL_VERIFIED
    with by.transaction() as transaction:
        row.spend(transaction)
        swap_reservations(transaction, before, after)
        write(transaction, before, after)
        transaction.save(AuditEvent.create(type, before.id, by))
    return str(before.email) if is_new else None
