"""The parsers of settings: text to a typed value, with bounds and clear errors."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from functools import partial
from ipaddress import ip_network
from pathlib import Path
from typing import Any

from environs import Env
from marshmallow import ValidationError
from marshmallow.validate import Length, OneOf, Range, Regexp

from models import (
    MAX_OWN_ROLES,
    SPECIAL_USE_DOMAINS,
    RateLimit,
    Role,
    ascii_domain,
    field_rules,
)
from models.errors import InvalidEmail

Validator = Callable[[Any], Any]
_UNIT_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_MAX_QUOTA = 1_000_000


class SettingError(Exception):
    """A setting is missing or wrong. The text names the variable and what to do."""


@dataclass(frozen=True)
class Parser:
    """How the text of a variable becomes a value.

    Attributes:
        read: Reads a variable that is set: the environment and its name.
        allowed: The accepted values, in Markdown.
    """

    read: Callable[[Env, str], Any]
    allowed: str = ""


def text(*validators: Validator) -> Parser:
    """Return a parser of any text that passes the validators."""
    return Parser(partial(_call, "str", validate=list(validators)))


def integer(low: int, high: int | None = None) -> Parser:
    """Return a parser of whole numbers within bounds."""
    allowed = f"{low} or more" if high is None else f"{low} to {high}"
    return Parser(partial(_call, "int", validate=Range(min=low, max=high)), allowed)


def number(low: float, high: float) -> Parser:
    """Return a parser of numbers within bounds."""
    return Parser(
        partial(_call, "float", validate=Range(min=low, max=high)), f"{low:g} to {high:g}"
    )


def switch() -> Parser:
    """Return a parser of `on` and `off`; also of 1, 0, true, false, yes and no."""
    return Parser(partial(_call, "bool"), "`on` or `off`")


def choice(options: type[StrEnum] | tuple[str, ...]) -> Parser:
    """Return a parser of the values of an enumeration, or of a few strings."""
    if isinstance(options, tuple):
        read = partial(_call, "str", validate=OneOf(options))
    else:
        read = partial(_call, "enum", enum=options, by_value=True)
    return Parser(read, " or ".join(f"`{option}`" for option in options))


def duration(
    low: timedelta = timedelta(seconds=1), high: timedelta = timedelta(days=3650)
) -> Parser:
    """Return a parser of durations within bounds."""
    bounds = Range(
        low,
        high,
        error=f"Must be between {duration_text(low)} and {duration_text(high)}, as in 7d.",
    )

    def read(env: Env, name: str) -> timedelta:
        try:
            return env.timedelta(name, validate=bounds)
        except OverflowError:
            raise SettingError(f"{name} is wrong. {bounds.error}") from None

    allowed = f"a [duration](#durations) from {duration_text(low)} to {duration_text(high)}"
    return Parser(read, allowed)


def networks(*, narrowest: int = 0) -> Parser:
    """Return a parser of IP addresses and networks, separated by commas.

    Args:
        narrowest: The least length of the prefix of a network, in bits.
    """

    def validate(values: list[str]) -> None:
        _must_be_networks(values)
        for value in values:
            if ip_network(value).prefixlen < narrowest:
                raise ValidationError(f"{value} is too wide: the shortest prefix is /{narrowest}.")

    def read(env: Env, name: str) -> tuple[str, ...]:
        return tuple(env.list(name, validate=validate, delimiter=","))

    return Parser(read, f"networks of /{narrowest} or longer prefixes" if narrowest else "")


def rate(default: RateLimit) -> Parser:
    """Return a parser of a number of requests in a time, as in 300/1m.

    Args:
        default: The limit whose name the value has.
    """
    hint = (
        f"must be a number of requests from 1 to {_MAX_QUOTA} and a time from 1s to 1d,"
        " as in 300/1m"
    )

    def read(env: Env, name: str) -> RateLimit:
        found = re.fullmatch(r"([1-9][0-9]{0,6})/([1-9][0-9]{0,4})([smhd])", env.str(name))
        if found is None:
            raise SettingError(f"{name} {hint}.")
        quota, window = int(found[1]), int(found[2]) * _UNIT_SECONDS[found[3]]
        if quota > _MAX_QUOTA or window > _UNIT_SECONDS["d"]:
            raise SettingError(f"{name} {hint}.")
        return replace(default, quota=quota, window=window)

    return Parser(read, "requests in a time, as in 300/1m")


def rate_text(limit: RateLimit) -> str:
    """Return a rate limit as a setting writes it, as in 300/1m."""
    units = sorted(_UNIT_SECONDS.items(), key=lambda unit: -unit[1])
    unit, seconds = next(one for one in units if limit.window % one[1] == 0)
    return f"{limit.quota}/{limit.window // seconds}{unit}"


def origins() -> Parser:
    """Return a parser of web origins (RFC 6454), separated by commas."""

    def read(env: Env, name: str) -> tuple[str, ...]:
        return tuple(env.list(name, validate=_must_be_origins, delimiter=","))

    return Parser(read)


def app_urls() -> Parser:
    """Return a parser of URLs of applications, separated by commas, without a slash at the end."""

    def read(env: Env, name: str) -> tuple[str, ...]:
        urls: list[str] = env.list(name, validate=_must_be_app_urls, delimiter=",")
        return tuple(url.rstrip("/") for url in urls)

    return Parser(read)


def range_url() -> Parser:
    """Return a parser of the URL of a range search: https, or http on this computer."""
    allowed = "An `https` URL, or `http` on a loopback address, without a query"
    return Parser(partial(_call, "str", validate=_must_be_range_url), allowed)


def issuer() -> Parser:
    """Return a parser of the identifier of an issuer (RFC 8414, section 2)."""
    allowed = "an `https` URL, or `http` for a local service, without a query"
    return Parser(
        text(matches(r"https?://[^\s/?#@]+(/[^\s?#]*)?", "must be a URL without a query")).read,
        allowed,
    )


def usernames() -> Parser:
    """Return a parser of usernames, separated by commas."""

    def read(env: Env, name: str) -> tuple[str, ...]:
        return tuple(env.list(name, validate=_must_be_usernames, delimiter=","))

    return Parser(read)


def roles() -> Parser:
    """Return a parser of roles of the operator, separated by commas."""

    def read(env: Env, name: str) -> tuple[str, ...]:
        return tuple(env.list(name, validate=_must_be_roles, delimiter=","))

    return Parser(read)


def domains(*, special_use: bool = False, subdomains: bool = False) -> Parser:
    """Return a parser of domains of email addresses, separated by commas; they become ASCII.

    Args:
        special_use: Whether only special-use domains are accepted, instead of all others.
        subdomains: Whether `*.example.com` is accepted.
    """
    example = "test,home.arpa" if special_use else "example.com,b\u00fccher.example"

    def read_one(text: str) -> str:
        text = text.strip().lower()
        prefix = "*." if subdomains and text.startswith("*.") else ""
        domain = text.removeprefix(prefix)
        if domain in SPECIAL_USE_DOMAINS:
            return prefix + domain
        if special_use and not domain.endswith(tuple(f".{one}" for one in SPECIAL_USE_DOMAINS)):
            raise InvalidEmail("email", "The domain needs no permission.")
        return prefix + ascii_domain(domain)

    def read(env: Env, name: str) -> tuple[str, ...]:
        try:
            return tuple(map(read_one, env.list(name, delimiter=",")))
        except InvalidEmail:
            kind = "special-use domains" if special_use else "domains"
            raise SettingError(f"{name} must be {kind}, as in {example}.") from None

    allowed = ", ".join(f"`{one}`" for one in sorted(SPECIAL_USE_DOMAINS)) if special_use else ""
    return Parser(read, f"{allowed} and domains below them" if allowed else "")


def file_path() -> Parser:
    """Return a parser of the path of a file or a folder."""

    def read(env: Env, name: str) -> Path:
        return Path(env.str(name, validate=not_empty()))

    return Parser(read)


def module_name() -> Parser:
    """Return a parser of the absolute name of a Python module."""
    name = r"[A-Za-z_][A-Za-z0-9_]*"
    return text(
        matches(
            rf"{name}(\.{name})*", "must be the name of a Python module, as in acme.roster_hooks"
        )
    )


def pairs(hint: str, *, key: str = ".+", min_length: int = 0, optional: bool = False) -> Parser:
    """Return a parser of `name=value` pairs, separated by commas.

    Args:
        hint: What the text must be, with an example; never the text itself, which may be secret.
        key: The pattern of a name.
        min_length: The least number of characters of a value.
        optional: Whether the value without any pair is None instead of an empty dict.
    """

    def read(env: Env, name: str) -> dict[str, str] | None:
        try:
            values: dict[str, str] | None = env.dict(name)
        except ValueError:
            raise SettingError(f"{name} {hint}") from None
        for tag, value in (values or {}).items():
            if not re.fullmatch(key, tag) or len(value) < min_length:
                raise SettingError(f"{name} {hint}")
        return values or (None if optional else {})

    return Parser(read)


def duration_text(value: timedelta) -> str:
    """Return a duration as a setting writes it, as in 1d12h."""
    rest, parts = int(value.total_seconds()), []
    for unit, seconds in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        count, rest = divmod(rest, seconds)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"


def matches(pattern: str, hint: str) -> Validator:
    """Return a validator of text that matches a pattern as a whole."""
    return Regexp(rf"(?:{pattern})\Z", error=f"{hint[0].upper()}{hint[1:]}.")


def not_empty() -> Validator:
    """Return a validator of text with at least one character."""
    return Length(min=1)


def _call(method: str, env: Env, name: str, **options: Any) -> Any:
    return getattr(env, method)(name, **options)


def _must_be_origins(values: list[str]) -> None:
    for value in values:
        # As browsers write it: lower case, no path, not even a slash.
        if not re.fullmatch(r"https?://[a-z0-9.-]+(:\d+)?|https?://\[[0-9a-f:]+\](:\d+)?", value):
            raise ValidationError("Must be origins, as in https://app.example.com.")


def _must_be_app_urls(values: list[str]) -> None:
    for value in values:
        # As browsers write it: what people are sent to begins with this text, byte by byte.
        if not re.fullmatch(
            r"https?://([a-z0-9.-]+|\[[0-9a-f:]+\])(:\d+)?(/[A-Za-z0-9._~-]+)*/?", value
        ):
            raise ValidationError("Must be URLs, as in https://app.example.com/start.")


def _must_be_range_url(value: str) -> None:
    # Passwords must not depend on who can read or change a connection.
    loopback = r"http://(127\.\d+\.\d+\.\d+|localhost|\[::1\])(:\d+)?(/[^\s?#]*)?"
    if not re.fullmatch(rf"https://[^\s/?#@]+(/[^\s?#]*)?|{loopback}", value):
        raise ValidationError("Must be an https URL, as in https://api.example.com/range/.")


def _must_be_usernames(values: list[str]) -> None:
    if not all(field_rules.USERNAME.matches(value) for value in values):
        raise ValidationError("Must be usernames, as in acme,billing-team.")


def _must_be_roles(values: list[str]) -> None:
    for value in values:
        if not field_rules.ROLE.matches(value):
            raise ValidationError(
                "Must be roles of 1 to 32 letters (a-z), digits or hyphens that start with a"
                " letter, as in billing,team-lead."
            )
        if value in set(Role):
            raise ValidationError(f"The role {value} is built in: leave it out.")
    if len(set(values)) < len(values) or len(values) > MAX_OWN_ROLES:
        raise ValidationError(f"Must be at most {MAX_OWN_ROLES} different roles.")


def _must_be_networks(values: list[str]) -> None:
    for value in values:
        try:
            ip_network(value)
        except ValueError:
            raise ValidationError(
                "Must be addresses or networks, as in 10.0.0.0/8,192.0.2.7."
            ) from None
