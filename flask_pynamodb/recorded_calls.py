"""The calls to DynamoDB of the current request, one by one, for debugging."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from types import FrameType
from typing import Any

from botocore.exceptions import ClientError
from flask import g

# Code whose calls are made for the app: its own caller is the location of a call.
_LIBRARIES = ("flask_pynamodb", "pynamodb")


@dataclass(frozen=True, slots=True)
class RecordedCall:
    """One call to DynamoDB, without keys and values, which may be personal data.

    Attributes:
        operation: The operation, as in `GetItem`.
        tables: The names of the tables.
        duration: Seconds from the start of the call to its end, retries included.
        tries: The number of requests: 1, and the retries.
        consumed_capacity: Capacity units; None if DynamoDB returned none.
        error: The error code of DynamoDB, or the class of another exception; None for a success.
        request_id: The ID by which AWS support finds the call; None without a response.
        location: The line of the app that made the call, as `path:line (function)`.
    """

    operation: str
    tables: tuple[str, ...]
    duration: float
    tries: int
    consumed_capacity: float | None
    error: str | None
    request_id: str | None
    location: str


def recorded_calls() -> list[RecordedCall]:
    """Return the calls to DynamoDB of the current app context, which exists for one request.

    Calls are recorded with `DYNAMODB_RECORD_CALLS`, up to that number, and in debug mode.
    `totals()` counts all calls.
    """
    return list(g.get("dynamodb_calls", ()))


def record(
    operation: str, tables: tuple[str, ...], outcome: Mapping[str, Any], *, limit: int
) -> None:
    """Record one call in the app context, unless there are enough.

    Args:
        operation: The name of the operation.
        tables: The names of the tables.
        outcome: `duration`, `tries`, `consumed_capacity`, `error` and `request_id`.
        limit: The maximum number of recorded calls.
    """
    calls: list[RecordedCall] = g.setdefault("dynamodb_calls", [])
    if len(calls) < limit:
        details = {**outcome, "error": _name_of(outcome["error"])}
        calls.append(RecordedCall(operation, tables, location=_location(), **details))


def _name_of(error: BaseException | None) -> str | None:
    if isinstance(error, ClientError):
        return str(error.response.get("Error", {}).get("Code"))
    return None if error is None else type(error).__name__


def _location() -> str:
    frame: FrameType | None = sys._getframe(1)
    while frame and frame.f_globals.get("__name__", "").partition(".")[0] in _LIBRARIES:
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno} ({frame.f_code.co_name})" if frame else ""
