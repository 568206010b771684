"""Unique attributes: the constraint that DynamoDB lacks, as reservations in a separate table.

A value is reserved under the condition that it is free, in the transaction that writes its item,
so two writers can never both have it.
"""

import warnings
from collections.abc import Mapping
from typing import Any

from pynamodb.attributes import UnicodeAttribute

from flask_pynamodb.errors import NotUnique, VersionConflict
from flask_pynamodb.transaction import Transaction


class UniqueValue:
    """One reserved value. Derive a model from `db.Model` and this.

    Example:
        >>> class Reserved(UniqueValue, db.Model):
        ...     pass
        >>> user.save_unique(Reserved, {"email": user.email.lower()})
    """

    value = UnicodeAttribute(hash_key=True)
    owner = UnicodeAttribute()

    @classmethod
    def reserve(
        cls, transaction: Transaction, value: str, owner: str, *, otherwise: Exception
    ) -> None:
        """Reserve a value in a transaction; `otherwise` is raised if it is taken."""
        model: Any = cls
        row = model(value=value, owner=owner)
        transaction.save(row, cls.value.does_not_exist(), otherwise=otherwise)

    @classmethod
    def claim(
        cls, transaction: Transaction, value: str, owner: str, *, otherwise: Exception
    ) -> None:
        """Reserve a value; the deprecated name of `reserve`."""
        warnings.warn(
            "UniqueValue.claim is now UniqueValue.reserve; the old name will be removed.",
            DeprecationWarning,
            stacklevel=2,
        )
        cls.reserve(transaction, value, owner, otherwise=otherwise)

    @classmethod
    def release(
        cls, transaction: Transaction, value: str, owner: str, *, otherwise: Exception
    ) -> None:
        """Release a value; `otherwise` is raised if the owner no longer has it."""
        model: Any = cls
        row = model(value=value)
        transaction.delete(row, cls.owner == owner, otherwise=otherwise)

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
        """Release one value and reserve another.

        Returns:
            Whether the values differ; if they do not, nothing is written.
        """
        if old == new:
            return False
        cls.release(transaction, old, owner, otherwise=stale)
        cls.reserve(transaction, new, owner, otherwise=taken)
        return True


def reserve_all(
    item: Any,
    reservations: type[UniqueValue],
    values: Mapping[str, str],
    previous: Mapping[str, str],
    *,
    deletes: bool = False,
) -> None:
    """Write or delete an item and its reservations in one transaction; see `Model.save_unique`.

    Args:
        item: An instance of a model.
        reservations: The model of the table of reservations.
        values: The values to have, by name.
        previous: The values of the stored item, by name.
        deletes: Whether to delete the item instead of saving it.
    """
    owner = "#".join(str(part) for part in item._get_hash_range_key_serialized_values() if part)
    stale = VersionConflict(f"This {type(item).__name__} has changed since it was read.")
    connection = item._get_connection().connection
    with Transaction(connection) as transaction:
        for name in previous:
            if previous[name] != values.get(name):
                reservations.release(
                    transaction, f"{name}#{previous[name]}", owner, otherwise=stale
                )
        for name, value in values.items():
            if value != previous.get(name):
                reservations.reserve(
                    transaction, f"{name}#{value}", owner, otherwise=NotUnique(name)
                )
        if deletes:
            transaction.delete(item, otherwise=stale)
        else:
            transaction.save(item, otherwise=stale)
