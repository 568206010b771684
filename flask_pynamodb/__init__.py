"""PynamoDB for Flask: models that take their connection, table name and capacity from the app."""

from flask_pynamodb.errors import (
    ConfigurationError,
    InvalidCursor,
    NotUnique,
    ScanRefused,
    ScanWarning,
    VersionConflict,
    error_code,
    is_unavailable,
)
from flask_pynamodb.extension import PynamoDB
from flask_pynamodb.model import Model
from flask_pynamodb.pagination import Page, make_cursor, read_cursor
from flask_pynamodb.settings import BILLING_MODES
from flask_pynamodb.signals import Totals, call_finished, call_started, totals
from flask_pynamodb.state import Standalone
from flask_pynamodb.transaction import Transaction
from flask_pynamodb.transport import DEFAULT_TRANSPORT, TRANSPORTS
from flask_pynamodb.unique import UniqueValue

__all__ = [
    "BILLING_MODES",
    "DEFAULT_TRANSPORT",
    "TRANSPORTS",
    "ConfigurationError",
    "InvalidCursor",
    "Model",
    "NotUnique",
    "Page",
    "PynamoDB",
    "ScanRefused",
    "ScanWarning",
    "Standalone",
    "Totals",
    "Transaction",
    "UniqueValue",
    "VersionConflict",
    "call_finished",
    "call_started",
    "error_code",
    "is_unavailable",
    "make_cursor",
    "read_cursor",
    "totals",
]
