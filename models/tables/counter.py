"""Counters kept by transactions: the number of active admins."""

from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from flask_pynamodb import Transaction
from models.db import Table
from models.errors import LastAdmin


class Counter(Table):
    """A named number, changed only in the transaction that makes it true."""

    class Meta:
        table_name = "counters"

    name = UnicodeAttribute(hash_key=True)
    value = NumberAttribute(default=0)


def count_admin(transaction: Transaction, change: int) -> None:
    """Add an active admin (1), remove one (-1), or leave the number alone (0).

    Removing the last one cancels the whole transaction with `LastAdmin`. The condition decides, so
    concurrent changes cannot remove the last two admins.
    """
    admins = Counter("active-admins")
    if change > 0:
        transaction.update(admins, [Counter.value.add(1)])
    elif change < 0:
        transaction.update(
            admins, [Counter.value.add(-1)], Counter.value > 1, otherwise=LastAdmin()
        )
