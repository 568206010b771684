"""Records of requests with an idempotency key, in the table of reserved names."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Self

from pynamodb.attributes import TTLAttribute, UnicodeAttribute

from flask_pynamodb import Transaction, UniqueValue
from models.clock import now
from models.db import Table, db
from models.errors import IdempotencyKeyUsed
from models.security.idempotency import RequestDigests

# How long a repeat is recognized.
RETENTION = timedelta(hours=24)


class IdempotencyRecord(UniqueValue, Table):
    """One executed request. It is written under the condition that there is none.

    Its owner is the ID of what the request has created. The response is not stored.
    """

    class Meta:
        table_name = "identifiers"

    # These are null in the rows of names.
    body_digest = UnicodeAttribute(null=True)
    # From these two and the key of the client follows the secret that was created.
    nonce = UnicodeAttribute(null=True)
    key_id = UnicodeAttribute(null=True)
    # DynamoDB deletes the row later; the conditions compare the time.
    held_until = TTLAttribute(null=True)

    @property
    def is_held(self) -> bool:
        """Whether a repeat is still recognized."""
        return now() < self.held_until

    @classmethod
    def save_in(
        cls,
        transaction: Transaction,
        digests: RequestDigests,
        owner: str,
        *,
        nonce: str,
        key_id: str,
    ) -> None:
        """Write the record of a request that creates something.

        Args:
            transaction: The transaction that creates it.
            digests: The digests of the request.
            owner: The ID of what it creates.
            nonce: The random bytes that its secret follows from.
            key_id: The ID of the secret key that its secret follows from.

        Raises:
            IdempotencyKeyUsed: On commit, if the request was executed before.
        """
        row = cls(
            value=_key_of(digests),
            owner=owner,
            body_digest=digests.body,
            nonce=nonce,
            key_id=key_id,
            held_until=now() + RETENTION,
        )
        is_free = cls.value.does_not_exist() | (cls.held_until <= now())
        transaction.save(row, is_free, otherwise=IdempotencyKeyUsed())

    @classmethod
    def find(cls, digests: Sequence[RequestDigests]) -> tuple[Self, RequestDigests] | None:
        """Return the record of a request and the digests that it was found by, if there is one."""
        rows = db.get_many(*((cls, _key_of(each)) for each in digests))
        found = zip(rows, digests, strict=True)
        return next(((row, each) for row, each in found if row and row.is_held), None)

    def __repr__(self) -> str:
        return "<IdempotencyRecord>"


def _key_of(digests: RequestDigests) -> str:
    return f"request#{digests.request}"
