"""Every setting, typed, read once from the environment and refused there if it is wrong."""

import os
import re
from dataclasses import dataclass, field
from datetime import timedelta
from email.utils import parseaddr
from enum import StrEnum
from ipaddress import ip_network
from pathlib import Path
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


class SmtpSecurity(StrEnum):
    """How a connection to the mail server is protected."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


class SecondFactorRule(StrEnum):
    """Who has to have a second factor: nobody, or admins."""

    OPTIONAL = "optional"
    ADMINS = "admins"


# The ports that mail servers take submissions at (RFC 6409, RFC 8314), and the plain one.
_SMTP_PORTS = {SmtpSecurity.STARTTLS: 587, SmtpSecurity.TLS: 465, SmtpSecurity.NONE: 25}


@dataclass(frozen=True)
class MailSettings:
    """How mails are sent, and what their links lead to.

    Attributes:
        sender: ROSTER_MAIL_FROM.
        base_url: ROSTER_PUBLIC_URL, what links begin with; never taken from a request.
        smtp_host: ROSTER_SMTP_HOST, None if no mail server is configured.
        smtp_port: ROSTER_SMTP_PORT.
        smtp_username: ROSTER_SMTP_USERNAME.
        smtp_password: ROSTER_SMTP_PASSWORD.
        smtp_security: ROSTER_SMTP_SECURITY.
        folder: Where mails are put instead, under `--local`.
    """

    sender: str = "roster@localhost"
    base_url: str = "http://127.0.0.1:8080"
    smtp_host: str | None = None
    smtp_port: int = 587
    smtp_username: str | None = None
    smtp_password: str | None = field(default=None, repr=False)
    smtp_security: SmtpSecurity = SmtpSecurity.STARTTLS
    folder: Path | None = None


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
        rate_limits: ROSTER_RATE_LIMITS, whether requests are limited by route and client.
        trusted_proxies: ROSTER_TRUSTED_PROXIES, networks whose X-Forwarded-For is believed.
        reset_lifetime: ROSTER_RESET_LIFETIME, how long a mail to reset a password works.
        verification_lifetime: ROSTER_VERIFICATION_LIFETIME, how long a mail to confirm an address
            works.
        require_verified_email: ROSTER_REQUIRE_VERIFIED_EMAIL, refuse to sign in before.
        fresh_sign_in: ROSTER_FRESH_SIGN_IN, how long after a sign-in sensitive changes may be made.
        second_factor: ROSTER_SECOND_FACTOR, who has to have one.
        totp_secrets: ROSTER_TOTP_SECRETS, what the secrets of second factors are encrypted with,
            by tag; derived from the secret key if there are none.
        mail: The settings of mails.
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
    rate_limits: bool = True
    trusted_proxies: tuple[str, ...] = ()
    reset_lifetime: timedelta = timedelta(minutes=10)
    verification_lifetime: timedelta = timedelta(hours=24)
    require_verified_email: bool = False
    fresh_sign_in: timedelta = timedelta(minutes=10)
    second_factor: SecondFactorRule = SecondFactorRule.OPTIONAL
    totp_secrets: dict[str, str] = field(default_factory=dict, repr=False)
    mail: MailSettings = field(default_factory=MailSettings)
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
            rate_limits=env.bool("RATE_LIMITS", cls.rate_limits),
            trusted_proxies=tuple(
                env.list("TRUSTED_PROXIES", [], validate=_are_networks, delimiter=",")
            ),
            reset_lifetime=_lifetime(
                env,
                "RESET_LIFETIME",
                cls.reset_lifetime,
                # Long enough to find the mail, short enough to be of little use to others.
                Range(timedelta(minutes=10), timedelta(hours=1), error="Must be 10m to 1h."),
            ),
            verification_lifetime=_lifetime(
                env, "VERIFICATION_LIFETIME", cls.verification_lifetime
            ),
            require_verified_email=env.bool("REQUIRE_VERIFIED_EMAIL", cls.require_verified_email),
            fresh_sign_in=_lifetime(env, "FRESH_SIGN_IN", cls.fresh_sign_in),
            second_factor=env.enum(
                "SECOND_FACTOR", cls.second_factor, enum=SecondFactorRule, by_value=True
            ),
            totp_secrets=_totp_secrets(env),
            mail=_mail(env),
            dynamodb=_dynamodb(Env(prefix="DYNAMODB_")),
        )

    def for_flask(self) -> dict[str, Any]:
        """The keys that Flask and its extensions read."""
        return {
            "SECRET_KEY": self.secret_key,
            "ROSTER_FRESH_SIGN_IN": self.fresh_sign_in,
            "ROSTER_SECOND_FACTOR": self.second_factor,
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


_BOUNDS = "Must be between 1s and 3650d, as in 7d."
_ANY_LIFETIME = Range(timedelta(seconds=1), timedelta(days=3650), error=_BOUNDS)


def _lifetime(env: Env, name: str, default: timedelta, bounds: Range = _ANY_LIFETIME) -> timedelta:
    try:
        return env.timedelta(name, default, validate=bounds)
    except OverflowError:
        raise SettingError(f"ROSTER_{name} is wrong. {bounds.error}") from None


def _mail(env: Env) -> MailSettings:
    default = MailSettings()
    host = env.str("SMTP_HOST", None, validate=Length(min=1))
    security = env.enum("SMTP_SECURITY", default.smtp_security, enum=SmtpSecurity, by_value=True)
    mail = MailSettings(
        sender=env.str("MAIL_FROM", default.sender, validate=_is_sender),
        base_url=env.str("PUBLIC_URL", default.base_url, validate=_is_url).rstrip("/"),
        smtp_host=host,
        smtp_port=env.int("SMTP_PORT", _SMTP_PORTS[security], validate=Range(min=1, max=65535)),
        smtp_username=env.str("SMTP_USERNAME", None),
        smtp_password=env.str("SMTP_PASSWORD", None),
        smtp_security=security,
    )
    if host:
        for name in ("ROSTER_MAIL_FROM", "ROSTER_PUBLIC_URL"):
            if not os.environ.get(name):
                raise SettingError(
                    f"ROSTER_SMTP_HOST is set: set {name} too, which mails and their links need."
                )
    if (mail.smtp_username is None) != (mail.smtp_password is None):
        raise SettingError("Set both ROSTER_SMTP_USERNAME and ROSTER_SMTP_PASSWORD, or neither.")
    return mail


def _is_sender(value: str) -> None:
    _, address = parseaddr(value)
    if "@" not in address or any(char in value for char in "\r\n\0"):
        raise ValidationError("Must be an address, as in Roster <accounts@example.com>.")


def _are_networks(values: list[str]) -> None:
    for value in values:
        try:
            ip_network(value)
        except ValueError:
            raise ValidationError(
                "Must be addresses or networks, as in 10.0.0.0/8,192.0.2.7."
            ) from None


def _totp_secrets(env: Env) -> dict[str, str]:
    wrong = "ROSTER_TOTP_SECRETS must be pairs of a tag and a secret, as in 2026=k3y...,2027=x9z..."
    try:
        secrets: dict[str, str] = env.dict("TOTP_SECRETS", {})
    except ValueError:
        raise SettingError(wrong) from None
    if any(
        not re.fullmatch(r"[A-Za-z0-9._-]+", tag) or len(key) < 16 for tag, key in secrets.items()
    ):
        raise SettingError(f"{wrong} A secret has 16 characters or more.")
    return secrets


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
