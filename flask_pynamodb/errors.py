"""What can go wrong below a model, and whether waiting would help.

Exception
 ├── RuntimeError
 │    ├── ConfigurationError   a setting is missing, wrong or contradicts another one
 │    └── ScanRefused          a Scan that nobody allowed
 ├── ValueError
 │    └── InvalidCursor        a page cursor was forged, changed, or belongs to another list
 ├── NotUnique                 somebody else has a value that has to be unique
 └── VersionConflict           the item has changed since it was read
"""

from botocore.exceptions import (
    ClientError,
    ConnectionError,
    CredentialRetrievalError,
    HTTPClientError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
)
from pynamodb.exceptions import PynamoDBException, TableDoesNotExist

# Error codes by which DynamoDB says "not now" or "not with this set-up", as opposed to "not this
# request". Source: "Error handling with DynamoDB" in the DynamoDB developer guide.
_OUT_OF_REACH_CODES = frozenset(
    {
        "AccessDeniedException",
        "ExpiredTokenException",
        "InternalServerError",
        "InvalidSignatureException",
        "MissingAuthenticationTokenException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ResourceNotFoundException",
        "ServiceUnavailable",
        "ThrottlingException",
        "TransactionConflictException",
        "TransactionInProgressException",
        "UnrecognizedClientException",
    }
)
# Why one item of a cancelled transaction may be tried again unchanged.
PASSING_REASONS = frozenset(
    {"ProvisionedThroughputExceeded", "ThrottlingError", "TransactionConflict"}
)


class ConfigurationError(RuntimeError):
    """A setting is missing, wrong or contradicts another one. The text names it."""


class ScanRefused(RuntimeError):
    """A Scan, which reads a whole table, is not allowed."""


class ScanWarning(UserWarning):
    """A Scan, which reads a whole table, is not marked as intended."""


class NotUnique(Exception):
    """Another item has a value that must be unique.

    Attributes:
        name: What was to be unique, as in `email`.
    """

    def __init__(self, name: str) -> None:
        super().__init__(f"This {name} is taken.")
        self.name = name


class VersionConflict(Exception):
    """The item has changed, or is gone, since it was read."""


class InvalidCursor(ValueError):
    """The cursor was not made by this app for this list, key and filter."""


_OUT_OF_REACH = (
    ConfigurationError,
    ConnectionError,
    CredentialRetrievalError,
    HTTPClientError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    TableDoesNotExist,
)


def error_code(error: PynamoDBException) -> str | None:
    """DynamoDB's error code behind an error of PynamoDB's, None where there was no answer.

    PynamoDB's own `cause_response_code` fails on a connection that was closed, whose error has a
    response that is None.
    """
    response = getattr(error.cause, "response", None) or {}
    code: str | None = response.get("Error", {}).get("Code")
    return code


def is_unavailable(error: BaseException) -> bool:
    """Whether DynamoDB, a table or the credentials for it are out of reach.

    Args:
        error: Anything that a model or the connection raised.

    Returns:
        True if the same request could succeed later without a change to it; False for a mistake
        in the request and for everything that DynamoDB has nothing to do with.
    """
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, _OUT_OF_REACH):
            return True
        if isinstance(cause, ClientError):
            return _says_not_now(cause)
        cause = getattr(cause, "cause", None) or cause.__cause__
    return False


def _says_not_now(error: ClientError) -> bool:
    if error.response.get("Error", {}).get("Code") in _OUT_OF_REACH_CODES:
        return True
    if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) >= 500:
        return True
    # PynamoDB keeps the reasons on its own error class and drops the rest of the response.
    reasons = getattr(error, "cancellation_reasons", ())
    codes = {reason.code for reason in reasons if reason is not None}
    return bool(codes) and codes <= PASSING_REASONS
