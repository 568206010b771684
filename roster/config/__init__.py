"""The settings: typed, read once from the environment, and rejected there if they are wrong."""

import re
from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import ip_network
from typing import Any

from environs import Env, EnvError
from marshmallow import ValidationError
from marshmallow.validate import Length, Range

from models import SHORTEST_PASSWORD_MIN_LENGTH, SecondFactorRule, SignUp
from roster.config.cores import usable_cores
from roster.config.dynamodb import read_dynamodb
from roster.config.email import EmailSettings, SmtpSecurity, read_mail
from roster.config.parsing import SettingError, lifetime

__all__ = [
    "Config",
    "EmailSettings",
    "SettingError",
    "SmtpSecurity",
    "usable_cores",
]


@dataclass(frozen=True)
class Config:
    """The settings of one service; docs/configuration.md explains each.

    Attributes:
        secret_key: ROSTER_SECRET_KEY, signs cursors.
        signup: ROSTER_SIGNUP.
        session_idle: ROSTER_SESSION_IDLE, the lifetime of a session without use.
        session_max: ROSTER_SESSION_MAX, the lifetime of a session in total.
        password_min_length: ROSTER_PASSWORD_MIN_LENGTH, in code points.
        workers: ROSTER_WORKERS, processes of `roster serve`.
        demo: ROSTER_DEMO, whether `roster serve --local` creates the demo users.
        demo_password: ROSTER_DEMO_PASSWORD.
        rate_limits: ROSTER_RATE_LIMITS, whether requests are limited by route and client.
        trusted_proxies: ROSTER_TRUSTED_PROXIES, networks whose X-Forwarded-For is trusted.
        reset_lifetime: ROSTER_RESET_LIFETIME, how long a token to reset a password is valid.
        verification_lifetime: ROSTER_VERIFICATION_LIFETIME, how long a token to verify an
            email address is valid.
        require_verified_email: ROSTER_REQUIRE_VERIFIED_EMAIL, whether signing in requires it.
        fresh_sign_in: ROSTER_FRESH_SIGN_IN, how long after authentication sensitive changes are
            allowed.
        second_factor: ROSTER_SECOND_FACTOR, who must have one.
        totp_secrets: ROSTER_TOTP_SECRETS, the encryption secrets of second factors by tag;
            derived from the secret key if there are none.
        mail: The settings of emails.
        dynamodb: The settings of flask_pynamodb, by their keys in `app.config`.
    """

    secret_key: str = field(repr=False)
    signup: SignUp = SignUp.OPEN
    session_idle: timedelta = timedelta(days=7)
    session_max: timedelta = timedelta(days=30)
    password_min_length: int = 15
    workers: int = field(default_factory=usable_cores)
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
    mail: EmailSettings = field(default_factory=EmailSettings)
    dynamodb: dict[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def from_env(cls, *, local: bool = False) -> "Config":
        """Read the environment.

        Args:
            local: Whether this is `roster serve --local`, which may have demo users and creates
                its own secret key, endpoint and credentials.

        Raises:
            SettingError: A variable is missing or has an invalid value.
        """
        try:
            config = cls._read(Env(prefix="ROSTER_"), local=local)
        except EnvError as error:
            raise SettingError(str(error)) from None
        if config.demo and not local:
            raise SettingError(
                "ROSTER_DEMO creates users with a public password: it is for"
                " `roster serve --local` only. Unset it."
            )
        return config

    @classmethod
    def _read(cls, env: Env, *, local: bool) -> "Config":
        return cls(
            secret_key=_secret_key(env, local=local),
            signup=env.enum("SIGNUP", cls.signup, enum=SignUp, by_value=True),
            session_idle=lifetime(env, "SESSION_IDLE", cls.session_idle),
            session_max=lifetime(env, "SESSION_MAX", cls.session_max),
            password_min_length=env.int(
                "PASSWORD_MIN_LENGTH",
                cls.password_min_length,
                validate=Range(min=SHORTEST_PASSWORD_MIN_LENGTH, max=128),
            ),
            workers=env.int("WORKERS", usable_cores(), validate=Range(min=1, max=256)),
            demo=env.bool("DEMO", local),
            demo_password=env.str("DEMO_PASSWORD", cls.demo_password, validate=Length(min=1)),
            rate_limits=env.bool("RATE_LIMITS", cls.rate_limits),
            trusted_proxies=tuple(
                env.list("TRUSTED_PROXIES", [], validate=_must_be_networks, delimiter=",")
            ),
            reset_lifetime=lifetime(
                env,
                "RESET_LIFETIME",
                cls.reset_lifetime,
                # Long enough to find the email, short enough to limit a stolen token.
                Range(timedelta(minutes=10), timedelta(hours=1), error="Must be 10m to 1h."),
            ),
            verification_lifetime=lifetime(env, "VERIFICATION_LIFETIME", cls.verification_lifetime),
            require_verified_email=env.bool("REQUIRE_VERIFIED_EMAIL", cls.require_verified_email),
            fresh_sign_in=lifetime(env, "FRESH_SIGN_IN", cls.fresh_sign_in),
            second_factor=env.enum(
                "SECOND_FACTOR", cls.second_factor, enum=SecondFactorRule, by_value=True
            ),
            totp_secrets=_totp_secrets(env),
            mail=read_mail(env),
            dynamodb=read_dynamodb(Env(prefix="DYNAMODB_")),
        )

    def for_flask(self) -> dict[str, Any]:
        """Return the keys that Flask and its extensions read."""
        return {
            "SECRET_KEY": self.secret_key,
            "MAX_CONTENT_LENGTH": 64 * 1024,
            # RESTX lets clients prune responses by a header, and fails with 500 on a bad one.
            "RESTX_MASK_HEADER": "",
            "RESTX_MASK_SWAGGER": False,
            "RESTX_INCLUDE_ALL_MODELS": False,
            **self.for_database(),
        }

    def for_database(self) -> dict[str, Any]:
        """Return the settings of `flask_pynamodb`, by their keys in `app.config`."""
        # No route scans a table.
        return {"DYNAMODB_ALLOW_SCAN": False, **self.dynamodb}


def _secret_key(env: Env, *, local: bool) -> str:
    key = env.str("SECRET_KEY", "").strip()
    if not key and not local:
        raise SettingError(
            "ROSTER_SECRET_KEY is not set. Give it a long random value, the same on every host:"
            " it signs the cursors of lists."
        )
    return key


def _must_be_networks(values: list[str]) -> None:
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
        not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", tag) or len(key) < 16
        for tag, key in secrets.items()
    ):
        raise SettingError(f"{wrong} A secret has 16 characters or more.")
    return secrets
