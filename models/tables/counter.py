"""Numbers that transactions keep: how many active admins there are."""

from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from flask_pynamodb import Transaction
from models.db import db
from models.errors import LastAdmin


class Counter(db.Model):  # type: ignore[misc,name-defined]
    """A named number, changed only inside the transaction that makes it true."""

    class Meta:
        table_name = "counters"

    name = UnicodeAttribute(hash_key=True)
    value = NumberAttribute(default=0)


def count_admin(transaction: Transaction, change: int) -> None:
    """Add an active admin (1), take one away (-1), or leave the number alone (0).

    Taking the last one away refuses the whole transaction with `LastAdmin`, whatever else
    happens at the same time: nobody counts first.
    """
    admins = Counter("active-admins")
    if change > 0:
        transaction.update(admins, [Counter.value.add(1)])
    elif change < 0:
        transaction.update(
            admins, [Counter.value.add(-1)], Counter.value > 1, otherwise=LastAdmin()
        )
