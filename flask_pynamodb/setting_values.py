"""The values of the settings in `app.config`, in a bind and in the Meta of a model."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from pynamodb import settings as pynamodb_settings

from flask_pynamodb.errors import ConfigurationError
from flask_pynamodb.setting import is_unset
from flask_pynamodb.settings import CONNECTION_KEYS, PREFIX, SETTINGS

_NAMES = tuple(key.removeprefix(PREFIX) for key in SETTINGS)
# How similar a typo is to a name, from 0 to 1: READ_TIMEOUT is one of READ_TIMEOUT_SECONDS.
_SIMILARITY = 0.75
# Keys that apps often have for themselves, although they are similar to a setting.
_KEYS_OF_APPS = frozenset({"TABLE_NAME", "TABLE_NAMES"})
# The settings that PynamoDB and this extension read from a model's Meta, besides those.
_OTHER_META_NAMES = (
    "allow_scan",
    "base_backoff_ms",
    "billing_mode",
    "point_in_time_recovery",
    "read_capacity_units",
    "stream_view_type",
    "table_name",
    "tags",
    "write_capacity_units",
)
_TYPED_META_NAMES = frozenset(CONNECTION_KEYS).union(
    name for name in _OTHER_META_NAMES if f"{PREFIX}{name.upper()}" in SETTINGS
)


def read_settings(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the value of each setting in its type, by the keys of `app.config`.

    A value that is not set is that of PynamoDB's own settings file, `PYNAMODB_CONFIG`, else the
    default.

    Raises:
        ConfigurationError: A setting has an invalid value, or a key is a misspelled setting.
    """
    own = {
        key.removeprefix(PREFIX): value for key, value in config.items() if key.startswith(PREFIX)
    }
    errors = [
        f"{PREFIX}{key} is not a setting: did you mean {PREFIX}{nearest}?"
        for key in own
        if (nearest := _nearest(key, _NAMES)) and key not in _KEYS_OF_APPS
    ]
    values = {name: _or_pynamodbs(name, own.get(name)) for name in _NAMES}
    converted = convert(values, PREFIX, errors)
    return {f"{PREFIX}{name}": value for name, value in converted.items()}


def read_bind(name: str, own: Any, allowed: Iterable[str]) -> dict[str, Any]:
    """Return the settings of one of `DYNAMODB_BINDS`, each in its type.

    Args:
        name: The bind key.
        own: Its settings, by the keys of `app.config` without `DYNAMODB_`.
        allowed: The keys that it may have.

    Raises:
        ConfigurationError: A setting is unknown or has an invalid value.
    """
    label = f"{PREFIX}BINDS[{name!r}]"
    if not isinstance(own, Mapping):
        raise ConfigurationError(f"{label} must be a mapping, not {type(own).__name__}.")
    unknown = sorted(own.keys() - set(allowed))
    if unknown:
        guesses = [guess for key in unknown if (guess := _nearest(key, _NAMES))]
        raise ConfigurationError(
            f"{label} has unknown keys: {', '.join(unknown)}. Write them without {PREFIX}, as in"
            f" {' and '.join(guesses) or 'REGION'}."
        )
    return convert(own, f"{label} ", [])


def read_meta(model: str, name: str, value: Any) -> Any:
    """Return a value of a model's Meta, in its type if it is one of a setting, None if it is unset.

    Raises:
        ConfigurationError: The value is invalid, or the name is a misspelled setting.
    """
    if is_unset(value):
        return None
    if name in _TYPED_META_NAMES:
        try:
            return SETTINGS[f"{PREFIX}{name.upper()}"].convert(value)
        except ValueError as error:
            raise ConfigurationError(f"{model}.Meta.{name} {error}.") from None
    nearest = _nearest(name, (*CONNECTION_KEYS, *_OTHER_META_NAMES))
    if nearest is not None:
        raise ConfigurationError(f"{model}.Meta.{name} is not a setting: did you mean {nearest}?")
    return value


def convert(values: Mapping[str, Any], label: str, errors: Iterable[str]) -> dict[str, Any]:
    """Return values in their types.

    Args:
        values: By the keys of `app.config` without `DYNAMODB_`.
        label: What an error puts before such a key.
        errors: The texts of other errors.

    Raises:
        ConfigurationError: There are errors; it names all invalid values, and repeats none.
    """
    converted, found = {}, list(errors)
    for name, value in values.items():
        try:
            converted[name] = SETTINGS[f"{PREFIX}{name}"].convert(value)
        except ValueError as error:
            found.append(f"{label}{name} {error}.")
    if found:
        raise ConfigurationError(" ".join(found))
    return converted


def _or_pynamodbs(name: str, value: Any) -> Any:
    """Return a value, or, if it is not set, that of PynamoDB's own settings file."""
    if is_unset(value) and SETTINGS[f"{PREFIX}{name}"].is_per_connection:
        return getattr(pynamodb_settings.override_settings, name.lower(), None)
    return value


def _nearest(name: str, names: Iterable[str]) -> str | None:
    """Return the name of which another one is probably a misspelling; None for a known name."""
    known = tuple(names)
    if name in known:
        return None
    return next(iter(get_close_matches(name, known, 1, _SIMILARITY)), None)
