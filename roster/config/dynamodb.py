"""The settings of flask_pynamodb."""

import os
from typing import Any

from environs import Env
from marshmallow.validate import OneOf, Range, Regexp

from flask_pynamodb import BILLING_MODES, DEFAULT_TRANSPORT, TRANSPORTS
from roster.config.parsing import SettingError, must_be_url

# The characters that DynamoDB allows in the name of a table.
_PART_OF_NAME = Regexp(r"[A-Za-z0-9_.-]*\Z", error="May have letters, digits, _, . and - only.")
_CAPACITIES = ("READ_CAPACITY_UNITS", "WRITE_CAPACITY_UNITS")


def read_dynamodb(env: Env) -> dict[str, Any]:
    """Read the settings of the extension, with shorter timeouts than its defaults."""
    seconds = Range(min=0.05, max=300)
    units = Range(min=1)
    # AWS sets AWS_REGION in containers and functions; botocore reads AWS_DEFAULT_REGION.
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    read: dict[str, Any] = {
        "REGION": env.str("REGION", region, validate=Regexp(r"[a-z0-9-]+\Z")),
        "HOST": env.str("HOST", None, validate=must_be_url),
        "CONNECT_TIMEOUT_SECONDS": env.float("CONNECT_TIMEOUT_SECONDS", 2.0, validate=seconds),
        "READ_TIMEOUT_SECONDS": env.float("READ_TIMEOUT_SECONDS", 5.0, validate=seconds),
        "BASE_BACKOFF_MS": env.int("BASE_BACKOFF_MS", 25, validate=Range(min=1, max=1000)),
        "MAX_RETRY_ATTEMPTS": env.int("MAX_RETRY_ATTEMPTS", 3, validate=Range(min=0, max=10)),
        "MAX_POOL_CONNECTIONS": env.int("MAX_POOL_CONNECTIONS", 16, validate=Range(min=1)),
        "EXTRA_HEADERS": _headers(env),
        "AWS_ACCESS_KEY_ID": env.str("AWS_ACCESS_KEY_ID", None),
        "AWS_SECRET_ACCESS_KEY": env.str("AWS_SECRET_ACCESS_KEY", None),
        "AWS_SESSION_TOKEN": env.str("AWS_SESSION_TOKEN", None),
        "READ_CAPACITY_UNITS": env.int("READ_CAPACITY_UNITS", None, validate=units),
        "WRITE_CAPACITY_UNITS": env.int("WRITE_CAPACITY_UNITS", None, validate=units),
        "TABLE_PREFIX": env.str("TABLE_PREFIX", "roster-", validate=_PART_OF_NAME),
        "TABLE_SUFFIX": env.str("TABLE_SUFFIX", "", validate=_PART_OF_NAME),
        "BILLING_MODE": env.str("BILLING_MODE", None, validate=OneOf(BILLING_MODES)),
        "TRANSPORT": env.str("TRANSPORT", DEFAULT_TRANSPORT, validate=OneOf(TRANSPORTS)),
        "DEADLINE_SECONDS": env.float("DEADLINE_SECONDS", 10.0, validate=seconds),
        "DEBUG": env.bool("DEBUG", False),
    }
    for given, missing in (_CAPACITIES, _CAPACITIES[::-1]):
        if read[given] is not None and read[missing] is None:
            raise SettingError(f"DYNAMODB_{given} is set: set DYNAMODB_{missing} too, or neither.")
    return {f"DYNAMODB_{name}": value for name, value in read.items()}


def _headers(env: Env) -> dict[str, str] | None:
    try:
        headers: dict[str, str] | None = env.dict("EXTRA_HEADERS", None)
        return headers
    except ValueError:
        raise SettingError(
            "DYNAMODB_EXTRA_HEADERS must be pairs, as in X-Team=accounts,X-Stage=prod."
        ) from None
