"""Transactions: several writes that are all applied or none, safe to send twice."""

import random
import time
import uuid
from collections.abc import Callable
from typing import Any, TypeVar

from pynamodb.connection import Connection
from pynamodb.exceptions import TransactGetError, TransactWriteError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.models import Model
from pynamodb.transactions import TransactWrite

from flask_pynamodb.errors import error_code, is_unavailable
from flask_pynamodb.keys import identity

# A transaction that conflicts with another one is sent again, after delays that double up to one
# second; with 8 attempts the error is raised after about three seconds.
_ATTEMPTS = 8
_MAX_DELAY = 1.0
# DynamoDB's limit.
MAX_OPERATIONS = 100

Result = TypeVar("Result")


class Transaction(TransactWrite):
    """A `TransactWriteItems` with an exception for each condition that fails.

    The client request token makes the request idempotent: if the response is lost and the request
    is sent again, DynamoDB returns the first result instead of writing twice.

    Each write takes `otherwise`: the exception to raise if its condition fails. If several
    conditions fail, the first write in the order checks, deletes, saves, updates (the order in the
    request) determines the exception; its attribute `other_failures` lists those of the others.
    """

    def __init__(self, connection: Connection, base_backoff_ms: float = 25) -> None:
        super().__init__(client_request_token=str(uuid.uuid4()), connection=connection)
        self._base_backoff_ms = base_backoff_ms
        self._otherwise: dict[str, list[Exception | None]] = {
            "check": [],
            "delete": [],
            "save": [],
            "update": [],
        }

    def condition_check(
        self,
        model_cls: type[Model],
        hash_key: Any,
        range_key: Any = None,
        condition: Condition | None = None,
        *,
        otherwise: Exception | None = None,
    ) -> None:
        """Add a condition on an item that is not written."""
        super().condition_check(model_cls, hash_key, range_key, condition)
        self._otherwise["check"].append(otherwise)

    def delete(
        self,
        model: Model,
        condition: Condition | None = None,
        *,
        add_version_condition: bool = True,
        otherwise: Exception | None = None,
    ) -> None:
        """Add the deletion of an item."""
        super().delete(model, condition, add_version_condition=add_version_condition)
        self._otherwise["delete"].append(otherwise)

    def save(
        self,
        model: Model,
        condition: Condition | None = None,
        return_values: str | None = None,
        *,
        otherwise: Exception | None = None,
    ) -> None:
        """Add a put of a complete item."""
        super().save(model, condition, return_values)
        self._otherwise["save"].append(otherwise)

    def update(
        self,
        model: Model,
        actions: list[Action],
        condition: Condition | None = None,
        return_values: str | None = None,
        *,
        add_version_condition: bool = True,
        otherwise: Exception | None = None,
    ) -> None:
        """Add an update of some attributes of an item."""
        super().update(
            model, actions, condition, return_values, add_version_condition=add_version_condition
        )
        self._otherwise["update"].append(otherwise)

    @property
    def size(self) -> int:
        """The number of operations."""
        return sum(map(len, self._operations().values()))

    def _commit(self) -> Any:
        number = self.size
        if number > MAX_OPERATIONS:
            raise ValueError(
                f"A transaction has at most {MAX_OPERATIONS} operations, not {number}: split it,"
                " or use Model.batch_write(), which is not atomic."
            )
        # DynamoDB rejects a transaction without operations.
        return retry_conflicts(self._send, self._base_backoff_ms) if number else None

    def _send(self) -> Any:
        try:
            return super()._commit()
        except TransactWriteError as error:
            self._raise_otherwise(error)
            if error_code(error) == "ValidationException":
                self._raise_repeated(error)
            raise

    def _operations(self) -> dict[str, list[dict[str, Any]]]:
        return {
            "check": self._condition_check_items,
            "delete": self._delete_items,
            "save": self._put_items,
            "update": self._update_items,
        }

    def _raise_repeated(self, error: TransactWriteError) -> None:
        """Tell which operations are on one item, which DynamoDB rejects without saying so."""
        seen: dict[Any, str] = {}
        for kind, operations in self._operations().items():
            for number, operation in enumerate(operations, 1):
                table = operation["TableName"]
                key = operation.get("Key") or operation["Item"]
                meta = self._connection.get_meta_table(table)
                names = tuple(filter(None, (meta.hash_keyname, meta.range_keyname)))
                name = f"{kind} {number}"
                first = seen.setdefault((table, identity(key, names)), name)
                if first != name:
                    raise ValueError(
                        f"A transaction has one operation on an item, but {first} and {name} of"
                        f" this one are on the same item of the table {table}."
                    ) from error

    def _raise_otherwise(self, error: TransactWriteError) -> None:
        exceptions = [one for kind in self._otherwise.values() for one in kind]
        failed = [
            exception
            for reason, exception in zip(error.cancellation_reasons, exceptions, strict=False)
            if reason is not None and reason.code == "ConditionalCheckFailed" and exception
        ]
        if failed:
            first: Any = failed[0]
            first.other_failures = failed[1:]
            raise first from error


def retry_conflicts(send: Callable[[], Result], base_backoff_ms: float) -> Result:
    """Send a transaction, again while it conflicts with others, for a few seconds.

    Raises:
        TransactWriteError: A transaction of writes fails, or conflicts with others all the time.
        TransactGetError: The same of a transaction of reads.
    """
    for attempt in range(_ATTEMPTS - 1):
        try:
            return send()
        except (TransactGetError, TransactWriteError) as error:
            if not _is_conflict(error):
                raise
        # Jitter only has to differ between hosts; it has no security purpose.
        jitter = random.random()  # nosec B311
        time.sleep(jitter * min(base_backoff_ms / 1000 * 2**attempt, _MAX_DELAY))
    return send()


def _is_conflict(error: TransactGetError | TransactWriteError) -> bool:
    # The connection itself retries all other temporary errors.
    cancelled = error_code(error) == "TransactionCanceledException"
    return cancelled and is_unavailable(error)
