"""The services of the current app, which routes call by these names."""

from typing import cast

from flask import Flask, current_app
from werkzeug.local import LocalProxy

from models import (
    AccessRules,
    AccessTokens,
    Accounts,
    ApiKeys,
    EmailVerification,
    Introspection,
    Invitations,
    MergedEvents,
    NameMoves,
    OAuthClients,
    PasswordService,
    SecondFactors,
    Services,
    SessionService,
    SigningKeySource,
    Statistics,
)


def init_app(app: Flask, services: Services) -> None:
    """Give an app its services."""
    app.extensions["roster"] = services


def _current() -> Services:
    return cast(Services, current_app.extensions["roster"])


accounts = cast(Accounts, LocalProxy(lambda: _current().accounts))
sessions = cast(SessionService, LocalProxy(lambda: _current().sessions))
passwords = cast(PasswordService, LocalProxy(lambda: _current().passwords))
email_verification = cast(EmailVerification, LocalProxy(lambda: _current().email_verification))
second_factors = cast(SecondFactors, LocalProxy(lambda: _current().second_factors))
api_keys = cast(ApiKeys, LocalProxy(lambda: _current().api_keys))
clients = cast(OAuthClients, LocalProxy(lambda: _current().clients))
invitations = cast(Invitations, LocalProxy(lambda: _current().invitations))
introspection = cast(Introspection, LocalProxy(lambda: _current().introspection))
access_tokens = cast(AccessTokens, LocalProxy(lambda: _current().access_tokens))
signing_keys = cast(SigningKeySource, LocalProxy(lambda: _current().signing_keys))
name_moves = cast(NameMoves, LocalProxy(lambda: _current().name_moves))
merged_events = cast(MergedEvents, LocalProxy(lambda: _current().merged_events))
statistics = cast(Statistics, LocalProxy(lambda: _current().statistics))
rules = cast(AccessRules, LocalProxy(lambda: _current().rules))
