"""Passwords over time: changed by their owner, reset through the owner's mailbox, unlocked."""

from datetime import timedelta

from models.email import Email, EmailKind
from models.errors import InvalidToken, Unauthenticated, UserNotFound, WrongPassword
from models.security.passwords import PasswordHasher, PasswordPolicy
from models.services.account_emails import AccountEmails, TokenEmail
from models.services.login_lookup import reserve_attempt
from models.services.session_cleanup import remove_ended_sessions
from models.services.user_update import copy_with, retry_on_conflict, write
from models.tables import second_factor
from models.tables.audit_event import ANONYMOUS, Actor, AuditEvent, EventType
from models.tables.login_attempts import reset_actions
from models.tables.one_time_token import OneTimeToken, Purpose
from models.tables.session import Session
from models.tables.user import User, next_api_key_epoch


class PasswordService:
    """Operations on passwords.

    Args:
        hasher: Hashes and verifies passwords.
        policy: The rules for new passwords.
        emails: Sends the tokens.
        reset_lifetime: How long a token to reset a password is valid.
    """

    def __init__(
        self,
        hasher: PasswordHasher,
        policy: PasswordPolicy,
        emails: AccountEmails,
        reset_lifetime: timedelta = timedelta(minutes=10),
    ) -> None:
        self.hasher = hasher
        self.policy = policy
        self.emails = emails
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
        """Set a new password and end every session of the user except this one.

        A wrong current password counts as a login attempt, so that a stolen session cannot be
        used to guess it.

        Raises:
            WrongPassword: The current password is wrong.
            WeakPassword: The new one is weak.
            TooManyAttempts: Too many attempts have failed; no password is verified for a while.
            Unauthenticated: The session has ended since it was read.
        """
        self._validate_new(new_password, user)
        with self.hasher.slot():
            try:
                row = reserve_attempt(user.id)
            except UserNotFound:
                raise Unauthenticated from None
            self._verify_current(current_password, row, by)
            verified, password_hash = row.password_hash, self.hasher.hash(new_password)

        def change(before: User) -> None:
            if before.password_hash != verified:
                self._verify_current(current_password, before, by)
            after = _with_password(before, password_hash)
            event = AuditEvent.create(EventType.PASSWORD_CHANGED, before.id, by, needs_cleanup=True)
            with by.transaction() as transaction:
                write(transaction, before, after)
                session.keep(transaction, before.session_epoch)
                transaction.save(event)
            remove_ended_sessions(event, before_epoch=after.session_epoch)

        retry_on_conflict(row, None, change)
        self.emails.mailer.send(Email(EmailKind.PASSWORD_CHANGED, user.email, user.username))

    def request_reset(self, email: str, *, by: Actor) -> None:
        """Email a token to the user with this address, if there is one.

        A lockout of the account does not matter. The response reveals nothing.

        Raises:
            EmailNotConfigured: No way to send email is configured.
        """
        type = EventType.PASSWORD_RESET_REQUESTED
        self.emails.send_if_account_exists(email, type, by, self._make_reset_email)

    def send_reset(self, user: User, *, by: Actor) -> None:
        """Email a user a token on an admin's request: admins never choose passwords (ASVS 6.4.6).

        Raises:
            EmailNotConfigured: No way to send email is configured.
            TooManyRequests: The account's hourly quota is exhausted.
        """
        token_email = self._make_reset_email(user)
        self.emails.send_to_user(user, EventType.PASSWORD_RESET_REQUESTED, by, token_email)

    def reset_password(
        self,
        token: str,
        new_password: str,
        *,
        revoke_api_keys: bool = False,
        by: Actor = ANONYMOUS,
    ) -> None:
        """Set a new password with a token; every session ends, and so does a lockout.

        A user with a second factor still needs it to sign in (ASVS 6.4.3). If the address was not
        verified before, the account may have been registered by another person: then every API key
        is revoked and the second factor removed, too, so that only the owner of the address has
        access.

        Args:
            token: The emailed token.
            new_password: The new password.
            revoke_api_keys: Whether to revoke every API key.
            by: The caller.

        Raises:
            InvalidToken: The token is unknown, used or expired, or the password or the email
                address has changed since.
            WeakPassword: The new password is weak.
            Busy: The queue for hashes is full.
        """
        row, user = OneTimeToken.get_valid(token, Purpose.RESET_PASSWORD)
        _require_current(row, user)
        self._validate_new(new_password, user)
        password_hash = self.hasher.hash(new_password)

        def change(before: User) -> EmailKind:
            _require_current(row, before)
            after, events = _after_reset(before, password_hash, revoke_api_keys, by)
            with by.transaction() as transaction:
                row.spend(transaction)
                write(transaction, before, after)
                if not before.email_verified:
                    second_factor.delete(transaction, before)
                for event in events:
                    transaction.save(event)
            for event in events:
                if event.pending_cleanup:
                    remove_ended_sessions(
                        event,
                        before_epoch=after.session_epoch,
                        before_api_key_epoch=after.api_key_epoch or 0,
                    )
            return EmailKind.PASSWORD_CHANGED if before.email_verified else EmailKind.ADDRESS_PROVEN

        try:
            kind = retry_on_conflict(user, None, change)
        except UserNotFound:
            raise InvalidToken from None
        self.emails.mailer.send(Email(kind, user.email, user.username))

    def unlock(self, user: User, *, by: Actor) -> None:
        """Reset the user's failed attempts, so that the next attempt is granted at once.

        Raises:
            UserNotFound: The user is gone.
        """
        with by.transaction() as transaction:
            transaction.update(
                user, reset_actions(User), User.id.exists(), otherwise=UserNotFound()
            )
            transaction.save(AuditEvent.create(EventType.USER_UNLOCKED, user.id, by))

    def _verify_current(self, password: str, user: User, by: Actor) -> None:
        if not self.hasher.verify(password, user.password_hash)[0]:
            AuditEvent.create(EventType.SIGN_IN_FAILED, user.id, by, reason="wrong-password").save()
            raise WrongPassword

    def _make_reset_email(self, user: User) -> TokenEmail:
        row, token = OneTimeToken.new(user, Purpose.RESET_PASSWORD, user.email, self.reset_lifetime)
        minutes = int(self.reset_lifetime.total_seconds() // 60)
        email = Email(EmailKind.RESET_PASSWORD, user.email, user.username, token, minutes)
        return TokenEmail(row, email)

    def _validate_new(self, password: str, user: User) -> None:
        self.policy.validate(
            password, user.username, user.email, user.full_name or "", field="new_password"
        )


def _with_password(before: User, password_hash: str) -> User:
    after = copy_with(before, password_hash=password_hash, failed_attempts=None)
    # Ends every session, and voids every token that was emailed before.
    after.session_epoch += 1
    return after


def _after_reset(
    before: User, password_hash: str, revoke_api_keys: bool, by: Actor
) -> tuple[User, list[AuditEvent]]:
    """Return the user after a reset, and the events of what has changed."""
    after = _with_password(before, password_hash)
    # The token came out of the mailbox of this address.
    after.email_verified = True
    types = [EventType.PASSWORD_RESET]
    is_first_proof = not before.email_verified
    if is_first_proof or revoke_api_keys:
        after.api_key_epoch = next_api_key_epoch(before)
        types.append(EventType.API_KEYS_REVOKED)
    if is_first_proof:
        after.pending_email = None
    if is_first_proof and before.has_second_factor:
        after.has_second_factor = False
        types.append(EventType.SECOND_FACTOR_DISABLED)
    return after, [
        AuditEvent.create(
            type, before.id, by, needs_cleanup=type != EventType.SECOND_FACTOR_DISABLED
        )
        for type in types
    ]


def _require_current(row: OneTimeToken, user: User) -> None:
    is_current = row.session_epoch == user.session_epoch and row.email == user.email
    if not user.is_active or not is_current:
        raise InvalidToken
