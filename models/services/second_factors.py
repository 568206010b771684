"""Second factors: enroll, confirm, verify at sign-in, renew recovery codes, disable.

A user has one secret, from which an authenticator app computes codes, and recovery codes for the
loss of the authenticator. Each code works once: the sign-in that accepts it marks it as used in
its own transaction, under the condition that it was not used before.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import uuid4

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from flask_pynamodb import Transaction
from models.clock import now
from models.email import Email, EmailKind, Mailer
from models.errors import (
    InvalidField,
    SecondFactorAlreadyEnabled,
    SecondFactorCodeRequired,
    SecondFactorNotEnabled,
    Unauthenticated,
    UserNotFound,
)
from models.security.totp import MatchedCode, NewSecret, Totp, digest_of, new_recovery_codes
from models.services.session_cleanup import remove_ended_sessions
from models.services.sign_in_attempts import Attempt, record_failure, reserve_for_user
from models.tables import second_factor
from models.tables.audit_event import Actor, AuditEvent, EventType
from models.tables.login_attempts import reset_actions
from models.tables.second_factor import SecondFactor
from models.tables.session import AuthMethod, Session
from models.tables.user import User

# A secret on a screen that was left alone must not be confirmed by another person later.
ENROLLMENT_LIFETIME = timedelta(minutes=10)
CONFIRMATION_REPEATABLE_FOR = timedelta(minutes=10)
_WRONG_CODE = "The code is wrong, or was used before. Send the next one as `otp`."


@dataclass(frozen=True)
class SecondFactorStatus:
    """What may be shown of a second factor.

    Attributes:
        enabled_at: When it was confirmed, None if the user has none.
        recovery_codes_left: The number of unused recovery codes.
    """

    enabled_at: datetime | None = None
    recovery_codes_left: int = 0

    @property
    def enabled(self) -> bool:
        """Whether signing in requires a code."""
        return self.enabled_at is not None


@dataclass(frozen=True)
class VerifiedCode:
    """A code that was valid when verified; the transaction that accepts it must consume it.

    Attributes:
        user: The owner.
        recovery_codes_left: The remaining recovery codes, None for a TOTP code.
    """

    user: User
    _condition: Condition = field(repr=False)
    _actions: list[Action] = field(repr=False)
    recovery_codes_left: int | None = None

    @property
    def kind(self) -> str:
        """Which kind of code it is, as audit events call it."""
        return "totp" if self.recovery_codes_left is None else "recovery-code"

    def consume(self, transaction: Transaction) -> None:
        """Mark the code as used; of concurrent transactions with the same code one succeeds.

        The others fail with SecondFactorCodeRequired.
        """
        transaction.update(
            SecondFactor(self.user.id),
            self._actions,
            self._condition,
            otherwise=SecondFactorCodeRequired(_WRONG_CODE),
        )

    def notify(self, mailer: Mailer) -> None:
        """Notify the user of a used recovery code, which a thief may have found."""
        if self.recovery_codes_left is not None:
            left = str(self.recovery_codes_left)
            mailer.send(Email.to_user(EmailKind.RECOVERY_CODE_USED, self.user, detail=left))


class SecondFactors:
    """Operations on second factors.

    Args:
        totp: Creates secrets and verifies codes.
        mailer: Notifies users.
    """

    def __init__(self, totp: Totp, mailer: Mailer) -> None:
        self.totp = totp
        self.mailer = mailer

    def status(self, user: User) -> SecondFactorStatus:
        """Return whether the user has a second factor, and how many recovery codes are left."""
        row = second_factor.find(user) if user.has_second_factor else None
        if row is None:
            return SecondFactorStatus()
        return SecondFactorStatus(row.confirmed_at, len(row.recovery_digests or ()))

    def enroll(self, user: User, by: Actor) -> NewSecret:
        """Create a secret that counts once it is confirmed; it replaces an unconfirmed one.

        Raises:
            SecondFactorAlreadyEnabled: The user has a second factor.
            Unauthenticated: The user's sessions were ended since it was read.
        """
        secret = self.totp.new(user.account_name, user.id)
        row = SecondFactor(
            user.id, secret=secret.stored, enrollment_id=str(uuid4()), created_at=now()
        )
        with by.transaction() as transaction:
            _require_same_epoch(transaction, user)
            transaction.save(
                row,
                SecondFactor.confirmed_at.does_not_exist(),
                otherwise=SecondFactorAlreadyEnabled(),
            )
            transaction.save(AuditEvent.create(EventType.SECOND_FACTOR_ENROLLED, user.id, by))
        return secret

    def confirm(
        self, user: User, otp: str, by: Actor, *, session: Session | None = None
    ) -> list[str]:
        """Enable the second factor with a first code, which counts as used.

        All sessions of the user end, except this one, which has now used the second factor. A
        wrong code counts as a login attempt, so that a stolen session cannot be used to guess it.

        The response may be lost, and with it the only copy of the recovery codes. So the session
        that stays can repeat the request, with the same code, for 10 minutes, unless a code was
        used or the recovery codes were renewed since. It gets the same recovery codes.

        Args:
            user: The user as read.
            otp: The first code.
            by: The caller.
            session: The session that stays, None if all end.

        Returns:
            The recovery codes, which are not stored.

        Raises:
            InvalidField: The code is wrong.
            SecondFactorNotEnabled: No secret is waiting for confirmation, or it waited too long;
                or a second factor is enabled, and this is no repeated request.
            TooManyAttempts: Too many attempts have failed; no code is verified for a while.
            Unauthenticated: The user's sessions were ended since it was read.
        """
        row = second_factor.find(user)
        if row and row.confirmed_at:
            return self._repeat_confirmation(user, row, otp, by, session)
        if row is None or now() - row.created_at > ENROLLMENT_LIFETIME:
            raise SecondFactorNotEnabled
        match = self._match_first_code(user, row, otp, by)
        codes = self._first_recovery_codes(row) or new_recovery_codes()
        event = AuditEvent.create(EventType.SECOND_FACTOR_ENABLED, user.id, by, needs_cleanup=True)
        with by.transaction() as transaction:
            transaction.update(
                row,
                [
                    SecondFactor.confirmed_at.set(now()),
                    *_accept(match),
                    SecondFactor.recovery_digests.set(_digests(codes)),
                ],
                row.is_same_enrollment() & SecondFactor.confirmed_at.does_not_exist(),
                otherwise=SecondFactorNotEnabled(),
            )
            transaction.update(
                user,
                [User.has_second_factor.set(True), User.session_epoch.add(1), *reset_actions(User)],
                _is_same_epoch(user),
                otherwise=Unauthenticated(),
            )
            if session:
                amr = list(dict.fromkeys([*session.methods, AuthMethod.OTP]))
                session.keep(transaction, user.session_epoch, amr=amr)
            transaction.save(event)
        user.session_epoch += 1
        remove_ended_sessions(event, before_epoch=user.session_epoch)
        self._notify(user, EmailKind.SECOND_FACTOR_ENABLED)
        return codes

    def renew_recovery_codes(
        self, user: User, by: Actor, *, session: Session | None = None
    ) -> list[str]:
        """Replace all recovery codes by new ones; all sessions end, except this one.

        Raises:
            SecondFactorNotEnabled: The user has no second factor.
            Unauthenticated: The user's sessions were ended since it was read.
        """
        codes = new_recovery_codes()
        event = AuditEvent.create(EventType.RECOVERY_CODES_RENEWED, user.id, by, needs_cleanup=True)
        with by.transaction() as transaction:
            transaction.update(
                SecondFactor(user.id),
                [SecondFactor.recovery_digests.set(_digests(codes))],
                SecondFactor.confirmed_at.exists(),
                otherwise=SecondFactorNotEnabled(),
            )
            _end_other_sessions(
                transaction, user, session, _is_same_epoch(user), otherwise=Unauthenticated()
            )
            transaction.save(event)
        user.session_epoch += 1
        remove_ended_sessions(event, before_epoch=user.session_epoch)
        return codes

    def disable(self, user: User, by: Actor, *, session: Session | None = None) -> None:
        """Disable the second factor and delete its recovery codes.

        All sessions of the user end, except this one.

        Raises:
            SecondFactorNotEnabled: The user has no second factor.
            UserNotFound: The user is gone.
            Unauthenticated: The session that stays has ended.
        """
        event = AuditEvent.create(EventType.SECOND_FACTOR_DISABLED, user.id, by, needs_cleanup=True)
        with by.transaction() as transaction:
            transaction.delete(
                SecondFactor(user.id),
                SecondFactor.confirmed_at.exists(),
                otherwise=SecondFactorNotEnabled(),
            )
            _end_other_sessions(
                transaction,
                user,
                session,
                _is_same_epoch(user) if session else User.id.exists(),
                User.has_second_factor.set(False),
                otherwise=Unauthenticated() if session else UserNotFound(),
            )
            transaction.save(event)
        user.session_epoch += 1
        remove_ended_sessions(event, before_epoch=user.session_epoch)
        self._notify(user, EmailKind.SECOND_FACTOR_DISABLED)

    def verify(self, user: User, otp: str | None) -> VerifiedCode | None:
        """Verify the code of a user whose password is correct.

        Returns:
            The code, for the transaction of the sign-in to consume; None if the user needs none.

        Raises:
            SecondFactorCodeRequired: The code is missing, wrong or used.
            UnreadableSecret: No configured key opens the secret.
        """
        if not user.has_second_factor:
            return None
        if not otp:
            raise SecondFactorCodeRequired
        row = second_factor.find(user)
        code = row and (self._match_totp(user, row, otp) or _match_recovery_code(user, row, otp))
        if not code:
            raise SecondFactorCodeRequired(_WRONG_CODE)
        return code

    def _match_first_code(self, user: User, row: SecondFactor, otp: str, by: Actor) -> MatchedCode:
        """Match a first code, after reserving an attempt."""
        attempt = _reserve(user)
        match = self.totp.match(row.secret, otp, user_id=user.id)
        if match is None:
            record_failure(attempt, "second-factor", by, self.mailer)
            raise InvalidField("otp", "This is not the code that the authenticator shows now.")
        return match

    def _repeat_confirmation(
        self, user: User, row: SecondFactor, otp: str, by: Actor, session: Session | None
    ) -> list[str]:
        """Return the recovery codes of a confirmation again; the code must be the same."""
        codes = self._first_recovery_codes(row)
        is_unchanged = codes is not None and _digests(codes) == row.recovery_digests
        is_recent = now() - row.confirmed_at <= CONFIRMATION_REPEATABLE_FOR
        if not (codes and is_unchanged and is_recent and session and session.used_second_factor):
            raise SecondFactorNotEnabled
        attempt, counter = _reserve(user), int(row.last_counter)
        if not self.totp.is_code_of(row.secret, otp, user_id=user.id, counter=counter):
            record_failure(attempt, "second-factor", by, self.mailer)
            raise SecondFactorNotEnabled
        with by.transaction() as transaction:
            transaction.update(
                user, reset_actions(User), _is_same_epoch(user), otherwise=Unauthenticated()
            )
        return codes

    def _first_recovery_codes(self, row: SecondFactor) -> list[str] | None:
        """Return the recovery codes that an enrollment begins with; None for one of 0.6."""
        if row.enrollment_id is None:
            return None
        return self.totp.recovery_codes(row.secret, row.enrollment_id, user_id=row.user_id)

    def _match_totp(self, user: User, row: SecondFactor, otp: str) -> VerifiedCode | None:
        # During a concurrent new enrollment the row has neither a counter nor recovery codes yet:
        # it proves nothing.
        if row.last_counter is None:
            return None
        match = self.totp.match(row.secret, otp, user_id=user.id, after=int(row.last_counter))
        if match is None:
            return None
        is_unused = row.is_same_enrollment() & (SecondFactor.last_counter < match.counter)
        return VerifiedCode(user, is_unused, _accept(match))

    def _notify(self, user: User, kind: EmailKind) -> None:
        self.mailer.send(Email.to_user(kind, user))


def _reserve(user: User) -> Attempt:
    try:
        return reserve_for_user(user.id)
    except UserNotFound:
        raise Unauthenticated from None


def _match_recovery_code(user: User, row: SecondFactor, code: str) -> VerifiedCode | None:
    digest = digest_of(code)
    if digest is None or digest not in (row.recovery_digests or ()):
        return None
    is_unused = row.is_same_enrollment() & SecondFactor.recovery_digests.contains(digest)
    left = len(row.recovery_digests) - 1
    return VerifiedCode(user, is_unused, [SecondFactor.recovery_digests.delete({digest})], left)


def _accept(match: MatchedCode) -> list[Action]:
    """Mark a code as used, and store the secret that was sealed again, if it was."""
    actions: list[Action] = [SecondFactor.last_counter.set(match.counter)]
    if match.resealed:
        actions.append(SecondFactor.secret.set(match.resealed))
    return actions


def _require_same_epoch(transaction: Transaction, user: User) -> None:
    """Fail if the user's sessions were ended since: a thief must not enroll a second factor."""
    transaction.condition_check(
        User, user.id, condition=_is_same_epoch(user), otherwise=Unauthenticated()
    )


def _is_same_epoch(user: User) -> Condition:
    condition: Condition = User.session_epoch == user.session_epoch
    return condition


def _end_other_sessions(
    transaction: Transaction,
    user: User,
    session: Session | None,
    condition: Condition,
    *actions: Action,
    otherwise: Exception,
) -> None:
    """Raise the epoch of a user, with other actions on it, and keep one session."""
    transaction.update(user, [User.session_epoch.add(1), *actions], condition, otherwise=otherwise)
    if session:
        session.keep(transaction, user.session_epoch)


def _digests(codes: list[str]) -> set[str]:
    return {digest for digest in map(digest_of, codes) if digest}
