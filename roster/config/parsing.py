"""What reading settings needs: the one error, and checks that several settings share."""

import re
from datetime import timedelta

from environs import Env
from marshmallow import ValidationError
from marshmallow.validate import Range


class SettingError(Exception):
    """A setting is missing or wrong. The text names the variable and says what to do."""


_BOUNDS = "Must be between 1s and 3650d, as in 7d."
_ANY_LIFETIME = Range(timedelta(seconds=1), timedelta(days=3650), error=_BOUNDS)


def lifetime(env: Env, name: str, default: timedelta, bounds: Range = _ANY_LIFETIME) -> timedelta:
    """A duration within bounds.

    Raises:
        SettingError: It has so many digits that it is none.
        EnvError: It is not one, or out of bounds.
    """
    try:
        return env.timedelta(name, default, validate=bounds)
    except OverflowError:
        raise SettingError(f"ROSTER_{name} is wrong. {bounds.error}") from None


def must_be_url(value: str) -> None:
    """Refuse what is not an address that HTTP knows.

    Raises:
        ValidationError: It is none.
    """
    if not re.fullmatch(r"https?://[^\s/]+(/\S*)?", value):
        raise ValidationError("Must be a URL, as in http://127.0.0.1:8000.")
