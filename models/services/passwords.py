"""Passwords over time: changed by their owner, reset through the owner's mailbox, unlocked."""

from dataclasses import replace
from datetime import timedelta
from typing import cast

from models.email import Email, EmailKind
from models.errors import (
    InvalidToken,
    SecondFactorCodeRequired,
    Unauthenticated,
    UserNotFound,
    WrongPassword,
)
from models.security.password_policy import PasswordPolicy
from models.security.passwords import PasswordHasher
from models.services.account_emails import AccountEmails, TokenEmail
from models.services.hooks import NO_HOOKS, Hooks
from models.services.second_factors import VerifiedCode
from models.services.session_cleanup import remove_ended_sessions
from models.services.session_opening import OpenedSession, SessionOpening
from models.services.sessions import SessionService
from models.services.sign_in_attempts import (
    Attempt,
    ended_lockout,
    record_failure,
    reserve_for_user,
    reserve_with_email,
)
from models.services.user_update import copy_with, retry_on_conflict, write
from models.tables import second_factor
from models.tables.audit_event import ANONYMOUS, Actor, AuditEvent, EventType
from models.tables.login_attempts import reset_actions
from models.tables.one_time_token import OneTimeToken, Purpose
from models.tables.rate_window import RateLimit
from models.tables.session import Client, Session
from models.tables.user import User, forget_devices, next_api_key_epoch

# A second one in case the first is lost. All go to the user, also those that others request.
EMAILS_PER_TOKEN_LIFETIME = 2


class PasswordService:
    """Operations on passwords.

    Args:
        hasher: Hashes and verifies passwords.
        policy: The rules for new passwords.
        emails: Sends the tokens.
        sessions: Signs users in after a reset.
        reset_lifetime: How long a token to reset a password is valid.
        hooks: The functions of the operator.
    """

    def __init__(
        self,
        hasher: PasswordHasher,
        policy: PasswordPolicy,
        emails: AccountEmails,
        sessions: SessionService,
        reset_lifetime: timedelta = timedelta(minutes=10),
        hooks: Hooks = NO_HOOKS,
    ) -> None:
        self.hasher = hasher
        self.policy = policy
        self.emails = emails
        self.sessions = sessions
        self.reset_lifetime = reset_lifetime
        self._hooks = hooks

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
                attempt = reserve_for_user(user.id)
            except UserNotFound:
                raise Unauthenticated from None
            row = cast(User, attempt.user)
            self._verify_current(current_password, attempt, by)
            verified, password_hash = row.password_hash, self.hasher.hash(new_password)

        def change(before: User) -> None:
            if before.password_hash != verified:
                self._verify_current(current_password, replace(attempt, user=before), by)
            after = _with_password(before, password_hash)
            event = AuditEvent.create(EventType.PASSWORD_CHANGED, before.id, by, needs_cleanup=True)
            with by.transaction() as transaction:
                write(transaction, before, after)
                session.keep(transaction, before.session_epoch)
                transaction.save(event)
            remove_ended_sessions(event, before_epoch=after.session_epoch)

        retry_on_conflict(row, None, change)
        self.emails.mailer.send(Email.to_user(EmailKind.PASSWORD_CHANGED, user))

    def request_reset(self, email: str, *, device_token: str | None = None, by: Actor) -> None:
        """Email a token to the user with this address, if there is one.

        A lockout of the account does not matter. The response reveals nothing. At any time the
        user can get an email or has one with a valid token: the quota is for the lifetime of a
        token, and known devices have one of their own.

        Args:
            email: The address as the caller wrote it.
            device_token: What a sign-in on the same device returned.
            by: The caller.

        Raises:
            EmailNotConfigured: No way to send email is configured.
        """
        type = EventType.PASSWORD_RESET_REQUESTED
        window = int(self.reset_lifetime.total_seconds())
        self.emails.send_if_account_exists(
            email,
            type,
            by,
            EmailKind.RESET_PASSWORD,
            self._make_reset_email,
            quota=RateLimit("reset-emails", quota=EMAILS_PER_TOKEN_LIFETIME, window=window),
            device_token=device_token,
        )

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
        sign_in: Client | None = None,
        otp: str | None = None,
        by: Actor = ANONYMOUS,
    ) -> OpenedSession | None:
        """Set a new password with a token; every session ends, and so does a lockout.

        The same transaction can sign the user in, so that the owner of an account under attack
        does not have to be faster than the next lockout.

        A user with a second factor still needs it to sign in (ASVS 6.4.3). If the address was not
        verified before, the account may have been registered by another person: then every API key
        is revoked and the second factor removed, too, so that only the owner of the address has
        access.

        Args:
            token: The emailed token.
            new_password: The new password.
            revoke_api_keys: Whether to revoke every API key.
            sign_in: The origin of the request, to sign the user in; None to reset only.
            otp: A TOTP code or a recovery code, for signing in.
            by: The caller.

        Returns:
            The new session; None if the user is not signed in.

        Raises:
            SecondFactorCodeRequired: Signing in requires a code, which is missing or wrong. The
                password has not changed, and the token is still valid.
            TooManyAttempts: Too many codes were wrong; the next attempt has to wait.
            InvalidToken: The token is unknown, used or expired, or the password or the email
                address has changed since.
            WeakPassword: The new password is weak.
            Busy: The queue for hashes is full.
            Refused: A function of the operator refuses the sign-in. Nothing has changed, and the
                token is still valid.
            HookFailed: A function of the operator has failed; likewise.
        """
        row, user = OneTimeToken.get_valid(token, Purpose.RESET_PASSWORD)
        _require_current(row, user)
        self._validate_new(new_password, user)
        code, attempt = self._verify_code(user, otp, by) if sign_in else (None, None)
        if sign_in:
            user = self.sessions.admit(user, sign_in, code, attempt)
        password_hash = self.hasher.hash(new_password)

        def change(before: User) -> tuple[EmailKind, SessionOpening | None]:
            _require_current(row, before)
            after, events = _after_reset(before, password_hash, revoke_api_keys, by)
            opening = self.sessions.prepare(after, sign_in, code) if sign_in else None
            with by.transaction() as transaction:
                row.spend(transaction)
                if opening:
                    opening.save(transaction)
                if attempt:
                    attempt.forget(transaction)
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
            is_proven = before.email_verified
            if not is_proven:
                self._hooks.after_update(before, after, ("email_verified",), by)
            return EmailKind.PASSWORD_CHANGED if is_proven else EmailKind.ADDRESS_PROVEN, opening

        try:
            kind, opening = retry_on_conflict(user, None, change)
        except UserNotFound:
            raise InvalidToken from None
        self.emails.mailer.send(Email.to_user(kind, user, is_verified=True))
        return self.sessions.finish(opening) if opening else None

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
            unlocked = ended_lockout(user, "unlocked", by, has_reserved=False)
            if unlocked:
                transaction.save(unlocked)

    def _verify_current(self, password: str, attempt: Attempt, by: Actor) -> None:
        user = attempt.user
        if not self.hasher.verify(password, user.password_hash if user else None)[0]:
            record_failure(attempt, "wrong-password", by, self.emails.mailer)
            raise WrongPassword

    def _verify_code(
        self, user: User, otp: str | None, by: Actor
    ) -> tuple[VerifiedCode | None, Attempt | None]:
        """Verify the code of a client that has the emailed token.

        Only the owner of the mailbox can make these attempts, so they have a count of their own:
        a lockout by others does not keep the owner out (ASVS 6.1.1).
        """
        # The first proof of the address removes the second factor.
        if not user.email_verified or not user.has_second_factor:
            return None, None
        attempt = reserve_with_email(user)
        try:
            return self.sessions.second_factors.verify(user, otp), attempt
        except SecondFactorCodeRequired:
            record_failure(attempt, "second-factor", by, self.emails.mailer)
            raise

    def _make_reset_email(self, user: User) -> TokenEmail:
        row, token = OneTimeToken.new(user, Purpose.RESET_PASSWORD, user.email, self.reset_lifetime)
        minutes = int(self.reset_lifetime.total_seconds() // 60)
        email = Email.to_user(EmailKind.RESET_PASSWORD, user, token=token, minutes=minutes)
        return TokenEmail(row, email)

    def _validate_new(self, password: str, user: User) -> None:
        self.policy.validate(
            password,
            user.username or "",
            user.email,
            user.full_name or "",
            field="new_password",
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
    forget_devices(after)
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
    events = [
        AuditEvent.create(
            type, before.id, by, needs_cleanup=type != EventType.SECOND_FACTOR_DISABLED
        )
        for type in types
    ]
    unlocked = ended_lockout(before, "password-reset", by, has_reserved=False)
    return after, [*events, unlocked] if unlocked else events


def _require_current(row: OneTimeToken, user: User) -> None:
    is_current = row.session_epoch == user.session_epoch and row.email == user.email
    if not user.is_active or not is_current:
        raise InvalidToken
