"""The domain's operations, as the current app is configured to run them."""

import os
from dataclasses import dataclass
from typing import cast

from flask import Flask, current_app
from werkzeug.local import LocalProxy

from api.config import Config, SignUp
from models import OWASP, Accounts, Lifetimes, Passwords, Profile, SignIn


@dataclass(frozen=True)
class _Services:
    accounts: Accounts
    sign_in: SignIn
    signup: SignUp


def init_app(app: Flask, config: Config, profile: Profile = OWASP) -> None:
    """Build the operations from the settings."""
    cores_of_a_worker = max(1, (os.cpu_count() or 1) // config.workers)
    passwords = Passwords(profile, config.password_min_length, at_once=cores_of_a_worker)
    lifetimes = Lifetimes(idle=config.session_idle, total=config.session_max)
    app.extensions["roster"] = _Services(
        accounts=Accounts(passwords),
        sign_in=SignIn(passwords, lifetimes),
        signup=config.signup,
    )


def signup_is_open() -> bool:
    """Whether anyone may create a user."""
    return _current().signup is SignUp.OPEN


def _current() -> _Services:
    return cast(_Services, current_app.extensions["roster"])


accounts = cast(Accounts, LocalProxy(lambda: _current().accounts))
sign_in = cast(SignIn, LocalProxy(lambda: _current().sign_in))
