"""Sign in: with a password, and with a code where the account has a second factor."""

import time
from typing import Any, TypedDict

from flask import Blueprint, Response, request, session
from flask.views import MethodView
from wtforms import HiddenField

from api.client import client
from api.delays import delay_response
from api.lanes import hashes_password
from api.rate_limits import PASSWORDS, SIGN_INS, limit_client
from api.services import rules, sessions
from models import OpenedSession, SignUp, field_rules
from models.errors import InvalidCredentials, SecondFactorCodeRequired, Unauthenticated
from web import browser_session
from web.browser_session import find_caller
from web.forms import Form, code_field, errors_in, password_field, text_field
from web.html import form_page, go_to, go_to_page
from web.links import allowed_next, destination

# How long the code may be sent after the password.
_STEP_SECONDS = 300
_PENDING = "pending"


class _Pending(TypedDict):
    """What is known of a user between the two steps. The cookie is signed, but can be read."""

    user: str
    epoch: float
    at: float
    next: str | None


class SignInForm(Form):
    """Login and password."""

    login = text_field(
        field_rules.LOGIN, autocomplete="username", autocapitalize="none", spellcheck="false"
    )
    password = password_field("current-password")
    next = HiddenField()


class CodeForm(Form):
    """The code of the second factor."""

    otp = code_field()


def add_pages(pages: Blueprint) -> None:
    """Add the two steps."""
    pages.add_url_rule("/sign-in", view_func=SignInPage.as_view("sign_in"))
    pages.add_url_rule("/sign-in/code", view_func=CodePage.as_view("sign_in_code"))


class SignInPage(MethodView):
    """The first step."""

    def get(self) -> Response:
        """Show the form, unless the user is signed in."""
        if find_caller():
            return go_to(destination(request.args.get("next")))
        return _show(SignInForm(next=allowed_next(request.args.get("next"))))

    @hashes_password
    def post(self) -> Response:
        """Sign in, or go on to the second step."""
        form = SignInForm()
        form.next.data = allowed_next(form.next.data)
        if not form.validate():
            return _show(form)
        with errors_in(form):
            limit_client(SIGN_INS)
            try:
                opened = sessions.sign_in(
                    form.login.data,
                    form.password.data,
                    client(),
                    device_token=browser_session.device_token(),
                )
            except InvalidCredentials:
                delay_response(rules.failed_sign_in_time)
                raise
            except SecondFactorCodeRequired as error:
                return _ask_for_code(error, form.next.data)
            return welcome(opened, form.next.data)
        return _show(form)


class CodePage(MethodView):
    """The second step."""

    def get(self) -> Response:
        """Show the form, if a password was verified a short time before."""
        if _pending() is None:
            return go_to_page("web.sign_in")
        return form_page("sign_in/code.html", CodeForm())

    def post(self) -> Response:
        """Sign in with the code."""
        pending = _pending()
        if pending is None:
            return go_to_page("web.sign_in", "start-again")
        form = CodeForm()
        if not form.validate():
            return form_page("sign_in/code.html", form)
        with errors_in(form):
            limit_client(PASSWORDS)
            try:
                opened = sessions.continue_sign_in(
                    pending["user"],
                    pending["epoch"],
                    form.otp.data,
                    client(),
                    browser_session.device_token(),
                )
            except Unauthenticated:
                session.pop(_PENDING, None)
                return go_to_page("web.sign_in", "start-again")
            except SecondFactorCodeRequired:
                form.add_error("otp", "The code is wrong, or was used before. Enter the next one.")
                raise
            return welcome(opened, pending["next"])
        return form_page("sign_in/code.html", form)


def welcome(opened: OpenedSession, next: str | None, notice: str | None = None) -> Response:
    """Sign the browser in, instead of the user before, and go on."""
    session.pop(_PENDING, None)
    browser_session.end_previous()
    browser_session.start(opened)
    return go_to(destination(next), notice)


def _show(form: SignInForm) -> Response:
    return form_page("sign_in/sign_in.html", form, can_sign_up=rules.signup is SignUp.OPEN)


def _ask_for_code(error: SecondFactorCodeRequired, next: str | None) -> Response:
    pending: dict[str, Any] = {
        "user": error.subject,
        "epoch": int(error.session_epoch or 0),
        "at": time.time(),
        "next": next,
    }
    session[_PENDING] = pending
    return go_to_page("web.sign_in_code")


def _pending() -> _Pending | None:
    pending: _Pending | None = session.get(_PENDING)
    if pending and time.time() - pending["at"] < _STEP_SECONDS:
        return pending
    return None
