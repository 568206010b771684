"""Sessions: sign in, reauthenticate, authenticate requests, list and end sessions."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from pynamodb.exceptions import UpdateError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from flask_pynamodb import error_code
from models.clock import now
from models.db import db
from models.email import Email, EmailKind, Mailer
from models.errors import (
    HookFailed,
    InvalidCredentials,
    Refused,
    SecondFactorCodeRequired,
    SessionNotFound,
    TooManyConflicts,
    Unauthenticated,
    UserNotFound,
    VersionMismatch,
)
from models.security.passwords import PasswordHasher
from models.services.hooks import NO_HOOKS, HookName, Hooks
from models.services.login_lookup import LoginLookup, find_user
from models.services.second_factors import SecondFactors, VerifiedCode
from models.services.session_cleanup import remove_ended_sessions
from models.services.session_limit import MAX_SESSIONS, end_oldest
from models.services.session_opening import OpenedSession, SessionOpening, amr_of
from models.services.sign_in_attempts import (
    Attempt,
    ended_lockout,
    record_failure,
    record_refusal,
    reserve_for_user,
    reserve_sign_in,
    take_back,
)
from models.services.statistics import Statistics
from models.services.user_update import Handover, apply_update, retry_on_conflict
from models.tables import session as sessions
from models.tables.audit_event import Actor, AuditEvent, EventType
from models.tables.daily_count import Counted
from models.tables.device import Device
from models.tables.login_attempts import reset_actions
from models.tables.session import AuthMethod, Client, Lifetimes, Session, SessionLookup
from models.tables.user import User

# Retries of a sign-in on an account that is updated concurrently.
_MAX_SIGN_IN_RETRIES = 5
# The user is being changed: the next sign-in replaces the hash.
_CHANGED = ("ConditionalCheckFailedException", "TransactionConflictException")


class SessionService:
    """Operations on sessions.

    Args:
        hasher: Verifies passwords.
        lifetimes: How long sessions last.
        second_factors: Verifies codes of users with a second factor.
        mailer: Notifies users.
        logins: Looks up users by login.
        requires_verified_email: Whether a user must verify the email address before signing in.
        statistics: Counts sign-ins.
        hooks: The functions of the operator.
    """

    def __init__(
        self,
        hasher: PasswordHasher,
        lifetimes: Lifetimes,
        *,
        second_factors: SecondFactors,
        mailer: Mailer,
        logins: LoginLookup,
        requires_verified_email: bool = False,
        statistics: Statistics | None = None,
        hooks: Hooks = NO_HOOKS,
    ) -> None:
        self.hasher = hasher
        self.lifetimes = lifetimes
        self.second_factors = second_factors
        self.mailer = mailer
        self.logins = logins
        self.requires_verified_email = requires_verified_email
        self._statistics = statistics or Statistics()
        self._hooks = hooks

    def sign_in(
        self,
        login: str,
        password: str,
        client: Client,
        otp: str | None = None,
        device_token: str | None = None,
    ) -> OpenedSession:
        """Sign a user in with a password.

        An attempt is reserved before the password is verified, so that parallel guesses cannot
        exceed the limit.

        Args:
            login: The username or the email address.
            password: The password as typed.
            client: The origin of the request.
            otp: A TOTP code or a recovery code.
            device_token: What an earlier sign-in of the same device returned.

        Raises:
            InvalidCredentials: The same for an unknown user, a wrong password and a user who may
                not sign in, after the same work.
            SecondFactorCodeRequired: The password is correct, the code is missing or wrong.
            TooManyAttempts: The next attempt has to wait, whether the password is correct or not.
            Busy: The queue for hashes is full. No attempt was counted.
            TooManyConflicts: Concurrent updates of the account kept winning.
            Refused: The credentials are correct, and a function of the operator refuses.
            HookFailed: The credentials are correct, and a function of the operator has failed.
        """
        with self.hasher.slot():
            attempt = reserve_sign_in(self.logins, login, device_token)
            device = attempt.device
            is_admitted = False
            for _ in range(_MAX_SIGN_IN_RETRIES):
                user, new_hash = self._verify_password(attempt, password, client)
                code = self._verify_code(attempt, user, otp, client, new_hash)
                if not is_admitted:
                    user = self.admit(user, client, code, attempt)
                    is_admitted = True
                try:
                    return self.create_session(
                        user,
                        client,
                        method=AuthMethod.PASSWORD,
                        new_hash=new_hash,
                        code=code,
                        device=device,
                        device_token=device_token,
                        is_admitted=True,
                    )
                except VersionMismatch:
                    attempt = replace(attempt, user=find_user(user.id))
                    # Its slot may have been taken by another device.
                    device = None
        raise TooManyConflicts

    def continue_sign_in(
        self,
        user_id: str,
        session_epoch: float,
        otp: str,
        client: Client,
        device_token: str | None = None,
    ) -> OpenedSession:
        """Sign in a user whose password was verified a short time before, with a code.

        Between the two steps only the ID and the epoch are kept, and never the password. A new
        password, a suspension and the end of all sessions raise the epoch.

        Args:
            user_id: The `subject` of the SecondFactorCodeRequired that `sign_in` has raised.
            session_epoch: Its `session_epoch`.
            otp: A TOTP code or a recovery code.
            client: The origin of the request.
            device_token: What an earlier sign-in of the same device returned.

        Raises:
            SecondFactorCodeRequired: The code is wrong.
            TooManyAttempts: The next attempt has to wait.
            Unauthenticated: The password has to be verified again.
            Refused: The code is correct, and a function of the operator refuses the sign-in.
            HookFailed: The code is correct, and a function of the operator has failed.
        """
        try:
            attempt = reserve_for_user(user_id, device_token)
        except UserNotFound:
            raise Unauthenticated from None
        user = attempt.user
        if user is None or user.session_epoch != session_epoch or not user.is_active:
            raise Unauthenticated
        code = self._verify_code(attempt, user, otp, client)
        user = self.admit(user, client, code, attempt)
        try:
            return self.create_session(
                user,
                client,
                method=AuthMethod.PASSWORD,
                code=code,
                device=attempt.device,
                device_token=device_token,
                is_admitted=True,
            )
        except VersionMismatch:
            raise Unauthenticated from None

    def reauthenticate(
        self,
        session: Session,
        password: str,
        client: Client,
        otp: str | None = None,
        device_token: str | None = None,
    ) -> OpenedSession:
        """Verify the password again and replace the session by a new one.

        Raises:
            InvalidCredentials: The password is wrong.
            SecondFactorCodeRequired: The password is correct, the code is missing or wrong.
            TooManyAttempts: The next attempt has to wait.
            Unauthenticated: The session has ended since it was read.
        """
        with self.hasher.slot():
            try:
                attempt = reserve_for_user(session.user_id, device_token)
            except UserNotFound:
                raise Unauthenticated from None
            user, new_hash = self._verify_password(attempt, password, client)
            code = self._verify_code(attempt, user, otp, client, new_hash)
            try:
                return self.create_session(
                    user,
                    client,
                    method=AuthMethod.PASSWORD,
                    new_hash=new_hash,
                    code=code,
                    device=attempt.device,
                    device_token=device_token,
                    replaced=session,
                )
            except VersionMismatch:
                raise Unauthenticated from None

    def create_session(
        self,
        user: User,
        client: Client,
        *,
        method: AuthMethod,
        code: VerifiedCode | None = None,
        new_hash: str | None = None,
        device: Device | None = None,
        device_token: str | None = None,
        replaced: Session | None = None,
        is_admitted: bool = False,
    ) -> OpenedSession:
        """Create a session for a user whose first factor was verified.

        Every way of signing in ends here. The transaction fails if the user's sessions were ended,
        a second factor was enabled, or the verified password was replaced since the user was read.

        Args:
            user: The user as read for the verification.
            client: The origin of the request.
            method: The first factor that was verified.
            code: The verified code of the second factor, None if the user has none.
            new_hash: A hash of the password to store, if the old one is outdated.
            device: The known device that the user signs in on.
            device_token: The token of this device.
            replaced: A session that ends in the same transaction; this is no sign-in.
            is_admitted: Whether `admit` was called.

        Raises:
            VersionMismatch: The user has changed in one of these ways since it was read, or the
                device is no longer known.
            SecondFactorCodeRequired: The code was used concurrently.
            Unauthenticated: The replaced session has ended.
            Refused: A function of the operator refuses the sign-in.
            HookFailed: A function of the operator has failed.
        """
        if not (replaced or is_admitted):
            user = self.admit(user, client, code, method=method)
        opening = SessionOpening.prepare(
            user,
            client,
            self.lifetimes,
            type=EventType.SESSION_RENEWED if replaced else EventType.SESSION_OPENED,
            method=method,
            code=code,
            device=device,
            device_token=device_token,
            is_new_device=replaced is None,
        )
        by = Actor.from_client(client, user.id)
        # The attempts of a known device are counted apart from those of all others.
        unlocked = None if device else ended_lockout(user, "signed-in", by)
        with db.transaction() as transaction:
            if replaced:
                # A session ended by the epoch may still have its row.
                is_active = Session.session_epoch == user.session_epoch
                transaction.delete(replaced, is_active, otherwise=Unauthenticated())
            opening.save(transaction)
            transaction.update(
                user,
                _actions(opening, new_hash, is_replacement=replaced is not None),
                _is_still_verified(user, method, code),
                otherwise=VersionMismatch(),
            )
            if unlocked:
                transaction.save(unlocked)
        if not replaced and (user.session_rows or 0) >= MAX_SESSIONS:
            with suppress(UserNotFound):
                end_oldest(user, opening.session, by)
        user.last_login_at = opening.session.created_at
        return self.finish(opening)

    def admit(
        self,
        user: User,
        client: Client,
        code: VerifiedCode | None,
        attempt: Attempt | None = None,
        *,
        method: AuthMethod = AuthMethod.PASSWORD,
    ) -> User:
        """Let the operator refuse a user whose credentials were verified, once for each request.

        The attempt does not count as a failure, so that no user is locked out while a function of
        the operator refuses all, or fails.

        Args:
            user: The user as read for the verification.
            client: The origin of the request.
            code: The verified code of the second factor.
            attempt: The reserved attempt, if one was verified in this request.
            method: The first factor that was verified.

        Returns:
            The user, with what the operator has added to `app_metadata`.

        Raises:
            Refused: The sign-in is refused.
            HookFailed: The function has failed.
        """
        if not self._hooks.asks(HookName.BEFORE_SIGN_IN):
            return user
        by = Actor.from_client(client, user.id)
        try:
            added = self._hooks.before_sign_in(user, by, amr_of(method, code))
            return self._extended(user, added, by)
        except (Refused, HookFailed) as error:
            if attempt:
                take_back(attempt)
            if isinstance(error, Refused):
                record_refusal(user, Actor.from_client(client))
                self._statistics.count(Counted.FAILED_SIGN_INS)
            raise

    def _extended(self, user: User, added: Mapping[str, Any], by: Actor) -> User:
        """Return a user after something was added to its `app_metadata`, in a transaction."""
        if not added:
            return user

        def extend(current: User) -> User:
            new = self._hooks.extended(HookName.BEFORE_SIGN_IN, current, added)
            return apply_update(current, {"app_metadata": new}, by, Handover())

        return retry_on_conflict(user, None, extend)

    def prepare(self, user: User, client: Client, code: VerifiedCode | None) -> SessionOpening:
        """Return a session for a user who is about to be written with a new password.

        Args:
            user: The user as it will be written; this sets the fields that change with a session.
            client: The origin of the request.
            code: The verified code of the second factor, None if the user has none.

        Raises:
            SecondFactorCodeRequired: The user has a second factor, and no code was verified.
        """
        if user.has_second_factor and code is None:
            raise SecondFactorCodeRequired
        opening = SessionOpening.prepare(user, client, self.lifetimes, code=code)
        user.last_login_at = opening.session.created_at
        # Those of the ended sessions are about to be removed.
        user.session_rows = 1
        user.devices_issued = 1
        return opening

    def finish(self, opening: SessionOpening) -> OpenedSession:
        """Return a session that was stored, after what follows outside of its transaction."""
        opened = opening.finish(self.mailer)
        if opening.is_sign_in:
            self._statistics.count(Counted.SIGN_INS)
            self._hooks.after_sign_in(opening.user, opening.session)
        return opened

    def authenticate(self, token: str, *, other_user_id: str | None = None) -> SessionLookup:
        """Return the active session of a token, and its user, in one round trip.

        Now and then it also records that the session is in use.

        Args:
            token: The token that the caller presented.
            other_user_id: A second user to read in the same round trip.

        Raises:
            Unauthenticated: The token belongs to no active session of an active user.
        """
        return self._admit(sessions.find(token, other_user_id=other_user_id))

    def authenticate_id(self, user_id: str, id: str) -> SessionLookup:
        """Return an active session of a user, for an access token that was issued for it.

        Raises:
            Unauthenticated: The user has no active session with this ID.
        """
        return self._admit(sessions.find_by_id(user_id, id))

    def list_for(self, user: User) -> list[Session]:
        """Return the active sessions of a user, newest first."""
        return [row for row in sessions.sessions_of(user.id) if row.is_active_for(user)]

    def end(self, user: User, session_id: str, *, by: Actor) -> None:
        """End one session of a user.

        Raises:
            SessionNotFound: The user has no such session.
        """
        if not sessions.is_session_id(session_id):
            raise SessionNotFound
        with by.transaction() as transaction:
            transaction.delete(
                Session(user.id, session_id),
                Session.token_digest.exists(),
                otherwise=SessionNotFound(),
            )
            transaction.save(AuditEvent.create(EventType.SESSION_ENDED, user.id, by))

    def end_all(self, user: User, *, by: Actor) -> None:
        """End every session of a user at once.

        Raises:
            UserNotFound: The user is gone, and its sessions with it.
            Unauthenticated: The user is gone and was the caller.
        """
        is_gone = Unauthenticated() if by.user_id == user.id else UserNotFound()
        event = AuditEvent.create(EventType.SESSIONS_ENDED, user.id, by, needs_cleanup=True)
        epoch = user.session_epoch + 1
        with by.transaction() as transaction:
            transaction.update(
                user,
                [
                    User.session_epoch.add(1),
                    User.device_epoch.add(1),
                    User.devices_issued.remove(),
                ],
                User.id.exists(),
                otherwise=is_gone,
            )
            transaction.save(event)
        remove_ended_sessions(event, before_epoch=epoch)

    def _admit(self, found: SessionLookup | None) -> SessionLookup:
        """Return a session that is active, and record that it is in use."""
        if found is None or not found.session.is_active_for(found.user):
            raise Unauthenticated
        found.session.touch(self.lifetimes)
        return found

    def _verify_password(
        self, attempt: Attempt, password: str, client: Client
    ) -> tuple[User, str | None]:
        """Return the user who may sign in with the password, and a new hash if one is needed."""
        user = attempt.user
        matches, new_hash = self.hasher.verify(password, user.password_hash if user else None)
        reason = self._failure_reason(user, matches)
        if user is None or reason:
            record_failure(attempt, reason, Actor.from_client(client), self.mailer)
            self._statistics.count(Counted.FAILED_SIGN_INS)
            error = InvalidCredentials()
            error.subject = attempt.subject
            raise error
        return user, new_hash

    def _failure_reason(self, user: User | None, matches: bool) -> str | None:
        if user is None:
            return "unknown-login"
        if not matches:
            return "wrong-password" if user.password_hash else "no-password"
        if not user.is_active:
            return str(user.status)
        if self.requires_verified_email and not user.email_verified:
            return "email-not-verified"
        return None

    def _verify_code(
        self,
        attempt: Attempt,
        user: User,
        otp: str | None,
        client: Client,
        new_hash: str | None = None,
    ) -> VerifiedCode | None:
        try:
            return self.second_factors.verify(user, otp)
        except SecondFactorCodeRequired as error:
            if new_hash:
                # The step with the code does not have the password.
                _replace_hash(user, new_hash)
            record_failure(
                attempt,
                "second-factor",
                Actor.from_client(client),
                self.mailer,
            )
            # Without a code the client only learns that one is needed.
            if otp:
                self._statistics.count(Counted.FAILED_SIGN_INS)
                self.mailer.send(Email.to_user(EmailKind.WRONG_CODE, user))
            error.subject = attempt.subject
            error.session_epoch = user.session_epoch
            raise


def _actions(
    opening: SessionOpening, new_hash: str | None, *, is_replacement: bool
) -> list[Action]:
    """Return the changes of a user that come with a new session."""
    actions: list[Action] = [User.last_login_at.set(opening.session.created_at)]
    if not opening.known_device:
        actions += reset_actions(User)
    if new_hash:
        actions.append(User.password_hash.set(new_hash))
    if not is_replacement:
        actions.append(User.session_rows.add(1))
    if opening.new_device:
        actions.append(User.devices_issued.add(1))
    if opening.notifies_of_device:
        actions.append(User.new_device_notified_at.set(now()))
    return actions


def _replace_hash(user: User, new_hash: str) -> None:
    """Store a new hash of the same password, unless it was changed meanwhile."""
    try:
        user.update([User.password_hash.set(new_hash)], User.password_hash == user.password_hash)
    except UpdateError as error:
        if error_code(error) not in _CHANGED:
            raise


def _is_still_verified(user: User, method: AuthMethod, code: VerifiedCode | None) -> Condition:
    """Return the condition that what was verified still holds.

    The version is not part of it: a sign-in must not fail because of an unrelated update. The
    epoch is, since it rises with a suspension and a new password.
    """
    condition: Condition = User.session_epoch == user.session_epoch
    if method is AuthMethod.PASSWORD:
        condition &= User.password_hash == user.password_hash
    if code is None:
        # A second factor that was enabled since is required from now on.
        condition &= ~(User.has_second_factor == True)  # noqa: E712 - a condition of DynamoDB's
    return condition
