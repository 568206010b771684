"""PynamoDB for Flask: models that take their connection, table name and capacity from the app."""

import warnings
from typing import Any

from flask_pynamodb.errors import (
    ConfigurationError,
    InvalidCursor,
    MigrationError,
    NotUnique,
    ScanRefused,
    ScanWarning,
    VersionConflict,
    error_code,
    is_unavailable,
)
from flask_pynamodb.extension import PynamoDB
from flask_pynamodb.migrations.status import MigrationStatus
from flask_pynamodb.model import Model
from flask_pynamodb.overrides import override
from flask_pynamodb.pagination import Page, make_cursor, read_cursor
from flask_pynamodb.recorded_calls import RecordedCall, recorded_calls
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
    "MigrationError",
    "MigrationStatus",
    "Model",
    "NotUnique",
    "Page",
    "PynamoDB",
    "RecordedCall",
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
    "override",
    "read_cursor",
    "recorded_calls",
    "totals",
]

# Names of the previous release, kept for one more; see the changelog.
_RENAMED = {"UniqueClaim": "UniqueValue", "code_of": "error_code"}


def __getattr__(name: str) -> Any:
    if name not in _RENAMED:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    current = _RENAMED[name]
    warnings.warn(
        f"flask_pynamodb.{name} is now flask_pynamodb.{current}; the old name will be removed.",
        DeprecationWarning,
        stacklevel=2,
    )
    return globals()[current]
