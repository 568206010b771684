"""Signals of each call to DynamoDB, and the totals of the current request.

`call_started` is sent with `operation` and `tables`; `call_finished` with these and with
`duration` (seconds), `tries`, `consumed_capacity` (units, None if DynamoDB returned none) and
`error` (None, or the exception), and `request_id`, by which AWS support finds a call (None if there
was no response). The sender is the connection. Exceptions of receivers are logged, not raised: the
call has its own outcome.
"""

import logging
import threading
from dataclasses import dataclass
from typing import Any

from blinker import NamedSignal, Namespace
from flask import Flask, Response, g, has_app_context

from flask_pynamodb.recorded_calls import record

_signals = Namespace()
call_started = _signals.signal("dynamodb-call-started")
call_finished = _signals.signal("dynamodb-call-finished")
_totals_lock = threading.Lock()
log = logging.getLogger(__name__)


@dataclass
class Totals:
    """The calls to DynamoDB in the current app context.

    Attributes:
        calls: The number of calls.
        tries: The number of requests, including retries.
        seconds: The time spent waiting for responses.
        capacity: The sum of read and write units.
    """

    calls: int = 0
    tries: int = 0
    seconds: float = 0.0
    capacity: float = 0.0


def totals() -> Totals:
    """Return the totals of the current app context, which exists for one request."""
    # Each use of the proxy `g` looks the context up again.
    here = g._get_current_object()
    spent: Totals | None = here.get("dynamodb_totals")
    if spent is None:
        spent = here.dynamodb_totals = Totals()
    return spent


def emit_started(sender: Any, operation: str, request: dict[str, Any]) -> None:
    """Send `call_started`, if it has receivers."""
    if call_started.receivers:
        _send(call_started, sender, operation=operation, tables=tables_of(request))


def emit_finished(
    sender: Any, operation: str, request: dict[str, Any], outcome: dict[str, Any]
) -> None:
    """Count one call, record it if the sender does, and send `call_finished`, if it has receivers.

    Args:
        sender: The connection.
        operation: The name of the operation.
        request: The arguments of the request.
        outcome: `duration`, `tries`, `consumed_capacity`, `error` and `request_id`.
    """
    if has_app_context():
        spent = totals()
        # Concurrent calls of one context add to the same totals.
        with _totals_lock:
            spent.calls += 1
            spent.tries += outcome["tries"]
            spent.seconds += outcome["duration"]
            spent.capacity += outcome["consumed_capacity"] or 0
            if sender.max_recorded_calls:
                tables = tables_of(request)
                record(operation, tables, outcome, limit=sender.max_recorded_calls)
    if call_finished.receivers:
        _send(call_finished, sender, operation=operation, tables=tables_of(request), **outcome)


def _send(signal: NamedSignal, sender: Any, **details: Any) -> None:
    for receiver in signal.receivers_for(sender):
        try:
            receiver(sender, **details)
        except Exception:
            log.exception("A receiver of the signal %s failed", signal.name)


def add_timing_header(app: Flask) -> None:
    """Add the totals to each response as a `Server-Timing` header."""

    @app.after_request
    def add_header(response: Response) -> Response:
        spent = totals()
        response.headers.add(
            "Server-Timing",
            f"dynamodb;dur={spent.seconds * 1000:.1f};"
            f'desc="{spent.calls} calls, {spent.tries} tries, {spent.capacity:g} units"',
        )
        return response


def capacity_of(answer: dict[str, Any]) -> float | None:
    """Return the consumed capacity units of a response; None if it has none."""
    consumed = answer.get("ConsumedCapacity")
    if not consumed:
        return None
    if isinstance(consumed, dict):
        return float(consumed.get("CapacityUnits", 0))
    return sum(float(part.get("CapacityUnits", 0)) for part in consumed)


def tables_of(request: dict[str, Any]) -> tuple[str, ...]:
    """Return the names of the tables in a request, without duplicates."""
    if "RequestItems" in request:
        return tuple(request["RequestItems"])
    if "TransactItems" in request:
        writes = (write for item in request["TransactItems"] for write in item.values())
        return tuple(dict.fromkeys(write["TableName"] for write in writes))
    return (request["TableName"],) if "TableName" in request else ()
