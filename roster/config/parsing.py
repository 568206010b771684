"""Shared by the settings: their error, and validators."""

import re
from datetime import timedelta

from environs import Env
from marshmallow import ValidationError
from marshmallow.validate import Range


class SettingError(Exception):
    """A setting is missing or wrong. The text names the variable and what to do."""


_BOUNDS = "Must be between 1s and 3650d, as in 7d."
_ANY_LIFETIME = Range(timedelta(seconds=1), timedelta(days=3650), error=_BOUNDS)


def lifetime(env: Env, name: str, default: timedelta, bounds: Range = _ANY_LIFETIME) -> timedelta:
    """Read a duration within bounds.

    Raises:
        SettingError: It has too many digits.
        EnvError: It is not a duration, or out of bounds.
    """
    try:
        return env.timedelta(name, default, validate=bounds)
    except OverflowError:
        raise SettingError(f"ROSTER_{name} is wrong. {bounds.error}") from None


def must_be_url(value: str) -> None:
    """Reject what is not an HTTP URL.

    Raises:
        ValidationError: It is not one.
    """
    if not re.fullmatch(r"https?://[^\s/]+(/\S*)?", value):
        raise ValidationError("Must be a URL, as in http://127.0.0.1:8000.")
