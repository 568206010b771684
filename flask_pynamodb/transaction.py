"""Several writes that all happen or none, safe to send twice."""

import random
import time
import uuid
from typing import Any

from pynamodb.connection import Connection
from pynamodb.exceptions import TransactWriteError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.models import Model
from pynamodb.transactions import TransactWrite

from flask_pynamodb.errors import error_code, is_unavailable

# A transaction that met another one on the same item is sent again; waits double up to a second,
# so that about three seconds pass before the caller is told.
_TRIES = 8
_LONGEST_WAIT = 1.0


class Transaction(TransactWrite):
    """A `TransactWriteItems` whose writes say what it means when they are refused.

    The client request token makes a repeated request harmless: when a reply is lost and the
    request sent again, DynamoDB answers with the first outcome instead of running it twice.

    Each write takes `otherwise`: the exception to raise if its condition does not hold. Where
    several conditions fail, the first write in the order checks, deletes, saves, updates (the
    order in which DynamoDB is sent them) decides.
    """

    def __init__(self, connection: Connection, base_backoff_ms: float = 25) -> None:
        super().__init__(client_request_token=str(uuid.uuid4()), connection=connection)
        self._base_backoff = base_backoff_ms / 1000
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
        """Let everything depend on an item that is not written."""
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
        """Delete an item."""
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
        """Put a whole item."""
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
        """Change some attributes of an item."""
        super().update(
            model, actions, condition, return_values, add_version_condition=add_version_condition
        )
        self._otherwise["update"].append(otherwise)

    def _commit(self) -> Any:
        attempt = 0
        while True:
            try:
                return super()._commit()
            except TransactWriteError as error:
                self._raise_refusal(error)
                if attempt == _TRIES - 1 or not _met_another(error):
                    raise
            # Jitter only has to differ from host to host; it guards nothing.
            jitter = random.random()  # nosec B311
            time.sleep(jitter * min(self._base_backoff * 2**attempt, _LONGEST_WAIT))
            attempt += 1

    def _raise_refusal(self, error: TransactWriteError) -> None:
        meanings = [meaning for kind in self._otherwise.values() for meaning in kind]
        for reason, meaning in zip(error.cancellation_reasons, meanings, strict=False):
            if reason is not None and reason.code == "ConditionalCheckFailed" and meaning:
                raise meaning from error


def _met_another(error: TransactWriteError) -> bool:
    # Everything else that is worth a second try, the connection has tried again already.
    cancelled = error_code(error) == "TransactionCanceledException"
    return cancelled and is_unavailable(error)
