"""Passwords over time: changed by whoever knows them, reset by whoever has the user's mailbox."""

from datetime import timedelta

from models.db import db
from models.email import Email, EmailKind
from models.errors import InvalidToken, Unauthenticated, UserNotFound, WrongPassword
from models.security.passwords import Passwords
from models.services.account_emails import AccountEmails, TokenEmail
from models.services.changes import copy_with, retry_on_conflict, write
from models.services.login_lookup import reserve_attempt
from models.services.session_cleanup import sweep
from models.tables import login_attempts
from models.tables.audit_event import ANONYMOUS, Actor, AuditEvent, EventType
from models.tables.one_time_token import OneTimeToken, Purpose
from models.tables.session import Session
from models.tables.user import User


class Credentials:
    """Operations on passwords.

    Args:
        passwords: The policy.
        requests: Sends the tokens.
        reset_lifetime: How long a token to reset a password works.
    """

    def __init__(
        self,
        passwords: Passwords,
        requests: AccountEmails,
        reset_lifetime: timedelta = timedelta(minutes=10),
    ) -> None:
        self.passwords = passwords
        self.requests = requests
        self.reset_lifetime = reset_lifetime

    def change_password(
        self,
        user: User,
        *,
        current_password: str,
        new_password: str,
        session: Session,
        by: Actor = ANONYMOUS,
    ) -> None:
        """Set a new password and end every session of the user but this one.

        A wrong current password counts as a try to sign in, so that a stolen session cannot guess.

        Raises:
            WrongPassword: The current password is wrong.
            WeakPassword: The new one is weak.
            TooManyAttempts: So many were wrong that none is looked at for a while.
            Unauthenticated: The session was ended in the meantime.
        """
        self._refuse_weak(new_password, user)
        with self.passwords.turn():
            row = reserve_attempt(user.id)
            self._prove(current_password, row, by)
            proven, password_hash = row.password_hash, self.passwords.hash(new_password)

        def change(before: User) -> None:
            if before.password_hash != proven:
                self._prove(current_password, before, by)
            after = _with_password(before, password_hash)
            event = AuditEvent.create(EventType.PASSWORD_CHANGED, before.id, by, sweeps=True)
            with db.transaction() as transaction:
                write(transaction, before, after)
                transaction.update(
                    session,
                    [Session.session_epoch.set(after.session_epoch)],
                    # One that was ended by the epoch may still have its row: it stays ended.
                    Session.session_epoch == before.session_epoch,
                    otherwise=Unauthenticated(),
                )
                transaction.save(event)
            sweep(event, before_epoch=after.session_epoch)

        retry_on_conflict(row, None, change)
        self._tell(user)

    def start_reset(self, email: str, *, by: Actor) -> None:
        """Email a token to the user with this address, if there is one.

        It does not matter whether the account is locked. The caller learns nothing.

        Raises:
            EmailNotConfigured: There is no way to send a mail.
        """
        type = EventType.PASSWORD_RESET_REQUESTED
        self.requests.send_if_account_exists(email, type, by, self._prepare_reset)

    def start_reset_for(self, user: User, *, by: Actor) -> None:
        """Email a user a token, because an admin asks: admins never choose passwords (ASVS 6.4.6).

        Raises:
            EmailNotConfigured: There is no way to send a mail.
            TooManyRequests: The account had its mails of this hour.
        """
        prepared = self._prepare_reset(user)
        self.requests.for_user(user, EventType.PASSWORD_RESET_REQUESTED, by, prepared)

    def finish_reset(self, token: str, new_password: str, *, by: Actor = ANONYMOUS) -> None:
        """Set a new password by a token; every session ends, and so does a lock.

        Whoever has a second factor still needs it to sign in (ASVS 6.4.3).

        Raises:
            InvalidToken: The token is unknown, used or expired, or the password or the address
                has changed since.
            WeakPassword: The new password is weak.
            Busy: Too many wait for a hash.
        """
        row, user = OneTimeToken.find(token, Purpose.RESET_PASSWORD)
        _refuse_outdated(row, user)
        self._refuse_weak(new_password, user)
        password_hash = self.passwords.hash(new_password)

        def change(before: User) -> None:
            _refuse_outdated(row, before)
            after = _with_password(before, password_hash)
            # The token came out of the mailbox that the address names.
            after.email_verified = True
            event = AuditEvent.create(EventType.PASSWORD_RESET, before.id, by, sweeps=True)
            with db.transaction() as transaction:
                row.spend(transaction)
                write(transaction, before, after)
                transaction.save(event)
            sweep(event, before_epoch=after.session_epoch)

        try:
            retry_on_conflict(user, None, change)
        except UserNotFound:
            raise InvalidToken from None
        self._tell(user)

    def unlock(self, user: User, *, by: Actor) -> None:
        """Forget the user's failed tries, so that the next one is granted at once.

        Raises:
            UserNotFound: The user is gone.
        """
        with db.transaction() as transaction:
            transaction.update(
                user, login_attempts.forget(User), User.id.exists(), otherwise=UserNotFound()
            )
            transaction.save(AuditEvent.create(EventType.USER_UNLOCKED, user.id, by))

    def _prove(self, password: str, user: User, by: Actor) -> None:
        if not self.passwords.verify(password, user.password_hash)[0]:
            AuditEvent.create(EventType.SIGN_IN_FAILED, user.id, by, reason="wrong-password").save()
            raise WrongPassword

    def _prepare_reset(self, user: User) -> TokenEmail:
        row, token = OneTimeToken.new(user, Purpose.RESET_PASSWORD, user.email, self.reset_lifetime)
        minutes = int(self.reset_lifetime.total_seconds() // 60)
        mail = Email(EmailKind.RESET_PASSWORD, user.email, user.username, token, minutes)
        return TokenEmail(row, mail)

    def _refuse_weak(self, password: str, user: User) -> None:
        self.passwords.refuse_weak(
            password, user.username, user.email, user.full_name or "", member="new_password"
        )

    def _tell(self, user: User) -> None:
        self.requests.mailer.send(Email(EmailKind.PASSWORD_CHANGED, user.email, user.username))


def _with_password(before: User, password_hash: str) -> User:
    after = copy_with(before, password_hash=password_hash, failed_attempts=None)
    # Ends every session, and makes what was mailed before worthless.
    after.session_epoch += 1
    return after


def _refuse_outdated(row: OneTimeToken, user: User) -> None:
    if not user.is_active or row.session_epoch != user.session_epoch or row.email != user.email:
        raise InvalidToken
