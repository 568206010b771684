"""An address is its user's when the token that was mailed to it has come back."""

from datetime import timedelta

from models.db import db
from models.email import Email, EmailKind
from models.errors import EmailTaken, InvalidToken, UserNotFound
from models.services.account_emails import AccountEmails, TokenEmail
from models.services.changes import copy_with, retry_on_conflict, swap_reservations, write
from models.tables.audit_event import Actor, AuditEvent, EventType
from models.tables.identifier import Identifier, email_key
from models.tables.one_time_token import OneTimeToken, Purpose
from models.tables.user import User


class EmailVerification:
    """Operations on addresses.

    Args:
        requests: Sends the tokens.
        lifetime: How long one works.
    """

    def __init__(self, requests: AccountEmails, lifetime: timedelta = timedelta(hours=24)) -> None:
        self.requests = requests
        self.lifetime = lifetime

    def start(self, email: str, *, by: Actor) -> None:
        """Email a token to the user with this address, unless it is confirmed already.

        Raises:
            EmailNotConfigured: There is no way to send a mail.
        """

        def prepare(user: User) -> TokenEmail | None:
            return None if user.email_verified else self.prepare(user, user.email)

        self.requests.send_if_account_exists(
            email, EventType.EMAIL_VERIFICATION_REQUESTED, by, prepare
        )

    def prepare(self, user: User, address: str, *, is_new: bool = False) -> TokenEmail:
        """A token for an address that the user has, or wants to have."""
        row, token = OneTimeToken.new(user, Purpose.CONFIRM_EMAIL, address, self.lifetime)
        mail = Email(
            EmailKind.CONFIRM_EMAIL_CHANGE if is_new else EmailKind.VERIFY_EMAIL,
            to=address,
            username=user.username,
            token=token,
            minutes=int(self.lifetime.total_seconds() // 60),
        )
        return TokenEmail(row, mail)

    def finish(self, token: str, *, by: Actor) -> None:
        """Take note that a user has the address that a token was mailed to.

        A new address takes the place of the old one, which is told.

        Raises:
            InvalidToken: The token is unknown, used or expired, or the user wants another address
                by now, or has set a new password before confirming a new address.
            EmailTaken: Somebody else has the new address by now.
        """
        row, user = OneTimeToken.find(token, Purpose.CONFIRM_EMAIL)
        try:
            replaced = retry_on_conflict(user, None, lambda current: _confirm(current, row, by))
        except UserNotFound:
            raise InvalidToken from None
        if replaced:
            mail = Email(EmailKind.EMAIL_CHANGED, to=replaced, username=user.username)
            self.requests.mailer.send(mail)


def refuse_taken(user: User, address: str) -> None:
    """Tell early that somebody else has an address; the transaction that takes it decides.

    Raises:
        EmailTaken: Somebody else has it.
    """
    try:
        owner = Identifier.get(email_key(address), consistent_read=True).owner
    except Identifier.DoesNotExist:
        return
    if owner != user.id:
        raise EmailTaken


def _confirm(before: User, row: OneTimeToken, by: Actor) -> str | None:
    """Write it; the address that was replaced, if one was."""
    if not before.is_active or row.email not in (before.email, before.pending_email):
        raise InvalidToken
    is_new = row.email != before.email
    # Whoever asked for it from a stolen session must not get the account when its user has set a
    # new password, or has signed out everywhere, since.
    if is_new and row.session_epoch != before.session_epoch:
        raise InvalidToken
    after = copy_with(before, email=row.email, email_verified=True)
    if is_new:
        after.pending_email = None
    event = AuditEvent.create(
        EventType.EMAIL_CHANGED if is_new else EventType.EMAIL_VERIFIED, before.id, by
    )
    with db.transaction() as transaction:
        row.spend(transaction)
        swap_reservations(transaction, before, after)
        write(transaction, before, after)
        transaction.save(event)
    return str(before.email) if is_new else None
