"""PynamoDB for Flask: models that take their connection, table name and capacity from the app."""

from flask_pynamodb.errors import InvalidCursor, is_unavailable
from flask_pynamodb.extension import PynamoDB
from flask_pynamodb.model import Model
from flask_pynamodb.pagination import Page
from flask_pynamodb.transaction import Transaction

__all__ = ["InvalidCursor", "Model", "Page", "PynamoDB", "Transaction", "is_unavailable"]
