"""Second factors: set up, confirmed, asked for at sign-in, renewed and turned off.

A user has one secret, which an authenticator turns into codes, and recovery codes for the day
the authenticator is lost. Each code works once: the sign-in that takes it marks it as used in its
own transaction, under the condition that nobody has done so before.
"""

from dataclasses import dataclass, field
from datetime import datetime

from pynamodb.attributes import NumberAttribute, UnicodeAttribute, UnicodeSetAttribute
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from flask_pynamodb import Transaction
from models.clock import TimestampAttribute, now
from models.db import db
from models.email import Email, EmailKind, Mailer
from models.errors import (
    InvalidField,
    SecondFactorAlreadyEnabled,
    SecondFactorCodeRequired,
    SecondFactorNotEnabled,
    Unauthenticated,
    UserNotFound,
)
from models.security.totp import NewSecret, Totp, digest_of, new_recovery_codes
from models.tables.audit_event import Actor, AuditEvent, EventType
from models.tables.user import User

_WRONG = "The code is wrong, or was used before. Send the next one as `otp`."


class SecondFactor(db.Model):  # type: ignore[misc,name-defined]
    """The second factor of one user.

    It counts from `confirmed_at` on, which comes when the user has shown a code: a secret that no
    authenticator has learned must lock nobody out. `User.has_second_factor` says the same, and
    changes in the same transactions.
    """

    class Meta:
        table_name = "second_factors"

    user_id = UnicodeAttribute(hash_key=True)
    # Encrypted, see models/totp.py. It differs each time, so that it also tells one enrolment
    # from another in conditions.
    secret = UnicodeAttribute()
    created_at = TimestampAttribute()
    confirmed_at = TimestampAttribute(null=True)
    last_counter = NumberAttribute(null=True)
    recovery_digests: UnicodeSetAttribute = UnicodeSetAttribute(null=True)

    def is_same(self) -> Condition:
        """That the stored row is still this enrolment, confirmed or not."""
        condition: Condition = SecondFactor.secret == self.secret
        return condition

    def __repr__(self) -> str:
        return f"<SecondFactor of {self.user_id}>"


@dataclass(frozen=True)
class SecondFactorStatus:
    """What may be shown of a second factor.

    Attributes:
        enabled_at: When it was confirmed, None if the user has none.
        recovery_codes_left: How many are not used yet.
    """

    enabled_at: datetime | None = None
    recovery_codes_left: int = 0

    @property
    def enabled(self) -> bool:
        """Whether signing in asks for a code."""
        return self.enabled_at is not None


@dataclass(frozen=True)
class VerifiedCode:
    """A code that was right when it was looked at; the transaction that it is for spends it.

    Attributes:
        user: Whose.
        left: How many recovery codes are left, None if it was the authenticator's code.
    """

    user: User
    _condition: Condition = field(repr=False)
    _action: Action = field(repr=False)
    left: int | None = None

    def write(self, transaction: Transaction) -> None:
        """Spend the code: of those who bring the same one, the transaction of one succeeds.

        The transaction is refused with SecondFactorCodeRequired if somebody was faster.
        """
        transaction.update(
            SecondFactor(self.user.id),
            [self._action],
            self._condition,
            otherwise=SecondFactorCodeRequired(_WRONG),
        )

    def tell(self, mailer: Mailer) -> None:
        """Tell the user if it was a recovery code: somebody may have found the paper."""
        if self.left is not None:
            to, username = self.user.email, self.user.username
            mailer.send(Email(EmailKind.RECOVERY_CODE_USED, to, username, detail=str(self.left)))


class SecondFactors:
    """Operations on second factors.

    Args:
        vault: Makes and compares codes.
        mailer: Tells users what they should know.
    """

    def __init__(self, vault: Totp, mailer: Mailer) -> None:
        self.vault = vault
        self.mailer = mailer

    def status(self, user: User) -> SecondFactorStatus:
        """Whether the user has one, and how many recovery codes are left."""
        row = _find(user) if user.has_second_factor else None
        if row is None:
            return SecondFactorStatus()
        return SecondFactorStatus(row.confirmed_at, len(row.recovery_digests or ()))

    def enrol(self, user: User, by: Actor) -> NewSecret:
        """Make a secret, which counts when it is confirmed; it replaces one that is not.

        Raises:
            SecondFactorAlreadyEnabled: The user has a second factor.
            Unauthenticated: The user's sessions were ended in the meantime.
        """
        made = self.vault.new(user.username)
        row = SecondFactor(user.id, secret=made.stored, created_at=now())
        with db.transaction() as transaction:
            _still_signed_in(transaction, user)
            transaction.save(
                row,
                SecondFactor.confirmed_at.does_not_exist(),
                otherwise=SecondFactorAlreadyEnabled(),
            )
            transaction.save(AuditEvent.create(EventType.SECOND_FACTOR_ENROLLED, user.id, by))
        return made

    def confirm(self, user: User, otp: str, by: Actor) -> list[str]:
        """Turn the second factor on with a first code, which is spent by it.

        Returns:
            The recovery codes, which are kept nowhere. Whoever never sees them, since the answer
            got lost, asks for others with `renew_recovery_codes`.

        Raises:
            InvalidField: The code is wrong.
            SecondFactorNotEnabled: No secret waits to be confirmed.
            Unauthenticated: The user's sessions were ended in the meantime.
        """
        row = _find(user)
        if row is None or row.confirmed_at:
            raise SecondFactorNotEnabled
        counter = self.vault.match(row.secret, otp)
        if counter is None:
            raise InvalidField("otp", "This is not the code that the authenticator shows now.")
        codes = new_recovery_codes()
        with db.transaction() as transaction:
            transaction.update(
                row,
                [
                    SecondFactor.confirmed_at.set(now()),
                    SecondFactor.last_counter.set(counter),
                    SecondFactor.recovery_digests.set(_digests(codes)),
                ],
                row.is_same() & SecondFactor.confirmed_at.does_not_exist(),
                otherwise=SecondFactorNotEnabled(),
            )
            transaction.update(
                user,
                [User.has_second_factor.set(True)],
                User.session_epoch == user.session_epoch,
                otherwise=Unauthenticated(),
            )
            transaction.save(AuditEvent.create(EventType.SECOND_FACTOR_ENABLED, user.id, by))
        self._tell(user, EmailKind.SECOND_FACTOR_ENABLED)
        return codes

    def renew_recovery_codes(self, user: User, by: Actor) -> list[str]:
        """Make other recovery codes in place of all that there are.

        Raises:
            SecondFactorNotEnabled: The user has no second factor.
            Unauthenticated: The user's sessions were ended in the meantime.
        """
        codes = new_recovery_codes()
        with db.transaction() as transaction:
            _still_signed_in(transaction, user)
            transaction.update(
                SecondFactor(user.id),
                [SecondFactor.recovery_digests.set(_digests(codes))],
                SecondFactor.confirmed_at.exists(),
                otherwise=SecondFactorNotEnabled(),
            )
            transaction.save(AuditEvent.create(EventType.RECOVERY_CODES_RENEWED, user.id, by))
        return codes

    def disable(self, user: User, by: Actor) -> None:
        """Turn the second factor off, with its recovery codes.

        Raises:
            SecondFactorNotEnabled: The user has no second factor.
            UserNotFound: The user is gone.
        """
        with db.transaction() as transaction:
            transaction.delete(
                SecondFactor(user.id),
                SecondFactor.confirmed_at.exists(),
                otherwise=SecondFactorNotEnabled(),
            )
            transaction.update(
                user,
                [User.has_second_factor.set(False)],
                User.id.exists(),
                otherwise=UserNotFound(),
            )
            transaction.save(AuditEvent.create(EventType.SECOND_FACTOR_DISABLED, user.id, by))
        self._tell(user, EmailKind.SECOND_FACTOR_DISABLED)

    def check(self, user: User, otp: str | None) -> VerifiedCode | None:
        """Look at the code of somebody who signs in, whose password is right.

        Returns:
            What the transaction of the sign-in has to write; None if the user needs no code.

        Raises:
            SecondFactorCodeRequired: The code is missing, wrong or used.
        """
        if not user.has_second_factor:
            return None
        if not otp:
            raise SecondFactorCodeRequired
        row = _find(user)
        proof = row and (self._by_clock(user, row, otp) or _by_paper(user, row, otp))
        if not proof:
            raise SecondFactorCodeRequired(_WRONG)
        return proof

    def _by_clock(self, user: User, row: SecondFactor, otp: str) -> VerifiedCode | None:
        # Where the user is beginning anew at this very moment, the row has no counter and no
        # recovery codes yet: it proves nothing.
        if row.last_counter is None:
            return None
        counter = self.vault.match(row.secret, otp, after=int(row.last_counter))
        if counter is None:
            return None
        is_unused = row.is_same() & (SecondFactor.last_counter < counter)
        return VerifiedCode(user, is_unused, SecondFactor.last_counter.set(counter))

    def _tell(self, user: User, kind: EmailKind) -> None:
        self.mailer.send(Email(kind, user.email, user.username))


def forget(transaction: Transaction, user: User) -> None:
    """Delete a user's second factor in a transaction, whether there is one or not."""
    transaction.delete(SecondFactor(user.id))


def _by_paper(user: User, row: SecondFactor, code: str) -> VerifiedCode | None:
    digest = digest_of(code)
    if digest is None or digest not in (row.recovery_digests or ()):
        return None
    is_unused = row.is_same() & SecondFactor.recovery_digests.contains(digest)
    left = len(row.recovery_digests) - 1
    return VerifiedCode(user, is_unused, SecondFactor.recovery_digests.delete({digest}), left)


def _find(user: User) -> SecondFactor | None:
    try:
        return SecondFactor.get(user.id, consistent_read=True)  # type: ignore[no-any-return]
    except SecondFactor.DoesNotExist:
        return None


def _still_signed_in(transaction: Transaction, user: User) -> None:
    """Refuse whoever ended the sessions of a stolen account a second factor of the thief's."""
    transaction.condition_check(
        User,
        user.id,
        condition=User.session_epoch == user.session_epoch,
        otherwise=Unauthenticated(),
    )


def _digests(codes: list[str]) -> set[str]:
    return {digest for digest in map(digest_of, codes) if digest}
