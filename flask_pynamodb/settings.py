"""The extension's settings: one declaration per key, and the values for each database of an app."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask_pynamodb.errors import ConfigurationError
from flask_pynamodb.transport import DEFAULT_TRANSPORT, TRANSPORTS, current_name

PREFIX = "DYNAMODB_"

BILLING_MODES = ("PAY_PER_REQUEST", "PROVISIONED")


@dataclass(frozen=True)
class Setting:
    """The declaration of one key of `app.config`.

    Attributes:
        kind: The type of the value; `object` for values that only code can pass.
        default: The value if the key is missing.
        meaning: What it does, in Markdown; `{allowed}` stands for the accepted values.
        unset: What the default None means, in Markdown.
        example: The text of an environment variable with a valid value.
        bounds: The least and the greatest number; None is no bound.
        choices: The accepted strings, if they are few.
        pattern: The pattern of accepted strings.
        hint: What to write instead of a string that does not match.
        is_secret: Whether the value must not be displayed.
        is_per_connection: Whether a model's `Meta` may have its own value, in lower case.
        is_per_app: Whether the value is the same for all databases of an app.
    """

    kind: type
    default: Any
    meaning: str
    unset: str = ""
    example: str = ""
    bounds: tuple[float | None, float | None] = (None, None)
    choices: tuple[str, ...] = ()
    pattern: str = ""
    hint: str = ""
    is_secret: bool = False
    is_per_connection: bool = False
    is_per_app: bool = False

    @property
    def allowed(self) -> str:
        """The accepted values, in Markdown."""
        low, high = self.bounds
        if self.choices:
            return _either([f"`{choice}`" for choice in self.choices])
        if high is not None:
            return f"{low:g} to {high:g}"
        return "" if low is None else f"{low:g} or more"

    def error(self, value: Any) -> str | None:
        """Return why a value is not accepted, or None if it is."""
        # An empty string, as from an empty environment variable, means that it is not set.
        if self.kind is object or (value is None and self.default is None):
            return None
        if value == "" and self.kind is str and not self.default:
            return None
        if self.choices and current_name(value) not in self.choices:
            return f"must be {_either(self.choices)}"
        if not isinstance(value, _TYPES.get(self.kind, self.kind)):
            return f"must be {_KINDS[self.kind]}, not {type(value).__name__}"
        low, high = self.bounds
        # Not a number, unlike any number, is neither at least the one nor at most the other.
        if not ((low is None or value >= low) and (high is None or value <= high)):
            return f"must be {self.allowed}"
        if self.pattern and not re.fullmatch(self.pattern, value):
            return self.hint
        return None


# Whole numbers are numbers too, and 0 and 1 are common for False and True.
_TYPES: dict[type, Any] = {float: (int, float), bool: int}
_KINDS = {
    str: "a string",
    int: "a whole number",
    float: "a number",
    bool: "True or False",
    Mapping: "a mapping",
}
_SECONDS = (0.05, 300)
_PART_OF_NAME = r"[A-Za-z0-9_.-]*"
_PART_HINT = "may have letters, digits, _, . and - only"

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
        object, None, "A botocore session with credentials and region", unset="a new session"
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
    ),
    "DYNAMODB_TRANSPORT": Setting(
        str,
        DEFAULT_TRANSPORT,
        "The HTTP client of requests to DynamoDB: {allowed}",
        example="botocore",
        choices=TRANSPORTS,
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

_RECORDED_IN_DEBUG_MODE = 100

# The settings of a connection, as a model's Meta writes them.
CONNECTION_KEYS = tuple(
    key.removeprefix(PREFIX).lower()
    for key, setting in SETTINGS.items()
    if setting.is_per_connection
)


@dataclass(frozen=True)
class Bind:
    """The settings of one database of one app.

    Attributes:
        values: By the keys of `app.config` without `DYNAMODB_`.
    """

    values: Mapping[str, Any]

    @property
    def connection(self) -> dict[str, Any]:
        """The keyword arguments of a connection."""
        return {
            **{key: self.values[key.upper()] for key in CONNECTION_KEYS},
            "session": self.values["SESSION"],
            "transport": self.values["TRANSPORT"],
            "deadline_seconds": self.values["DEADLINE_SECONDS"],
        }

    @property
    def billing(self) -> dict[str, Any]:
        """Billing of new tables: provisioned if capacity units are given, else on demand."""
        read, write = self.values["READ_CAPACITY_UNITS"], self.values["WRITE_CAPACITY_UNITS"]
        mode = self.values["BILLING_MODE"]
        if read is None:
            return {"billing_mode": mode or "PAY_PER_REQUEST"}
        return {
            "billing_mode": mode or "PROVISIONED",
            "read_capacity_units": read,
            "write_capacity_units": write,
        }

    def billing_of(self, meta: Mapping[str, Any]) -> dict[str, Any]:
        """Return the billing of one model's table; its Meta takes precedence."""
        keys = ("billing_mode", "read_capacity_units", "write_capacity_units")
        own = {key: meta[key] for key in keys if key in meta}
        if "read_capacity_units" in own:
            own.setdefault("billing_mode", "PROVISIONED")
        return {**self.billing, **own}

    def table_name(self, name: str) -> str:
        """Return a table's full name: from the app's callable, or with its prefix and suffix."""
        namer: Callable[[str], str] | None = self.values["TABLE_NAMER"]
        if namer is not None:
            return namer(name)
        return f"{self.values['TABLE_PREFIX']}{name}{self.values['TABLE_SUFFIX']}"


def read_max_recorded_calls(config: Mapping[str, Any]) -> int:
    """Return how many calls of a request are recorded at most, 0 for none."""
    chosen: int | None = config["DYNAMODB_RECORD_CALLS"]
    if chosen is not None:
        return chosen
    is_debugged = config["DYNAMODB_DEBUG"] or config.get("DEBUG")
    return _RECORDED_IN_DEBUG_MODE if is_debugged else 0


def read_binds(config: Mapping[str, Any]) -> dict[str | None, Bind]:
    """Return every database of an app by its bind key; None is the key of the main one.

    Raises:
        ConfigurationError: A setting has an invalid value, or a bind has an unknown key.
    """
    values = {key.removeprefix(PREFIX): config[key] for key in SETTINGS}
    _validate(values, PREFIX)
    shared = {
        key.removeprefix(PREFIX) for key, setting in SETTINGS.items() if not setting.is_per_app
    }
    main = {key: value for key, value in values.items() if key in shared}
    binds: dict[str | None, Bind] = {None: _make_bind(main)}
    for name, own in (config["DYNAMODB_BINDS"] or {}).items():
        unknown = sorted(own.keys() - shared)
        if unknown:
            raise ConfigurationError(
                f"DYNAMODB_BINDS[{name!r}] has unknown keys: {', '.join(unknown)}. Write them"
                " without DYNAMODB_, as in REGION."
            )
        _validate(own, f"DYNAMODB_BINDS[{name!r}] ")
        binds[name] = _make_bind({**main, **own})
    return binds


def _make_bind(values: dict[str, Any]) -> Bind:
    if (values["READ_CAPACITY_UNITS"] is None) != (values["WRITE_CAPACITY_UNITS"] is None):
        raise ConfigurationError(
            "Set DYNAMODB_READ_CAPACITY_UNITS and DYNAMODB_WRITE_CAPACITY_UNITS together,"
            " or neither for tables on demand."
        )
    if values["BILLING_MODE"] == "PROVISIONED" and values["READ_CAPACITY_UNITS"] is None:
        raise ConfigurationError(
            "DYNAMODB_BILLING_MODE is PROVISIONED: set DYNAMODB_READ_CAPACITY_UNITS and"
            " DYNAMODB_WRITE_CAPACITY_UNITS too."
        )
    return Bind({**values, "TRANSPORT": current_name(values["TRANSPORT"])})


def _validate(values: Mapping[str, Any], label: str) -> None:
    """Reject values of the wrong type or out of bounds, all of them at once.

    Args:
        values: By the keys of `app.config` without `DYNAMODB_`.
        label: What an error puts before such a key.

    Raises:
        ConfigurationError: There is an invalid value; the text does not repeat it.
    """
    errors = [
        f"{label}{key} {error}."
        for key, value in values.items()
        if (error := SETTINGS[f"{PREFIX}{key}"].error(value)) is not None
    ]
    if errors:
        raise ConfigurationError(" ".join(errors))


def _either(choices: Sequence[str]) -> str:
    *first, last = choices
    return f"{', '.join(first)} or {last}"
