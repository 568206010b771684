"""Exceptions of the extension, and whether an error means that DynamoDB is unavailable.

Exception
 ├── RuntimeError
 │    ├── ConfigurationError   a setting is missing, invalid or contradicts another one
 │    ├── MigrationError       a migration cannot run, or one of its items failed
 │    └── ScanRefused          a Scan that is not allowed
 ├── ValueError
 │    └── InvalidCursor        a page cursor is invalid, or belongs to another list
 ├── NotUnique                 another item has a value that must be unique
 └── VersionConflict           the item has changed since it was read
"""

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    DataNotFoundError,
    PaginationError,
    ParamValidationError,
    WaiterError,
)
from pynamodb.exceptions import PynamoDBException, TableDoesNotExist

# Error codes after which the same request is sent again.
# Source: botocore 1.44.5, `retries/standard.py`.
THROTTLED_CODES = frozenset(
    {
        "BandwidthLimitExceeded",
        "EC2ThrottledException",
        "LimitExceededException",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionInProgressException",
    }
)
TRANSIENT_CODES = frozenset({"RequestTimeout", "RequestTimeoutException"})
# Other error codes of an unavailable DynamoDB or a wrong configuration, as opposed to an invalid
# request. Source: "Error handling with DynamoDB" in the DynamoDB developer guide.
_OTHER_UNAVAILABLE_CODES = frozenset(
    {
        "AccessDeniedException",
        "ExpiredTokenException",
        "InternalServerError",
        "InvalidSignatureException",
        "MissingAuthenticationTokenException",
        "ReplicatedWriteConflictException",
        "RequestTimeTooSkewed",
        "ResourceNotFoundException",
        "ServiceUnavailable",
        "TransactionConflictException",
        "UnrecognizedClientException",
    }
)
_UNAVAILABLE_CODES = THROTTLED_CODES | TRANSIENT_CODES | _OTHER_UNAVAILABLE_CODES
# Reasons in a cancelled transaction for which a retry of the same request may succeed.
TEMPORARY_REASONS = frozenset(
    {"ProvisionedThroughputExceeded", "ThrottlingError", "TransactionConflict"}
)


class ConfigurationError(RuntimeError):
    """A setting is missing, invalid or contradicts another one. The text names it."""


class ScanRefused(RuntimeError):
    """A Scan, which reads a whole table, is not allowed."""


class ScanWarning(UserWarning):
    """A Scan, which reads a whole table, is not marked as intended."""


class MigrationError(RuntimeError):
    """A migration cannot run, or one of its items failed. The text says which.

    Attributes:
        failure: The class of the error and the key of the item that failed; None without one.
    """

    def __init__(self, text: str, *, failure: str | None = None) -> None:
        super().__init__(text)
        self.failure = failure


class NotUnique(Exception):
    """Another item has a value that must be unique.

    Attributes:
        name: The name of the value, as in `email`.
    """

    def __init__(self, name: str) -> None:
        super().__init__(f"This {name} is taken.")
        self.name = name


class VersionConflict(Exception):
    """The item has changed, or is gone, since it was read."""


class InvalidCursor(ValueError):
    """The cursor was not made by this app for this list, key and filter."""


# botocore's own errors are those of connections, credentials and its configuration, except for
# these, which are about the request or the program.
_NOT_UNAVAILABLE = (DataNotFoundError, PaginationError, ParamValidationError, WaiterError)
_UNAVAILABLE = (BotoCoreError, ConfigurationError, TableDoesNotExist)
# Too many requests, and a request that took too long to arrive.
_UNAVAILABLE_STATUS = frozenset({408, 429})


def unreadable_credentials(error: OSError) -> ConfigurationError:
    """Return the error for a token file or a `credential_process` that cannot be read."""
    return ConfigurationError(f"The AWS credentials cannot be read: {error}")


def expired_credentials(error: RuntimeError) -> ConfigurationError:
    """Return the error for credentials that are still expired after they were renewed."""
    return ConfigurationError(f"The AWS credentials cannot be renewed: {error}")


def reject_incomplete_keys(key_id: str | None, secret: str | None, token: str | None) -> None:
    """Reject a part of an access key; PynamoDB would ignore it, and use other credentials.

    Raises:
        ConfigurationError: The ID has no secret, or the secret or the token has no ID.
    """
    given = {"DYNAMODB_AWS_ACCESS_KEY_ID": key_id, "DYNAMODB_AWS_SECRET_ACCESS_KEY": secret}
    missing = [name for name, value in given.items() if not value]
    if len(missing) == 1 or (missing and token):
        raise ConfigurationError(
            f"The AWS access key is incomplete: {' and '.join(missing)} is not set."
        )


def error_code(error: PynamoDBException) -> str | None:
    """Return DynamoDB's error code of a PynamoDB exception; None if there was no response.

    PynamoDB's own `cause_response_code` fails for a closed connection, because the response of
    that error is None.
    """
    response = getattr(error.cause, "response", None) or {}
    code: str | None = response.get("Error", {}).get("Code")
    return code


def is_unavailable(error: BaseException) -> bool:
    """Return whether an error means that DynamoDB, a table or the credentials are unavailable.

    Args:
        error: Any exception of a model or a connection.

    Returns:
        True if the same request could succeed later; False for an invalid request and for errors
        that are not DynamoDB's.
    """
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, _UNAVAILABLE):
            return not isinstance(cause, _NOT_UNAVAILABLE)
        if isinstance(cause, ClientError):
            return _is_temporary(cause)
        cause = getattr(cause, "cause", None) or cause.__cause__
    return False


def _is_temporary(error: ClientError) -> bool:
    if error.response.get("Error", {}).get("Code") in _UNAVAILABLE_CODES:
        return True
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if status >= 500 or status in _UNAVAILABLE_STATUS:
        return True
    # PynamoDB keeps the reasons on its own error class and drops the rest of the response.
    reasons = getattr(error, "cancellation_reasons", ())
    codes = {reason.code for reason in reasons if reason is not None}
    return bool(codes) and codes <= TEMPORARY_REASONS
