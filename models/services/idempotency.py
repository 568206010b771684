"""Idempotency keys: execute a request once, and answer its repeats like the first time.

A record of the request is written in the transaction that creates something, under the condition
that there is none. So the database decides, and a request that is no repeat costs no round trip
more. The response is not stored: what was created is read and shown as it was at first, as long as
it was not changed since.
"""

import secrets
import time
from collections.abc import Callable
from typing import TypeVar

from flask_pynamodb import Transaction
from models.errors import AccountError, IdempotencyKeyReused, IdempotencyKeyUsed
from models.security import tokens
from models.security.idempotency import IdempotencyKeys, IdempotentRequest
from models.security.secret_keys import SecretKeys
from models.tables.audit_event import Actor
from models.tables.idempotency_record import IdempotencyRecord

_Result = TypeVar("_Result")
# While a concurrent transaction is committed, some of its items can be read before others
# (DynamoDB developer guide, "Transaction isolation levels"). Seconds before each further read.
_DELAYS = (0.05, 0.2)


class Execution:
    """One execution of a request, with an idempotency key or without.

    Args:
        keys: Makes digests and secrets.
        request: The request, None if it has no key.
    """

    def __init__(self, keys: IdempotencyKeys, request: IdempotentRequest | None) -> None:
        self._keys = keys
        self._request = request
        self._digests = keys.digests(request) if request else []
        self._nonce = secrets.token_hex(tokens.RANDOM_BYTES)
        self._key_id = keys.current_id

    def make_token(self, prefix: str, owner_id: str) -> str:
        """Return the token that this request creates; without a key, a random one.

        Raises:
            IdempotencyKeyUsed: The secret key that it was made with is no longer configured.
        """
        if self._request is None:
            return tokens.make(prefix, owner_id)
        size = tokens.RANDOM_BYTES
        random = self._keys.secret(self._request, self._nonce, self._key_id, size)
        if random is None:
            raise IdempotencyKeyUsed
        return tokens.make(prefix, owner_id, random)

    def require_first(self) -> None:
        """Reject a repeat before its transaction does, for one read.

        Raises:
            IdempotencyKeyUsed: The request was executed before.
        """
        if self._digests and IdempotencyRecord.find(self._digests):
            raise IdempotencyKeyUsed

    def record(self, transaction: Transaction, created_id: str) -> None:
        """Write the record of this request; the first write of its transaction.

        A record for each secret key is written, so that all hosts find one while keys are rotated.

        Raises:
            IdempotencyKeyUsed: On commit, if the request was executed before.
        """
        for digests in self._digests:
            IdempotencyRecord.save_in(
                transaction, digests, created_id, nonce=self._nonce, key_id=self._key_id
            )

    def recall(self) -> str | None:
        """Return the ID of what an earlier execution has created, None if there was none.

        From then on `make_token` returns the token of that time.

        Raises:
            IdempotencyKeyReused: The earlier request had another body.
        """
        found = IdempotencyRecord.find(self._digests)
        if found is None:
            return None
        record, digests = found
        if not secrets.compare_digest(record.body_digest, digests.body):
            raise IdempotencyKeyReused
        self._nonce, self._key_id = record.nonce, record.key_id
        return str(record.owner)


class Idempotency:
    """Executes requests once.

    Args:
        secret_keys: The secret keys of the service; without them repeats are recognized by this
            object only.
    """

    def __init__(self, secret_keys: SecretKeys | None = None) -> None:
        self._keys = IdempotencyKeys(secret_keys or SecretKeys([secrets.token_hex()]))

    def run(
        self,
        request: IdempotentRequest | None,
        by: Actor,
        create: Callable[[Execution], _Result],
        show: Callable[[Execution, str], _Result | None],
        *,
        conflicts: tuple[type[AccountError], ...] = (),
    ) -> _Result:
        """Create something, or return what an earlier execution of the request has created.

        Args:
            request: The request, None if it has no key.
            by: The caller, whose authority must hold for a repeat as well.
            create: Creates it in one transaction that calls `Execution.record` first.
            show: Returns what has this ID as it was created; None if it was changed since.
            conflicts: Errors that an earlier execution may be the reason of.

        Raises:
            IdempotencyKeyReused: The key belongs to a request with another body.
            IdempotencyKeyUsed: What the request has created was changed or removed since.
        """
        execution = Execution(self._keys, request)
        try:
            return create(execution)
        except AccountError as rejection:
            if request is None or not isinstance(rejection, (IdempotencyKeyUsed, *conflicts)):
                raise
            if by.authority:
                by.authority.verify()
            result = _recall(execution, rejection, show)
            request.is_replayed = True
            return result


def _recall(
    execution: Execution,
    rejection: AccountError,
    show: Callable[[Execution, str], _Result | None],
) -> _Result:
    """Return what an earlier execution has created; raise the rejection if there was none."""
    created_id = None
    for delay in (*_DELAYS, None):
        created_id = created_id or execution.recall()
        if created_id is None and not _is_in_conflict(rejection):
            break
        result = None if created_id is None else show(execution, created_id)
        if result is not None:
            return result
        if delay is not None:
            time.sleep(delay)
    raise rejection if created_id is None else IdempotencyKeyUsed


def _is_in_conflict(rejection: AccountError) -> bool:
    """Return whether a concurrent transaction may be the reason, with a record still unseen."""
    if isinstance(rejection, IdempotencyKeyUsed):
        return True
    reasons = getattr(rejection.__cause__, "cancellation_reasons", ())
    return any(reason is not None and reason.code == "TransactionConflict" for reason in reasons)
