"""The format and the destination of log lines, in one place.

A record is one line: timestamp in UTC, level, logger, message, and of a request its ID, the address
of the client and the route. Control characters are escaped, and the lines of a stack trace are
indented, so that no text in a message can look like a record (ASVS 16.4.1).
"""

import logging
import sys
from datetime import UTC, datetime

from flask import g, has_request_context, request

from api.client import client

# Sign-ins are recorded by this logger, with a level below warnings.
_SECURITY_LOGGER = "roster.security"
_CREDENTIALS_LOGGER = "botocore.credentials"
_CONTINUATION = "    | "


class LineFormatter(logging.Formatter):
    """Formats a record as one line, and a stack trace as indented ones."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the lines of a record."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        message = _escape(record.getMessage())
        head = f"{at[:23]}Z {record.levelname} {record.name} {message}{_of_request()}"
        if not record.exc_info:
            return head
        trace = self.formatException(record.exc_info)
        return "\n".join([head, *(_CONTINUATION + _escape(line) for line in trace.splitlines())])


def configure() -> None:
    """Write the log of this process to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(LineFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger(_SECURITY_LOGGER).setLevel(logging.INFO)
    logging.getLogger(_CREDENTIALS_LOGGER).addFilter(_is_not_raised)


def _is_not_raised(record: logging.LogRecord) -> bool:
    """Keep botocore's warning of an early refresh; after a mandatory one the error is raised."""
    return record.args != ("mandatory",)


def _of_request() -> str:
    """Return the fields of the current request; nothing outside of one."""
    if not has_request_context():
        return ""
    route = f"{request.method} {request.url_rule}" if request.url_rule else "-"
    request_id = g.get("request_id", "-")
    return f' request={request_id} client={client().ip or "-"} route="{route}"'


def _escape(text: str) -> str:
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)
