"""The declaration of a migration: its ID, its model and its function."""

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, overload

from pynamodb.expressions.condition import Condition

from flask_pynamodb.model import Model
from flask_pynamodb.transaction import Transaction

_M = TypeVar("_M", bound=Model)
# Changes an item.
Change = Callable[[_M], None]
# Changes an item, and adds writes of other items to its transaction.
ChangeWithTransaction = Callable[[_M, Transaction], None]

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


@dataclass(frozen=True)
class Migration:
    """A declared migration.

    Attributes:
        id: Its ID. Migrations run in the order of their IDs.
        model: The model of the items.
        filter_condition: A condition on the items; None for all.
        change: The function that changes one item.
        takes_transaction: Whether the function takes a transaction as its second argument.
    """

    id: str
    model: Any
    filter_condition: Condition | None
    change: Callable[..., object]
    takes_transaction: bool

    @property
    def bind_key(self) -> str | None:
        """The key of the database of its model, and of its history."""
        key: str | None = self.model.__bind_key__
        return key

    def call(self, item: Any, transaction: Transaction) -> object:
        """Call the function with an item, and with the transaction if it takes one.

        Returns:
            The result of the function, which has to be None.
        """
        return self.change(item, *([transaction] if self.takes_transaction else []))


class Declaration(Generic[_M]):
    """The decorator of the function of a migration.

    Args:
        register: Called with the migration.
        migration_id: See `PynamoDB.migration`.
        model: See `PynamoDB.migration`.
        filter_condition: See `PynamoDB.migration`.
    """

    def __init__(
        self,
        register: Callable[[Migration], None],
        migration_id: str,
        model: type[_M],
        filter_condition: Condition | None,
    ) -> None:
        if not _ID.fullmatch(migration_id):
            raise ValueError(
                f"The ID of a migration has 1 to 100 letters, digits, ., _ and -, as in"
                f" 0001-split-names, not {migration_id!r}."
            )
        self._register = register
        self._id = migration_id
        self._model = model
        self._filter_condition = filter_condition

    @overload
    def __call__(self, change: Change[_M]) -> Change[_M]: ...

    @overload
    def __call__(self, change: ChangeWithTransaction[_M]) -> ChangeWithTransaction[_M]: ...

    def __call__(self, change: Callable[..., None]) -> Callable[..., None]:
        """Register the migration, and return the function unchanged.

        Raises:
            TypeError: The function does not take an item, and a transaction if it wants one.
            ValueError: There is a migration with this ID already.
        """
        parameters = len(inspect.signature(change).parameters)
        if parameters not in (1, 2):
            raise TypeError(
                f"The function of the migration {self._id} takes an item, or an item and a"
                f" transaction, not {parameters} arguments."
            )
        takes_transaction = parameters == 2
        self._register(
            Migration(self._id, self._model, self._filter_condition, change, takes_transaction)
        )
        return change
