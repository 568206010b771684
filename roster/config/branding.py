"""The parsers of the settings that make the pages those of a product."""

import re
from functools import partial
from pathlib import Path

from environs import Env
from marshmallow import ValidationError

from roster.config.contrast import (
    DARK_BACKGROUND,
    LIGHT_BACKGROUND,
    MIN_CONTRAST,
    contrast,
    darkened,
    lightened,
)
from roster.config.parsing import Parser, SettingError
from web.branding import MAX_LOGO_BYTES, image_type

# No quotes, blanks, semicolons or commas: the URL becomes a part of the content security policy.
_LOGO_URL = re.compile(r"https://[a-z0-9.-]+(:\d+)?(/[A-Za-z0-9._~%/-]*)?")
_COLOR = re.compile("#[0-9a-f]{6}")
_SUPPORT_URL = re.compile(r"(https://|mailto:|tel:)[^\s\"<>]+")


def logo() -> Parser:
    """Return a parser of the URL of an image, or of the path of a file with one."""

    def read(env: Env, name: str) -> str | Path:
        value: str = env.str(name, validate=_must_be_logo)
        return value if "://" in value else Path(value)

    return Parser(read, "an `https` URL without a query, or a file")


def colors() -> Parser:
    """Return a parser of a color for light pages and one for dark pages, which may be left out."""

    def read(env: Env, name: str) -> tuple[str, ...]:
        texts: list[str] = env.list(name)
        values = [text.lower() for text in texts]
        if fault := _fault_in(values):
            raise SettingError(f"{name}: {fault}")
        return (values[0], values[1] if values[1:] else lightened(values[0]))

    return Parser(read)


def support_url() -> Parser:
    """Return a parser of a link to help: a page, an email address or a telephone number."""

    def read(env: Env, name: str) -> str:
        return str(env.str(name, validate=partial(_must_match, _SUPPORT_URL)))

    return Parser(read, "a `https`, `mailto` or `tel` URL")


def _must_match(pattern: "re.Pattern[str]", value: str) -> None:
    if not pattern.fullmatch(value):
        raise ValidationError("Must be a URL, as in https://help.example.com.")


def _must_be_logo(value: str) -> None:
    if "://" in value:
        if not _LOGO_URL.fullmatch(value):
            raise ValidationError("Must be a file or a URL, as in https://example.com/logo.svg.")
        return
    try:
        with open(value, "rb") as file:
            content = file.read(MAX_LOGO_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not a path"
        raise ValidationError(f"Must be an https URL or a readable file: {reason}.") from None
    if len(content) > MAX_LOGO_BYTES:
        raise ValidationError(f"The file has more than {MAX_LOGO_BYTES // 1000} KB.")
    if image_type(content) is None:
        raise ValidationError("The file is no SVG, PNG, JPEG or WebP image.")


def _fault_in(values: list[str]) -> str | None:
    if len(values) not in (1, 2) or not all(_COLOR.fullmatch(value) for value in values):
        return "it must be a color, as in #0b57d0, or one for light pages and one for dark pages."
    light, *dark = values
    faults = [_low_contrast(light, LIGHT_BACKGROUND, "light", darkened(light))]
    faults += [_low_contrast(color, DARK_BACKGROUND, "dark", lightened(color)) for color in dark]
    return " ".join(filter(None, faults)) or None


def _low_contrast(color: str, background: str, kind: str, better: str) -> str | None:
    ratio = contrast(color, background)
    if ratio >= MIN_CONTRAST:
        return None
    # Rounded down: 4.499 is not 4.5.
    return (
        f"{color} has a contrast of {int(ratio * 100) / 100:.2f}:1 on {kind} pages, and text needs"
        f" {MIN_CONTRAST}:1 (WCAG 2.2 AA). Of its hue, {better} has enough."
    )
