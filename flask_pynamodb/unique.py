"""Unique attributes: the constraint that DynamoDB lacks, as claims in a table of their own.

A claim is put under the condition that nobody has it, in the transaction that writes its item.
Two writers can then never both have one value, whatever they asked before.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pynamodb.attributes import UnicodeAttribute

from flask_pynamodb.errors import NotUnique, VersionConflict
from flask_pynamodb.transaction import Transaction

if TYPE_CHECKING:
    from flask_pynamodb.model import Model


class UniqueClaim:
    """One claimed value. Derive a model from `db.Model` and this.

    Example:
        >>> class Claim(UniqueClaim, db.Model):
        ...     pass
        >>> user.save_unique(Claim, {"email": user.email.lower()})
    """

    value = UnicodeAttribute(hash_key=True)
    owner = UnicodeAttribute()

    @classmethod
    def claim(
        cls, transaction: Transaction, value: str, owner: str, *, otherwise: Exception
    ) -> None:
        """Claim a value in a transaction; `otherwise` is raised if somebody has it."""
        claim: Any = cls(value=value, owner=owner)  # type: ignore[call-arg]
        transaction.save(claim, cls.value.does_not_exist(), otherwise=otherwise)

    @classmethod
    def release(
        cls, transaction: Transaction, value: str, owner: str, *, otherwise: Exception
    ) -> None:
        """Give a value back; `otherwise` is raised if the owner does not have it any more."""
        claim: Any = cls(value=value)  # type: ignore[call-arg]
        transaction.delete(claim, cls.owner == owner, otherwise=otherwise)

    @classmethod
    def swap(
        cls,
        transaction: Transaction,
        owner: str,
        old: str,
        new: str,
        *,
        taken: Exception,
        stale: Exception,
    ) -> bool:
        """Give one value back and claim another.

        Returns:
            Whether they differ; where they do not, nothing is written.
        """
        if old == new:
            return False
        cls.release(transaction, old, owner, otherwise=stale)
        cls.claim(transaction, new, owner, otherwise=taken)
        return True


def claim_all(
    item: "Model",
    claims: type[UniqueClaim],
    values: Mapping[str, str],
    previous: Mapping[str, str],
    *,
    deletes: bool = False,
) -> None:
    """Write or delete an item and its claims in one transaction; see `Model.save_unique`."""
    owner = "#".join(str(part) for part in item._get_hash_range_key_serialized_values() if part)
    stale = VersionConflict(f"This {type(item).__name__} has changed since it was read.")
    connection = item._get_connection().connection
    with Transaction(connection) as transaction:
        for name in previous:
            if previous[name] != values.get(name):
                claims.release(transaction, f"{name}#{previous[name]}", owner, otherwise=stale)
        for name, value in values.items():
            if value != previous.get(name):
                claims.claim(transaction, f"{name}#{value}", owner, otherwise=NotUnique(name))
        if deletes:
            transaction.delete(item, otherwise=stale)
        else:
            transaction.save(item, otherwise=stale)
