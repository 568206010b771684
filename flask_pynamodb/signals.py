"""Signals around each call to DynamoDB, and what a request has spent so far.

`call_started` is sent with `operation` and `tables`; `call_finished` with these and with
`duration` (seconds), `tries`, `consumed_capacity` (units, None where DynamoDB did not say) and
`error` (None, or the exception). The sender is the connection.
"""

from dataclasses import dataclass
from typing import Any

from blinker import Namespace
from flask import Flask, Response, g, has_app_context

_signals = Namespace()
call_started = _signals.signal("dynamodb-call-started")
call_finished = _signals.signal("dynamodb-call-finished")


@dataclass
class Totals:
    """What the current app context has spent on DynamoDB.

    Attributes:
        calls: Requests, each with its retries counted as one.
        tries: Requests with retries counted.
        seconds: Time spent waiting for answers.
        capacity: Read and write units together.
    """

    calls: int = 0
    tries: int = 0
    seconds: float = 0.0
    capacity: float = 0.0


def totals() -> Totals:
    """The totals of the current app context, which lives as long as a request."""
    if "dynamodb_totals" not in g:
        g.dynamodb_totals = Totals()
    spent: Totals = g.dynamodb_totals
    return spent


def add_to_totals(duration: float, tries: int, capacity: float | None) -> None:
    """Count one call."""
    if not has_app_context():
        return
    spent = totals()
    spent.calls += 1
    spent.tries += tries
    spent.seconds += duration
    spent.capacity += capacity or 0


def show_totals(app: Flask) -> None:
    """Send the totals as a `Server-Timing` header with each response."""

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
    """The capacity units that an answer says its request has consumed."""
    consumed = answer.get("ConsumedCapacity")
    if not consumed:
        return None
    parts = consumed if isinstance(consumed, list) else [consumed]
    return sum(float(part.get("CapacityUnits", 0)) for part in parts)


def tables_of(request: dict[str, Any]) -> tuple[str, ...]:
    """The tables that a request names, each once."""
    if "RequestItems" in request:
        return tuple(request["RequestItems"])
    if "TransactItems" in request:
        writes = (write for item in request["TransactItems"] for write in item.values())
        return tuple(dict.fromkeys(write["TableName"] for write in writes))
    return (request["TableName"],) if "TableName" in request else ()
