"""The domain's operations, as the current app is configured to run them."""

from dataclasses import dataclass
from typing import cast

from flask import Flask, current_app
from werkzeug.local import LocalProxy

from api.config import Config, SignUp, usable_cores
from api.mail import build_mailer
from models import (
    OWASP,
    Accounts,
    ApiKeys,
    Confirmations,
    Credentials,
    Lifetimes,
    Logins,
    MailRequests,
    Passwords,
    Profile,
    SecondFactors,
    SignIn,
    Totp,
    secrets_from,
)


@dataclass(frozen=True)
class _Services:
    accounts: Accounts
    sign_in: SignIn
    credentials: Credentials
    confirmations: Confirmations
    second_factors: SecondFactors
    api_keys: ApiKeys
    signup: SignUp


def init_app(app: Flask, config: Config, profile: Profile = OWASP) -> None:
    """Build the operations from the settings."""
    cores_of_a_worker = max(1, usable_cores() // config.workers)
    passwords = Passwords(profile, config.password_min_length, at_once=cores_of_a_worker)
    mailer = build_mailer(config.mail)
    logins = Logins(config.secret_key)
    requests = MailRequests(mailer, logins)
    confirmations = Confirmations(requests, config.verification_lifetime)
    # What was encrypted before there were secrets of its own stays readable.
    secrets = {**secrets_from(config.secret_key), **config.totp_secrets}
    totp = Totp(secrets, "Roster")
    second_factors = SecondFactors(totp, mailer)
    app.extensions["roster"] = _Services(
        accounts=Accounts(passwords, confirmations, mails_new_users=config.require_verified_email),
        sign_in=SignIn(
            passwords,
            Lifetimes(idle=config.session_idle, total=config.session_max),
            second_factors=second_factors,
            mailer=mailer,
            logins=logins,
            requires_verified_email=config.require_verified_email,
        ),
        credentials=Credentials(passwords, requests, config.reset_lifetime),
        confirmations=confirmations,
        second_factors=second_factors,
        api_keys=ApiKeys(mailer),
        signup=config.signup,
    )


def signup_is_open() -> bool:
    """Whether anyone may create a user."""
    return _current().signup is SignUp.OPEN


def _current() -> _Services:
    return cast(_Services, current_app.extensions["roster"])


accounts = cast(Accounts, LocalProxy(lambda: _current().accounts))
sign_in = cast(SignIn, LocalProxy(lambda: _current().sign_in))
credentials = cast(Credentials, LocalProxy(lambda: _current().credentials))
confirmations = cast(Confirmations, LocalProxy(lambda: _current().confirmations))
second_factors = cast(SecondFactors, LocalProxy(lambda: _current().second_factors))
api_keys = cast(ApiKeys, LocalProxy(lambda: _current().api_keys))
