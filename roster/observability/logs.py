"""The format and the destination of log lines, in one place.

A record is one line, of text or JSON: timestamp in UTC, level, logger, message, and of a request
its ID, the address of the client and the route; in JSON also the trace and the caller. In text,
control characters are escaped, and the lines of a stack trace are indented, so that no text in a
message can look like a record (ASVS 16.4.1); JSON escapes them itself.
"""

import json
import logging
import re
import sys
from collections.abc import MutableMapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import structlog
from flask import g, has_request_context, request

from api.client import client
from models.log_fields import LogFields

# Loggers with a level below warnings: sign-ins, and requests.
_SECURITY_LOGGER = "roster.security"
ACCESS_LOGGER = "roster.access"
_CREDENTIALS_LOGGER = "botocore.credentials"
_CONTINUATION = "    | "
# W3C Trace Context; the trace ID is the second part.
_TRACE_PARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}(-.*)?")
# "Request tracing for your Application Load Balancer" in the user guide of Elastic Load Balancing.
_AMAZON_TRACE = re.compile(r"(?:.*;)?Root=(1-[0-9a-f]{8}-[0-9a-f]{24})(?:;.*)?")


class LogFormat(StrEnum):
    """How lines are written: for readers, or for programs."""

    TEXT = "text"
    JSON = "json"


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


def json_formatter() -> logging.Formatter:
    """Return a formatter that writes a record as one JSON object in one line."""
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            _add_time,
            structlog.processors.format_exc_info,
            structlog.processors.EventRenamer("message"),
            _add_fields,
            _add_request,
        ],
        pass_foreign_args=True,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.JSONRenderer(serializer=_to_json),
        ],
    )


def configure(log_format: LogFormat = LogFormat.TEXT) -> None:
    """Write the log of this process to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(json_formatter() if log_format is LogFormat.JSON else LineFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger(_SECURITY_LOGGER).setLevel(logging.INFO)
    logging.getLogger(ACCESS_LOGGER).setLevel(logging.INFO)
    logging.getLogger(_CREDENTIALS_LOGGER).addFilter(_is_not_raised)


def request_fields() -> dict[str, str | None]:
    """Return what identifies the current request and its caller: IDs, an address and a route."""
    caller, oauth_client = g.get("caller"), g.get("oauth_client")
    return {
        "request_id": g.get("request_id"),
        "trace_id": _trace_id(),
        "client_ip": client().ip,
        "method": request.method,
        "route": request.url_rule.rule if request.url_rule else None,
        "user_id": caller.user.id if caller else None,
        "key_id": caller.key.id if caller and caller.key else None,
        "client_id": oauth_client.id if oauth_client else None,
    }


def _add_time(_: Any, __: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    at = datetime.fromtimestamp(line["_record"].created, UTC)
    line["timestamp"] = f"{at.isoformat(timespec='milliseconds')[:23]}Z"
    return line


def _add_fields(_: Any, __: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Take fields out of the message."""
    fields = line.pop("positional_args", None)
    if isinstance(fields, LogFields):
        line["message"] = line["message"].removesuffix(f" {fields}")
        line.update(fields)
    return line


def _add_request(_: Any, __: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    if has_request_context():
        for name, value in request_fields().items():
            line.setdefault(name, value)
    return line


def _to_json(line: dict[str, Any], **_: Any) -> str:
    # In ASCII, also U+2028, which some programs take for the end of a line, and half of a surrogate
    # pair, which is no Unicode.
    return json.dumps(line, default=str)


def _trace_id() -> str | None:
    """Return the ID of the trace in the headers of the request; None without a valid one."""
    if match := _TRACE_PARENT.fullmatch(request.headers.get("traceparent", "")):
        return match[1]
    match = _AMAZON_TRACE.fullmatch(request.headers.get("X-Amzn-Trace-Id", ""))
    return match[1] if match else None


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
