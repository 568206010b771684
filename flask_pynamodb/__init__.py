"""PynamoDB for Flask: models that take their connection, table name and capacity from the app."""

from flask_pynamodb.errors import (
    ConfigurationError,
    InvalidCursor,
    NotUnique,
    ScanRefused,
    ScanWarning,
    VersionConflict,
    is_unavailable,
)
from flask_pynamodb.extension import PynamoDB
from flask_pynamodb.model import Model
from flask_pynamodb.pagination import Page
from flask_pynamodb.signals import Totals, call_finished, call_started, totals
from flask_pynamodb.transaction import Transaction
from flask_pynamodb.unique import UniqueClaim

__all__ = [
    "ConfigurationError",
    "InvalidCursor",
    "Model",
    "NotUnique",
    "Page",
    "PynamoDB",
    "ScanRefused",
    "ScanWarning",
    "Totals",
    "Transaction",
    "UniqueClaim",
    "VersionConflict",
    "call_finished",
    "call_started",
    "is_unavailable",
    "totals",
]
