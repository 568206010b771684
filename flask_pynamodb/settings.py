"""The extension's settings: every key, its default, and how they reach a connection."""

from collections.abc import Mapping
from typing import Any

PREFIX = "DYNAMODB_"

DEFAULTS: Mapping[str, Any] = {
    "DYNAMODB_REGION": None,
    "DYNAMODB_HOST": None,
    "DYNAMODB_CONNECT_TIMEOUT_SECONDS": 15.0,
    "DYNAMODB_READ_TIMEOUT_SECONDS": 30.0,
    "DYNAMODB_BASE_BACKOFF_MS": 25,
    "DYNAMODB_MAX_RETRY_ATTEMPTS": 3,
    "DYNAMODB_MAX_POOL_CONNECTIONS": 10,
    "DYNAMODB_EXTRA_HEADERS": None,
    "DYNAMODB_AWS_ACCESS_KEY_ID": None,
    "DYNAMODB_AWS_SECRET_ACCESS_KEY": None,
    "DYNAMODB_AWS_SESSION_TOKEN": None,
    "DYNAMODB_READ_CAPACITY_UNITS": None,
    "DYNAMODB_WRITE_CAPACITY_UNITS": None,
    "DYNAMODB_TABLE_PREFIX": "",
    "DYNAMODB_BILLING_MODE": None,
    "DYNAMODB_TRANSPORT": "botocore",
}

TRANSPORTS = ("botocore",)

# What a model's own Meta may set for its connection; each is also a key of the app, upper case.
CONNECTION_KEYS = (
    "region",
    "host",
    "connect_timeout_seconds",
    "read_timeout_seconds",
    "max_retry_attempts",
    "max_pool_connections",
    "extra_headers",
    "aws_access_key_id",
    "aws_secret_access_key",
    "aws_session_token",
)


def connection_settings(config: Mapping[str, Any]) -> dict[str, Any]:
    """The keyword arguments of a PynamoDB connection, from an app's configuration."""
    return {key: config[PREFIX + key.upper()] for key in CONNECTION_KEYS}


def table_settings(config: Mapping[str, Any]) -> dict[str, Any]:
    """Billing of new tables: provisioned if capacity units are given, else on demand."""
    read = config["DYNAMODB_READ_CAPACITY_UNITS"]
    write = config["DYNAMODB_WRITE_CAPACITY_UNITS"]
    if (read is None) != (write is None):
        raise RuntimeError(
            "Set DYNAMODB_READ_CAPACITY_UNITS and DYNAMODB_WRITE_CAPACITY_UNITS together,"
            " or neither for tables on demand."
        )
    if read is None:
        return {"billing_mode": config["DYNAMODB_BILLING_MODE"] or "PAY_PER_REQUEST"}
    return {
        "billing_mode": config["DYNAMODB_BILLING_MODE"] or "PROVISIONED",
        "read_capacity_units": read,
        "write_capacity_units": write,
    }
