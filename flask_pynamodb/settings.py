"""The extension's settings: one declaration per key."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from flask_pynamodb.extra_headers import reject_invalid
from flask_pynamodb.setting import Setting
from flask_pynamodb.transport import DEFAULT_TRANSPORT, FORMER_NAMES, TRANSPORTS

PREFIX = "DYNAMODB_"

BILLING_MODES = ("PAY_PER_REQUEST", "PROVISIONED")

_SECONDS = (0.05, 300)
_PART_OF_NAME = r"[A-Za-z0-9_.-]*"
_PART_HINT = "may have letters, digits, _, . and - only"


def _check_session(value: Any) -> None:
    if not callable(getattr(value, "create_client", None)):
        raise ValueError(
            "must be a botocore session, as from botocore.session.get_session(); a boto3 session"
            " can share it: boto3.Session(botocore_session=session)"
        )


def _check_callable(value: Any) -> None:
    if not callable(value):
        raise ValueError("must be a callable")


def _check_retries(value: Any) -> None:
    is_named = isinstance(value, str) and value in ("LEGACY", "UNSET")
    if not (is_named or isinstance(value, Mapping)):
        raise ValueError('must be a mapping of botocore\'s retries, or "UNSET" or "LEGACY"')


def _check_tracing(value: bool) -> None:
    try:
        if value:
            import_module("opentelemetry.trace")
    except ImportError:
        raise ValueError(
            "needs opentelemetry-api: pip install flask-pynamodb-models[tracing]"
        ) from None


# The only list of the keys; DEFAULTS, the tables of the documentation and Roster's settings are
# made from it.
SETTINGS: Mapping[str, Setting] = {
    "DYNAMODB_REGION": Setting(
        str,
        None,
        "The AWS region",
        unset="the region that botocore finds",
        example="eu-central-1",
        pattern=r"[a-z0-9-]+",
        hint="must be a region, as in eu-central-1",
        is_per_connection=True,
    ),
    "DYNAMODB_HOST": Setting(
        str,
        None,
        "The endpoint URL of DynamoDB Local or of another endpoint",
        unset="the endpoint of AWS",
        example="http://127.0.0.1:8000",
        pattern=r"https?://[^\s/]+(/\S*)?",
        hint="must be a URL, as in http://127.0.0.1:8000",
        is_per_connection=True,
    ),
    "DYNAMODB_CONNECT_TIMEOUT_SECONDS": Setting(
        float,
        15.0,
        "Timeout of connecting: {allowed}",
        example="0.5",
        bounds=_SECONDS,
        is_per_connection=True,
    ),
    "DYNAMODB_READ_TIMEOUT_SECONDS": Setting(
        float,
        30.0,
        "Timeout of each part of a response: {allowed}",
        example="1.5",
        bounds=_SECONDS,
        is_per_connection=True,
    ),
    "DYNAMODB_BASE_BACKOFF_MS": Setting(
        int,
        25,
        "The first delay after conflicting transactions, doubled each time, with jitter: {allowed}",
        example="50",
        bounds=(1, 1000),
    ),
    "DYNAMODB_MAX_RETRY_ATTEMPTS": Setting(
        int,
        3,
        "Retries after the first attempt: {allowed}",
        example="1",
        bounds=(0, 10),
        is_per_connection=True,
    ),
    "DYNAMODB_RETRY_CONFIGURATION": Setting(
        object,
        None,
        "botocore's retries: a mapping with `mode` and `total_max_attempts`, or `UNSET` for"
        " `AWS_RETRY_MODE` and `AWS_MAX_ATTEMPTS`; curl has the mode `standard` only",
        unset="the standard mode with `DYNAMODB_MAX_RETRY_ATTEMPTS`",
        check=_check_retries,
        is_per_connection=True,
    ),
    "DYNAMODB_MAX_POOL_CONNECTIONS": Setting(
        int,
        10,
        "Connections that each process keeps open: {allowed}",
        example="32",
        bounds=(1, None),
        is_per_connection=True,
    ),
    "DYNAMODB_EXTRA_HEADERS": Setting(
        Mapping,
        None,
        "Headers that are sent with each request, by name",
        unset="no headers",
        example="x-team=accounts,x-tier=gold",
        check=reject_invalid,
        is_secret=True,
        is_per_connection=True,
    ),
    "DYNAMODB_AWS_ACCESS_KEY_ID": Setting(
        str,
        None,
        "Credentials for this app alone",
        unset="botocore's credential chain",
        example="AKIAIOSFODNN7EXAMPLE",
        is_per_connection=True,
    ),
    "DYNAMODB_AWS_SECRET_ACCESS_KEY": Setting(
        str,
        None,
        "The secret of the access key",
        example="wJalrXUtnFEMI/EXAMPLEKEY",
        is_secret=True,
        is_per_connection=True,
    ),
    "DYNAMODB_AWS_SESSION_TOKEN": Setting(
        str,
        None,
        "The session token of temporary credentials",
        example="IQoJb3JpZ2luX2Vj",
        is_secret=True,
        is_per_connection=True,
    ),
    "DYNAMODB_SESSION": Setting(
        object,
        None,
        "A botocore session with credentials and region",
        unset="a new session",
        check=_check_session,
    ),
    "DYNAMODB_READ_CAPACITY_UNITS": Setting(
        int,
        None,
        "Read capacity of new tables and indexes: {allowed}",
        unset="on demand",
        example="5",
        bounds=(1, None),
    ),
    "DYNAMODB_WRITE_CAPACITY_UNITS": Setting(
        int,
        None,
        "Write capacity: {allowed}. Set both capacities or neither",
        example="5",
        bounds=(1, None),
    ),
    "DYNAMODB_BILLING_MODE": Setting(
        str,
        None,
        "Billing mode of new tables: {allowed}",
        unset="follows the capacity units",
        example="PAY_PER_REQUEST",
        choices=BILLING_MODES,
    ),
    "DYNAMODB_TABLE_PREFIX": Setting(
        str,
        "",
        "The prefix of every table name",
        example="staging-",
        pattern=_PART_OF_NAME,
        hint=_PART_HINT,
    ),
    "DYNAMODB_TABLE_SUFFIX": Setting(
        str,
        "",
        "The suffix of every table name",
        example="-v2",
        pattern=_PART_OF_NAME,
        hint=_PART_HINT,
    ),
    "DYNAMODB_TABLE_NAMER": Setting(
        object,
        None,
        "A callable that returns the full table name for the name of a model",
        unset="prefix and suffix",
        check=_check_callable,
    ),
    "DYNAMODB_MIGRATIONS_TABLE": Setting(
        str,
        "migrations",
        "The name of the table with the history of [migrations](migrations.md), without prefix and"
        " suffix",
        pattern=r"[A-Za-z0-9_.-]+",
        hint=_PART_HINT,
    ),
    "DYNAMODB_TRANSPORT": Setting(
        str,
        DEFAULT_TRANSPORT,
        "The HTTP client of requests to DynamoDB: {allowed}",
        example="botocore",
        choices=TRANSPORTS,
        former_names=FORMER_NAMES,
    ),
    "DYNAMODB_DEADLINE_SECONDS": Setting(
        float,
        None,
        "Deadline of one call with all its attempts and delays, with `curl` only: {allowed}",
        unset="no deadline",
        example="3",
        bounds=_SECONDS,
    ),
    "DYNAMODB_BINDS": Setting(
        Mapping,
        None,
        "[Further databases](settings.md#several-databases) by bind key",
        unset="none",
        is_per_app=True,
    ),
    "DYNAMODB_ALLOW_SCAN": Setting(
        bool,
        None,
        "Whether [scans](models.md#scans) are allowed: `True`, or `False` to raise an error",
        unset="allowed with a warning",
        is_per_app=True,
    ),
    "DYNAMODB_DEBUG": Setting(
        bool,
        False,
        "Whether each response has a [`Server-Timing`](monitoring.md#what-a-request-spends) header"
        " with the time spent on DynamoDB",
        example="on",
        is_per_app=True,
    ),
    "DYNAMODB_TRACING": Setting(
        bool,
        False,
        "Whether calls by curl have [OpenTelemetry spans](monitoring.md#opentelemetry), the same as"
        " those of the instrumentation of botocore",
        check=_check_tracing,
        is_per_app=True,
    ),
    "DYNAMODB_RECORD_CALLS": Setting(
        int,
        None,
        "How many calls of each request are [recorded](monitoring.md#what-a-request-spends) at"
        " most: {allowed}",
        unset="100 with `DYNAMODB_DEBUG` and in Flask's debug mode, else 0",
        bounds=(0, 10_000),
        is_per_app=True,
    ),
}

DEFAULTS: Mapping[str, Any] = {key: setting.default for key, setting in SETTINGS.items()}

# The settings of a connection, as a model's Meta writes them.
CONNECTION_KEYS = tuple(
    key.removeprefix(PREFIX).lower()
    for key, setting in SETTINGS.items()
    if setting.is_per_connection
)
