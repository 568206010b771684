"""The second factor of a user: the encrypted TOTP secret and the digests of recovery codes."""

from collections.abc import Iterator

from pynamodb.attributes import NumberAttribute, UnicodeAttribute, UnicodeSetAttribute
from pynamodb.expressions.condition import Condition

from flask_pynamodb import Transaction
from models.clock import TimestampAttribute
from models.db import Table, db
from models.tables.user import User


class SecondFactor(Table):
    """The second factor of one user.

    It counts from `confirmed_at` on, which is set when the user has proved possession with a code:
    a secret that never reached an authenticator must not lock the user out.
    `User.has_second_factor` mirrors it, and changes in the same transactions.
    """

    class Meta:
        table_name = "second_factors"

    user_id = UnicodeAttribute(hash_key=True)
    # Sealed, see models/security/totp.py. Sealing it again changes it.
    secret = UnicodeAttribute()
    # Random. Enrollments of 0.6 and earlier have none and are identified by their time.
    enrollment_id = UnicodeAttribute(null=True)
    created_at = TimestampAttribute()
    confirmed_at = TimestampAttribute(null=True)
    last_counter = NumberAttribute(null=True)
    recovery_digests: UnicodeSetAttribute = UnicodeSetAttribute(null=True)

    def is_same_enrollment(self) -> Condition:
        """Return the condition that the stored row is still this enrollment, confirmed or not.

        The secret may have been sealed again since.
        """
        condition: Condition = SecondFactor.created_at == self.created_at
        if self.enrollment_id is None:
            condition &= SecondFactor.enrollment_id.does_not_exist()
        else:
            condition &= SecondFactor.enrollment_id == self.enrollment_id
        return condition

    def __repr__(self) -> str:
        return f"<SecondFactor of {self.user_id}>"


def find(user: User) -> SecondFactor | None:
    """Return the second factor of a user, confirmed or not; strongly consistent."""
    try:
        return SecondFactor.get(user.id, consistent_read=True)
    except SecondFactor.DoesNotExist:
        return None


def scan(after: str | None = None, *, page_size: int = 500) -> Iterator[SecondFactor]:
    """Yield every row of the table, page by page; strongly consistent. For commands only.

    Args:
        after: The user ID after which to begin; it need not exist any more.
        page_size: The maximum number of rows of a page.
    """
    start = {"user_id": {"S": after}} if after else None
    with db.allow_scan():
        rows = SecondFactor.scan(
            consistent_read=True, page_size=page_size, last_evaluated_key=start
        )
    yield from rows


def delete(transaction: Transaction, user: User) -> None:
    """Delete a user's second factor in a transaction, if there is one."""
    transaction.delete(SecondFactor(user.id))
