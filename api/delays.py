"""A minimum time of responses. The server keeps the response; no thread waits for it."""

from datetime import timedelta

from flask import request

# The key of the WSGI environment with the seconds from the request to its response, at least.
MIN_SECONDS = "roster.min_seconds"


def delay_response(minimum: timedelta) -> None:
    """Respond to the current request no earlier than this time after its arrival.

    Servers other than Roster's own ignore it.
    """
    request.environ[MIN_SECONDS] = minimum.total_seconds()
