"""Every setting, typed, read once from the environment and refused there if it is wrong."""

import os
import re
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Any

from environs import Env, EnvError
from marshmallow import ValidationError
from marshmallow.validate import Length, OneOf, Range, Regexp

from flask_pynamodb import BILLING_MODES, DEFAULT_TRANSPORT, TRANSPORTS
from models import SHORTEST_PASSWORD_MIN_LENGTH

# What DynamoDB allows in the name of a table.
_PART_OF_NAME = Regexp(r"[A-Za-z0-9_.-]*\Z", error="May have letters, digits, _, . and - only.")
_CAPACITIES = ("READ_CAPACITY_UNITS", "WRITE_CAPACITY_UNITS")


class SettingError(Exception):
    """A setting is missing or wrong. The text names the variable and says what to do."""


class SignUp(StrEnum):
    """Who may create users: anyone, or admins only."""

    OPEN = "open"
    CLOSED = "closed"


@dataclass(frozen=True)
class Config:
    """The settings of one service; docs/configuration.md explains each.

    Attributes:
        secret_key: ROSTER_SECRET_KEY, signs cursors.
        signup: ROSTER_SIGNUP.
        session_idle: ROSTER_SESSION_IDLE, a session ends after this long without use.
        session_max: ROSTER_SESSION_MAX, a session ends after this long in any case.
        password_min_length: ROSTER_PASSWORD_MIN_LENGTH, in code points.
        workers: ROSTER_WORKERS, processes of `roster serve`.
        demo: ROSTER_DEMO, whether `roster serve --local` makes the demo users.
        demo_password: ROSTER_DEMO_PASSWORD.
        dynamodb: The settings of flask_pynamodb, by their keys in `app.config`.
    """

    secret_key: str = field(repr=False)
    signup: SignUp = SignUp.OPEN
    session_idle: timedelta = timedelta(days=7)
    session_max: timedelta = timedelta(days=30)
    password_min_length: int = 15
    workers: int = field(default_factory=lambda: os.cpu_count() or 1)
    demo: bool = False
    demo_password: str = field(default="correct horse battery staple", repr=False)
    dynamodb: dict[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def from_env(cls, *, local: bool = False) -> "Config":
        """Read the environment.

        Args:
            local: Whether this is `roster serve --local`, which may have demo users and which
                makes its own secret key, endpoint and credentials.

        Raises:
            SettingError: A variable is missing or has a value that it cannot have.
        """
        try:
            config = cls._read(Env(prefix="ROSTER_"), local=local)
        except EnvError as error:
            raise SettingError(str(error)) from None
        if config.demo and not local:
            raise SettingError(
                "ROSTER_DEMO makes users with a public password: it is for"
                " `roster serve --local` only. Unset it."
            )
        return config

    @classmethod
    def _read(cls, env: Env, *, local: bool) -> "Config":
        return cls(
            secret_key=_secret_key(env, local=local),
            signup=env.enum("SIGNUP", cls.signup, enum=SignUp, by_value=True),
            session_idle=_lifetime(env, "SESSION_IDLE", cls.session_idle),
            session_max=_lifetime(env, "SESSION_MAX", cls.session_max),
            password_min_length=env.int(
                "PASSWORD_MIN_LENGTH",
                cls.password_min_length,
                validate=Range(min=SHORTEST_PASSWORD_MIN_LENGTH, max=128),
            ),
            workers=env.int("WORKERS", os.cpu_count() or 1, validate=Range(min=1, max=256)),
            demo=env.bool("DEMO", local),
            demo_password=env.str("DEMO_PASSWORD", cls.demo_password, validate=Length(min=1)),
            dynamodb=_dynamodb(Env(prefix="DYNAMODB_")),
        )

    def for_flask(self) -> dict[str, Any]:
        """The keys that Flask and its extensions read."""
        return {
            "SECRET_KEY": self.secret_key,
            "MAX_CONTENT_LENGTH": 64 * 1024,
            # RESTX lets clients prune answers by a header, and fails with 500 on a bad one.
            "RESTX_MASK_HEADER": "",
            "RESTX_MASK_SWAGGER": False,
            "RESTX_INCLUDE_ALL_MODELS": False,
            # No path that a client can take reads a whole table.
            "DYNAMODB_ALLOW_SCAN": False,
            **self.dynamodb,
        }


def _secret_key(env: Env, *, local: bool) -> str:
    key = env.str("SECRET_KEY", "").strip()
    if not key and not local:
        raise SettingError(
            "ROSTER_SECRET_KEY is not set. Give it a long random value, the same on every host:"
            " it signs the cursors of lists."
        )
    return key


def _lifetime(env: Env, name: str, default: timedelta) -> timedelta:
    bounds = "Must be between 1s and 3650d, as in 7d."
    try:
        return env.timedelta(
            name,
            default,
            validate=Range(min=timedelta(seconds=1), max=timedelta(days=3650), error=bounds),
        )
    except OverflowError:
        raise SettingError(f"ROSTER_{name} is wrong. {bounds}") from None


def _dynamodb(env: Env) -> dict[str, Any]:
    """The extension's settings; a web service waits for a shorter time than its defaults."""
    seconds = Range(min=0.05, max=300)
    units = Range(min=1)
    # Containers and functions on AWS are told their region by AWS_REGION, botocore reads the other.
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    read: dict[str, Any] = {
        "REGION": env.str("REGION", region, validate=Regexp(r"[a-z0-9-]+\Z")),
        "HOST": env.str("HOST", None, validate=_is_url),
        "CONNECT_TIMEOUT_SECONDS": env.float("CONNECT_TIMEOUT_SECONDS", 2.0, validate=seconds),
        "READ_TIMEOUT_SECONDS": env.float("READ_TIMEOUT_SECONDS", 5.0, validate=seconds),
        "BASE_BACKOFF_MS": env.int("BASE_BACKOFF_MS", 25, validate=Range(min=1, max=1000)),
        "MAX_RETRY_ATTEMPTS": env.int("MAX_RETRY_ATTEMPTS", 3, validate=Range(min=0, max=10)),
        "MAX_POOL_CONNECTIONS": env.int("MAX_POOL_CONNECTIONS", 16, validate=Range(min=1)),
        "EXTRA_HEADERS": _headers(env),
        "AWS_ACCESS_KEY_ID": env.str("AWS_ACCESS_KEY_ID", None),
        "AWS_SECRET_ACCESS_KEY": env.str("AWS_SECRET_ACCESS_KEY", None),
        "AWS_SESSION_TOKEN": env.str("AWS_SESSION_TOKEN", None),
        "READ_CAPACITY_UNITS": env.int("READ_CAPACITY_UNITS", None, validate=units),
        "WRITE_CAPACITY_UNITS": env.int("WRITE_CAPACITY_UNITS", None, validate=units),
        "TABLE_PREFIX": env.str("TABLE_PREFIX", "roster-", validate=_PART_OF_NAME),
        "TABLE_SUFFIX": env.str("TABLE_SUFFIX", "", validate=_PART_OF_NAME),
        "BILLING_MODE": env.str("BILLING_MODE", None, validate=OneOf(BILLING_MODES)),
        "TRANSPORT": env.str("TRANSPORT", DEFAULT_TRANSPORT, validate=OneOf(TRANSPORTS)),
        "DEADLINE_SECONDS": env.float("DEADLINE_SECONDS", 10.0, validate=seconds),
        "DEBUG": env.bool("DEBUG", False),
    }
    for given, missing in (_CAPACITIES, _CAPACITIES[::-1]):
        if read[given] is not None and read[missing] is None:
            raise SettingError(f"DYNAMODB_{given} is set: set DYNAMODB_{missing} too, or neither.")
    return {f"DYNAMODB_{name}": value for name, value in read.items()}


def _is_url(value: str) -> None:
    if not re.fullmatch(r"https?://[^\s/]+(/\S*)?", value):
        raise ValidationError("Must be a URL, as in http://127.0.0.1:8000.")


def _headers(env: Env) -> dict[str, str] | None:
    try:
        headers: dict[str, str] | None = env.dict("EXTRA_HEADERS", None)
        return headers
    except ValueError:
        raise SettingError(
            "DYNAMODB_EXTRA_HEADERS must be pairs, as in X-Team=accounts,X-Stage=prod."
        ) from None
