"""Email verification: an address counts as the user's once the emailed token has come back."""

from datetime import timedelta

from models.email import Email, EmailKind
from models.errors import (
    IncorrectPassword,
    InvalidToken,
    Unauthenticated,
    UserNotFound,
)
from models.security.passwords import PasswordHasher
from models.services.account_emails import AccountEmails, TokenEmail
from models.services.hooks import NO_HOOKS, Hooks
from models.services.sign_in_attempts import Attempt, record_failure, reserve_with_email
from models.services.user_update import (
    Handover,
    changed_fields,
    copy_with,
    get_user,
    retry_on_conflict,
    swap_reservations,
    write,
)
from models.tables.audit_event import Actor, AuditEvent, EventType
from models.tables.one_time_token import OneTimeToken, Purpose
from models.tables.user import User


class EmailVerification:
    """Operations on email addresses.

    Args:
        emails: Sends the tokens.
        hasher: Verifies passwords.
        lifetime: How long a token is valid.
        hooks: The functions of the operator.
    """

    def __init__(
        self,
        emails: AccountEmails,
        hasher: PasswordHasher,
        lifetime: timedelta = timedelta(hours=24),
        hooks: Hooks = NO_HOOKS,
    ) -> None:
        self.emails = emails
        self.hasher = hasher
        self.lifetime = lifetime
        self._hooks = hooks

    def request(self, email: str, *, by: Actor) -> None:
        """Email a token to the user with this address, unless it is already verified.

        Raises:
            EmailNotConfigured: No way to send email is configured.
        """

        def make_email(user: User) -> TokenEmail | None:
            return None if user.email_verified else self.make_email(user, user.email)

        self.emails.send_if_account_exists(
            email,
            EventType.EMAIL_VERIFICATION_REQUESTED,
            by,
            EmailKind.VERIFY_EMAIL,
            make_email,
        )

    def make_email(self, user: User, address: str, *, is_new: bool = False) -> TokenEmail:
        """Return a token and its email for an address that the user has or requests."""
        row, token = OneTimeToken.new(user, Purpose.CONFIRM_EMAIL, address, self.lifetime)
        email = Email(
            EmailKind.CONFIRM_EMAIL_CHANGE if is_new else EmailKind.VERIFY_EMAIL,
            to=address,
            username=user.username or "",
            token=token,
            minutes=int(self.lifetime.total_seconds() // 60),
            account_id=user.id,
            locale=user.locale,
        )
        return TokenEmail(row, email)

    def confirm(self, token: str, *, password: str | None = None, by: Actor) -> None:
        """Record that a user owns the address that a token was emailed to.

        A new address replaces the old one, which is notified.

        The token proves that the caller has the mailbox, but not that the account is theirs:
        another person may have registered it with this address, or requested the change to it. So
        the account must be proven as well, by a session of the user or by the password.

        Repeating a request changes nothing and succeeds while the address is still the verified
        one: the response may have been lost, or the link opened twice.

        Args:
            token: The emailed token.
            password: The password of the account; not needed in a session of the user.
            by: The caller.

        Raises:
            Unauthenticated: Neither a session of the user nor a password was given.
            IncorrectPassword: The password is wrong.
            TooManyAttempts: Too many passwords were wrong; the next attempt has to wait.
            Busy: The queue for hashes is full.
            InvalidToken: The token is unknown or expired, or the user has another address since,
                or has requested one, or set a new password before confirming a new address.
            EmailTaken: Another user has the new address by now.
        """
        row, user = _read(token)
        _require_current(row, user)
        attempt = None if by.user_id == user.id else self._verify_password(user, password, by)

        def change(current: User) -> User | None:
            latest_row, latest = (row, user) if current is user else _read(token)
            if attempt and latest.password_hash != user.password_hash:
                raise InvalidToken
            return _confirm(latest_row, latest, by, attempt, self._hooks)

        try:
            replaced = retry_on_conflict(user, None, change)
        except UserNotFound:
            raise InvalidToken from None
        if replaced:
            self.emails.mailer.send(Email.to_user(EmailKind.EMAIL_CHANGED, replaced))

    def _verify_password(self, user: User, password: str | None, by: Actor) -> Attempt:
        """Verify the password of a client that has the emailed token; return its attempt."""
        if password is None:
            raise Unauthenticated(
                "Sign in to the account that the email is about, or send its `password`."
            )
        with self.hasher.slot():
            attempt = reserve_with_email(user)
            if not self.hasher.verify(password, user.password_hash)[0]:
                record_failure(attempt, "wrong-password", by, self.emails.mailer)
                raise IncorrectPassword
        return attempt


def _read(token: str) -> tuple[OneTimeToken, User]:
    """Return an issued token and its user, who is not older than the use of the token."""
    row, user = OneTimeToken.get_issued(token, Purpose.CONFIRM_EMAIL)
    if not row.used_at:
        return row, user
    # A batch reads one item after the other.
    try:
        return row, get_user(user.id)
    except UserNotFound:
        raise InvalidToken from None


def _confirm(
    row: OneTimeToken, before: User, by: Actor, attempt: Attempt | None, hooks: Hooks
) -> User | None:
    """Write the confirmation; return the user before, if the address was replaced."""
    _require_current(row, before)
    if _is_confirmed(row, before):
        _forget(attempt, by)
        return None
    is_new = row.email != before.email
    after = copy_with(before, email=row.email, email_verified=True)
    if is_new:
        after.pending_email = None
    type = EventType.EMAIL_CHANGED if is_new else EventType.EMAIL_VERIFIED
    with by.transaction() as transaction:
        write(transaction, before, after)
        row.mark_used(transaction)
        swap_reservations(transaction, before, after, Handover())
        if attempt:
            attempt.forget(transaction)
        transaction.save(AuditEvent.create(type, before.id, by))
    hooks.after_update(before, after, changed_fields(before, after), by)
    return before if is_new else None


def _forget(attempt: Attempt | None, by: Actor) -> None:
    if attempt:
        with by.transaction() as transaction:
            attempt.forget(transaction)


def _require_current(row: OneTimeToken, user: User) -> None:
    if not user.is_active or row.email not in (user.email, user.pending_email):
        raise InvalidToken
    if row.used_at and not _is_confirmed(row, user):
        raise InvalidToken
    # A thief who requested a new address from a stolen session must not get the account after its
    # owner has set a new password or signed out everywhere.
    if row.email != user.email and row.session_epoch != user.session_epoch:
        raise InvalidToken


def _is_confirmed(row: OneTimeToken, user: User) -> bool:
    return row.email == user.email and bool(user.email_verified)
