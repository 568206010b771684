"""Sign up."""

from typing import Any

from flask import Blueprint, Response, request
from flask.views import MethodView
from wtforms import HiddenField

from api.client import client
from api.lanes import hashes_password
from api.principal import anonymous_actor
from api.rate_limits import SIGN_UPS, limit_client
from api.services import accounts, rules, sessions
from models import AuthMethod, SignUp, field_rules
from models.errors import HookFailed, Refused
from web.browser_session import find_caller
from web.forms import Form, UsernameField, errors_in, password_field, text_field
from web.html import form_page, go_to, go_to_page, page
from web.languages import page_language
from web.links import allowed_next, destination
from web.sign_in.sign_in import welcome

_TEXTS = ("username", "email", "full_name", "password")


class SignUpForm(Form):
    """A new account."""

    email = text_field(
        field_rules.EMAIL, autocomplete="email", inputmode="email", autocapitalize="none"
    )
    username = UsernameField("username")
    full_name = text_field(field_rules.FULL_NAME, required=False, autocomplete="name")
    password = password_field("new-password")
    next = HiddenField()

    def validate(self, extra_validators: Any = None) -> bool:
        """Return whether all fields obey the rules; report all that do not together."""
        if super().validate(extra_validators):
            # The service reports the faults of sound fields together.
            return True
        for fault in accounts.faults_of(self.texts_of(_TEXTS), offline=True):
            self.add_error(fault.field, str(fault))
        return False


def add_pages(pages: Blueprint) -> None:
    """Add the page."""
    pages.add_url_rule("/sign-up", view_func=SignUpPage.as_view("sign_up"))


class SignUpPage(MethodView):
    """The form for a new account."""

    def get(self) -> Response:
        """Show the form, unless the user is signed in or sign-up is closed."""
        if find_caller():
            return go_to(destination(request.args.get("next")))
        if rules.signup is SignUp.CLOSED:
            return _closed()
        return _show(SignUpForm(next=allowed_next(request.args.get("next"))))

    @hashes_password
    def post(self) -> Response:
        """Create the account and sign in, unless its address must be verified before."""
        if rules.signup is SignUp.CLOSED:
            return _closed()
        form = SignUpForm()
        form.next.data = allowed_next(form.next.data)
        if not form.validate():
            return _show(form)
        with errors_in(form):
            limit_client(SIGN_UPS)
            user = accounts.register(
                username=form.username_or_none,
                email=form.email.data,
                password=form.password.data,
                full_name=form.full_name.data or None,
                locale=page_language(),
                by=anonymous_actor(),
            )
            if sessions.requires_verified_email:
                return go_to_page("web.sign_in", "verify-first", **_query(form.next.data))
            try:
                opened = sessions.create_session(user, client(), method=AuthMethod.PASSWORD)
            except (Refused, HookFailed):
                # The account exists: sent again, the form would find its own email address taken.
                return go_to_page("web.sign_in", "signed-up", **_query(form.next.data))
            return welcome(opened, form.next.data, "signed-up")
        return _show(form)


def _show(form: SignUpForm) -> Response:
    return form_page("sign_in/sign_up.html", form, min_length=accounts.policy.min_length)


def _closed() -> Response:
    response = page("sign_in/sign_up_closed.html", caller=None)
    response.status_code = 403
    return response


def _query(next: str | None) -> dict[str, str]:
    return {"next": next} if next else {}
