"""The declaration of one setting, and how its value is read and displayed."""

import dataclasses
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from pathlib import Path
from typing import Any

from environs import Env, EnvError

from models import RateLimit
from roster.config import secrets_manager
from roster.config.parsing import Parser, SettingError, duration_text, rate_text

_FILE_SUFFIX = "_FILE"


class _TextEnv(Env):
    """An environment in which every variable has one text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self._text = text

    def _get_value(self, env_key: str, default: Any) -> str:
        return self._text


@dataclass(frozen=True)
class Setting:
    """The declaration of one environment variable.

    The parser, the table in docs/configuration.md and `roster config` are made from it.

    Attributes:
        variable: The name of the environment variable.
        parser: Reads and validates its text.
        default: The value if the variable is not set.
        example: A valid text, for the documentation.
        meaning: What it does, in Markdown; `{allowed}` stands for the accepted values.
        default_text: The default in the documentation, in Markdown; made from the default if empty.
        fallbacks: Variables of other software that are read if this one is not set.
        is_secret: Whether the value must not be displayed. A secret may also be in a file, whose
            path is in the variable with `_FILE` at the end, or in AWS Secrets Manager, whose ARN
            is then the text.
    """

    variable: str
    parser: Parser
    default: Any
    example: str
    meaning: str
    default_text: str = ""
    fallbacks: tuple[str, ...] = ()
    is_secret: bool = False

    @property
    def file_variable(self) -> str | None:
        """The variable with the path of a file, for secrets."""
        return f"{self.variable}{_FILE_SUFFIX}" if self.is_secret else None

    @property
    def source(self) -> str:
        """The variable that the value is from, or `default`."""
        names = filter(None, (self.file_variable, self.variable, *self.fallbacks))
        return next((name for name in names if _is_set(name, self)), "default")

    def read(self, default: Any) -> Any:
        """Read the environment.

        Args:
            default: The value if the variable is not set.

        Raises:
            SettingError: The value is invalid, set twice, or its file or its secret in AWS Secrets
                Manager is not readable.
        """
        source = self.source
        if source == "default":
            return default
        try:
            if not self.is_secret:
                return self.parser.read(Env(), source)
            return self.parser.read(_TextEnv(self._secret_text(source)), self.variable)
        except EnvError as error:
            raise SettingError(str(error)) from None

    def _secret_text(self, source: str) -> str:
        """Return the text of a secret: of the variable, of the file, or of Secrets Manager."""
        text = os.environ[source]
        if source == self.file_variable:
            if self.variable in os.environ:
                raise SettingError(f"Set {self.variable} or {self.file_variable}, not both.")
            text = _read_file(source)
        return secrets_manager.fetch(text, source) if secrets_manager.is_reference(text) else text

    @property
    def default_value(self) -> Any:
        """The default; None if the setting is required."""
        if self.default is dataclasses.MISSING:
            return None
        return self.default() if callable(self.default) else self.default

    def display(self, value: Any) -> str:
        """Return a value as text; a secret is only said to be set."""
        if self.is_secret:
            return "(set)" if value else ""
        return as_text(value)


def setting(variable: str, parser: Parser, default: Any, **declaration: Any) -> Any:
    """Declare a field of a dataclass of settings; the arguments are those of `Setting`.

    A callable default is called for each instance.
    """
    declared = Setting(variable, parser, default, **declaration)
    options: dict[str, Any] = {"repr": not declared.is_secret, "metadata": {"setting": declared}}
    if default is dataclasses.MISSING:
        return dataclasses.field(**options)
    if callable(default):
        return dataclasses.field(default_factory=default, **options)
    return dataclasses.field(default=default, **options)


def declared_in(settings: type) -> dict[str, Setting]:
    """Return the declarations of a dataclass of settings by the names of its fields."""
    return {
        part.name: part.metadata["setting"]
        for part in dataclasses.fields(settings)
        if "setting" in part.metadata
    }


def read_all(declared: Mapping[str, Setting], errors: list[str], **defaults: Any) -> dict[str, Any]:
    """Read the environment for several settings.

    Args:
        declared: The settings by the names of their values.
        errors: The texts of errors are appended to it; such a setting has its default.
        defaults: Defaults of this run, by the same names; they replace the declared ones.
    """
    values = {}
    for name, one in declared.items():
        default = defaults.get(name, one.default_value)
        try:
            values[name] = one.read(default)
        except SettingError as error:
            errors.append(str(error))
            values[name] = default
    return values


def as_text(value: Any) -> str:
    """Return a value as the text that an environment variable has for it."""
    match value:
        case None:
            return ""
        case bool():
            return "on" if value else "off"
        case Enum():
            return str(value.value)
        case float():
            return f"{value:g}"
        case timedelta():
            return duration_text(value)
        case RateLimit():
            return rate_text(value)
        case Mapping():
            return ",".join(f"{key}={part}" for key, part in value.items())
        case tuple() | list():
            return ",".join(map(str, value))
        case Path():
            return str(value)
        case _:
            return str(value)


def _read_file(variable: str) -> str:
    """Return the text of the file that a variable names, without whitespace at its ends.

    The errors do not repeat the path: it is the secret itself if the variables are confused.

    Raises:
        SettingError: It cannot be read, or is empty.
    """
    try:
        text = Path(os.environ[variable]).read_text(encoding="utf-8").strip()
    except UnicodeDecodeError:
        raise SettingError(f"{variable}: the file is not UTF-8 text.") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not a path"
        raise SettingError(
            f"{variable} must be the path of a readable file: {reason[0].lower()}{reason[1:]}."
        ) from None
    if not text:
        raise SettingError(f"{variable}: the file is empty.")
    return text


def _is_set(name: str, declared: Setting) -> bool:
    # A variable of other software that is empty means that it is not set.
    return bool(os.environ.get(name)) if name in declared.fallbacks else name in os.environ
