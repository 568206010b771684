"""The settings of flask_pynamodb, made from the declarations of the extension."""

import re
from collections.abc import Mapping
from typing import Any

from flask_pynamodb.setting import Setting as ExtensionSetting
from flask_pynamodb.settings import SETTINGS
from roster.config.parsing import Parser, choice, integer, matches, number, pairs, switch, text
from roster.config.setting import Setting, read_all

# Clients wait for each response, so the timeouts are shorter than the extension's defaults.
_DEFAULTS: Mapping[str, Any] = {
    "DYNAMODB_CONNECT_TIMEOUT_SECONDS": 2.0,
    "DYNAMODB_READ_TIMEOUT_SECONDS": 5.0,
    "DYNAMODB_DEADLINE_SECONDS": 10.0,
    "DYNAMODB_MAX_POOL_CONNECTIONS": 16,
    "DYNAMODB_TABLE_PREFIX": "roster-",
}
# AWS sets AWS_REGION in containers and functions; botocore reads AWS_DEFAULT_REGION.
_FALLBACKS = {"DYNAMODB_REGION": ("AWS_REGION", "AWS_DEFAULT_REGION")}
_DEFAULT_TEXTS = {
    "DYNAMODB_REGION": "`AWS_REGION`, else `AWS_DEFAULT_REGION`, else `~/.aws/config`"
}


def _setting(key: str, declared: ExtensionSetting) -> Setting:
    default = _DEFAULTS.get(key, declared.default)
    return Setting(
        key,
        _parser(declared),
        default,
        example=declared.example,
        meaning=f"{_without_links(declared.meaning)}.",
        default_text=_DEFAULT_TEXTS.get(key, declared.unset if default is None else ""),
        fallbacks=_FALLBACKS.get(key, ()),
        is_secret=declared.is_secret,
    )


def _without_links(text: str) -> str:
    # They lead to sections of the extension's own page.
    return re.sub(r"\[(.+?)\]\(.+?\)", r"\1", text)


def _parser(declared: ExtensionSetting) -> Parser:
    low, high = declared.bounds
    if declared.kind is bool:
        return switch()
    if declared.kind is int:
        return integer(int(low or 0), None if high is None else int(high))
    if declared.kind is float:
        return number(low or 0, high or 0)
    if declared.kind is Mapping:
        return pairs("must be pairs, as in x-team=accounts,x-tier=gold.", optional=True)
    if declared.choices:
        return choice(declared.choices)
    return text(*([matches(declared.pattern, declared.hint)] if declared.pattern else []))


# The settings of the extension that the environment may have; the others are for code.
DYNAMODB_SETTINGS: Mapping[str, Setting] = {
    key: _setting(key, declared) for key, declared in SETTINGS.items() if declared.example
}


def read_dynamodb(errors: list[str]) -> dict[str, Any]:
    """Read the settings of the extension.

    Args:
        errors: The texts of errors are appended to it.

    Returns:
        The values by the keys of `app.config`.
    """
    values = read_all(DYNAMODB_SETTINGS, errors)
    capacities = ("DYNAMODB_READ_CAPACITY_UNITS", "DYNAMODB_WRITE_CAPACITY_UNITS")
    for given, missing in (capacities, capacities[::-1]):
        if values[given] is not None and values[missing] is None:
            errors.append(f"{given} is set: set {missing} too, or neither.")
    return values
