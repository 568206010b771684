"""The access log: a line for each response, with what it cost."""

import logging
from typing import Any

from flask import Flask, Response, g, request, request_finished

from flask_pynamodb import totals
from models.log_fields import LogFields
from roster.observability.logs import ACCESS_LOGGER, request_fields

log = logging.getLogger(ACCESS_LOGGER)

# A key of the WSGI environment, which the app writes and the observer reads.
_FIELDS = "roster.access"


class AccessLog:
    """Logs each response of a front.

    Args:
        app: The app of the worker.
    """

    def __init__(self, app: Flask) -> None:
        # The signal has a weak reference to the method.
        request_finished.connect(self._note_request, app)

    def served(
        self, environ: dict[str, Any], status: int, *, lane: str, waited: float, seconds: float
    ) -> None:
        """Log a response of the app; see `Observer`."""
        fields = LogFields(
            status=status,
            duration_ms=_milliseconds(seconds),
            queue_ms=_milliseconds(waited),
            **environ.get(_FIELDS, {}),
        )
        log.info("request %s", fields)

    def responded(self, method: str, route: str, status: int) -> None:
        """Log a response of the front; see `Observer`."""
        log.info("request %s", LogFields(status=status, method=method, route=route))

    def rejected(self, method: str, status: int, problem: str) -> None:
        """Log an error response of the front; see `Observer`."""
        log.info("request %s", LogFields(status=status, method=method, problem=problem))

    def _note_request(self, sender: Flask, response: Response, **details: Any) -> None:
        """Note what the request was about, for `served`, which has no context of the app."""
        spent = totals()
        fields: dict[str, Any] = request_fields()
        if problem := g.get("problem"):
            fields["problem"] = problem
        fields["database_calls"] = spent.calls
        fields["database_ms"] = _milliseconds(spent.seconds)
        fields["consumed_units"] = spent.capacity
        request.environ[_FIELDS] = fields


def _milliseconds(seconds: float) -> float:
    return round(seconds * 1000, 1)
