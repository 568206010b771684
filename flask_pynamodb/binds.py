"""The settings of each database of an app."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from flask_pynamodb.errors import ConfigurationError, reject_incomplete_keys
from flask_pynamodb.extra_headers import reject_reserved
from flask_pynamodb.setting_values import read_bind
from flask_pynamodb.settings import CONNECTION_KEYS, PREFIX, SETTINGS

_RECORDED_IN_DEBUG_MODE = 100
_PARTS_OF_KEY = ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN")
# The keys that each database may have its own value of.
_SHARED = {key.removeprefix(PREFIX) for key, setting in SETTINGS.items() if not setting.is_per_app}


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


def read_max_recorded_calls(settings: Mapping[str, Any], *, is_debugged: bool) -> int:
    """Return how many calls of a request are recorded at most, 0 for none.

    Args:
        settings: The values of all settings, from `read_settings`.
        is_debugged: Whether the app is in Flask's debug mode.
    """
    chosen: int | None = settings["DYNAMODB_RECORD_CALLS"]
    if chosen is not None:
        return chosen
    return _RECORDED_IN_DEBUG_MODE if is_debugged or settings["DYNAMODB_DEBUG"] else 0


def read_binds(settings: Mapping[str, Any]) -> dict[str | None, Bind]:
    """Return every database of an app by its bind key; None is the key of the main one.

    Args:
        settings: The values of all settings, from `read_settings`.

    Raises:
        ConfigurationError: A setting of a bind is invalid, or settings contradict each other.
    """
    main = {key: settings[f"{PREFIX}{key}"] for key in _SHARED}
    binds: dict[str | None, Bind] = {None: _make_bind(main)}
    for name, own in (settings["DYNAMODB_BINDS"] or {}).items():
        binds[name] = _make_bind({**main, **read_bind(name, own, _SHARED)})
    return binds


def _make_bind(values: dict[str, Any]) -> Bind:
    reject_incomplete_keys(*(values[f"AWS_{name}"] for name in _PARTS_OF_KEY))
    if values["TRANSPORT"] == "curl":
        try:
            reject_reserved(values["EXTRA_HEADERS"] or {})
        except ValueError as error:
            raise ConfigurationError(f"{PREFIX}EXTRA_HEADERS {error}.") from None
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
    return Bind(values)
