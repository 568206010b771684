"""The extension's settings: every key, its default, and how they reach a connection."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from flask_pynamodb.errors import ConfigurationError
from flask_pynamodb.transport import DEFAULT_TRANSPORT, TRANSPORTS

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
    "DYNAMODB_BILLING_MODE": None,
    "DYNAMODB_TABLE_PREFIX": "",
    "DYNAMODB_TABLE_SUFFIX": "",
    "DYNAMODB_TABLE_NAMER": None,
    "DYNAMODB_TRANSPORT": DEFAULT_TRANSPORT,
    "DYNAMODB_DEADLINE_SECONDS": None,
    "DYNAMODB_SESSION": None,
    "DYNAMODB_BINDS": None,
    "DYNAMODB_ALLOW_SCAN": None,
    "DYNAMODB_DEBUG": False,
}

BILLING_MODES = ("PAY_PER_REQUEST", "PROVISIONED")

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
# What holds for a whole app, whichever of its databases is meant.
_OF_THE_APP = ("BINDS", "ALLOW_SCAN", "DEBUG")


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
        """The billing of one model's table: what its Meta says wins."""
        keys = ("billing_mode", "read_capacity_units", "write_capacity_units")
        own = {key: meta[key] for key in keys if key in meta}
        if "read_capacity_units" in own:
            own.setdefault("billing_mode", "PROVISIONED")
        return {**self.billing, **own}

    def table_name(self, name: str) -> str:
        """A table's full name: by the app's own rule, or with its prefix and suffix."""
        namer: Callable[[str], str] | None = self.values["TABLE_NAMER"]
        if namer is not None:
            return namer(name)
        return f"{self.values['TABLE_PREFIX']}{name}{self.values['TABLE_SUFFIX']}"


def read_binds(config: Mapping[str, Any]) -> dict[str | None, Bind]:
    """Every database of an app by its bind key; None is the key of the main one.

    Raises:
        ConfigurationError: A setting has a value that it cannot have, or a bind a key that does
            not exist.
    """
    main = {
        key.removeprefix(PREFIX): config[key]
        for key in DEFAULTS
        if key.removeprefix(PREFIX) not in _OF_THE_APP
    }
    binds: dict[str | None, Bind] = {None: Bind(main)}
    for name, own in (config["DYNAMODB_BINDS"] or {}).items():
        unknown = sorted(own.keys() - main.keys())
        if unknown:
            raise ConfigurationError(
                f"DYNAMODB_BINDS[{name!r}] has unknown keys: {', '.join(unknown)}. Write them"
                " without DYNAMODB_, as in REGION."
            )
        binds[name] = Bind({**main, **own})
    for bind in binds.values():
        _refuse_contradictions(bind.values)
    return binds


def _refuse_contradictions(values: Mapping[str, Any]) -> None:
    if values["TRANSPORT"] not in TRANSPORTS:
        raise ConfigurationError(f"DYNAMODB_TRANSPORT must be one of {', '.join(TRANSPORTS)}.")
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
    if values["BILLING_MODE"] not in (None, *BILLING_MODES):
        raise ConfigurationError(f"DYNAMODB_BILLING_MODE must be {' or '.join(BILLING_MODES)}.")
