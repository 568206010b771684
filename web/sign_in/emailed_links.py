"""The pages behind the links of emails: verify an address, choose a new password.

The token is in the fragment of the URL, which the server never sees. A script puts it into the form
and removes it from the address bar; without scripts it is copied from the email. It is sent when
the user presses the button, since email scanners follow links.
"""

from flask import Blueprint, Response
from flask.views import MethodView
from wtforms import BooleanField

from api.client import client
from api.lanes import hashes_password
from api.principal import anonymous_actor
from api.rate_limits import EMAILED_TOKENS, limit_client
from api.services import accounts, email_verification, passwords
from models import Client, OpenedSession, field_rules
from models.errors import Refused, SecondFactorCodeRequired, Unauthenticated
from web.browser_session import find_caller, owns_forms
from web.cross_site import CrossSiteRequest
from web.forms import Form, code_field, errors_in, password_field, text_field
from web.html import form_page, go_to_page
from web.sign_in.sign_in import welcome


class VerifyEmailForm(Form):
    """A token, and the password of the account unless its user is signed in."""

    token = text_field(
        field_rules.EMAILED_TOKEN, autocomplete="off", autocapitalize="none", spellcheck="false"
    )
    password = password_field("current-password", required=False)


class ResetPasswordForm(Form):
    """A token and the new password."""

    token = text_field(
        field_rules.EMAILED_TOKEN, autocomplete="off", autocapitalize="none", spellcheck="false"
    )
    new_password = password_field("new-password")
    otp = code_field(required=False)
    revoke_api_keys = BooleanField()


def add_pages(pages: Blueprint) -> None:
    """Add the pages behind the links of emails."""
    pages.add_url_rule("/verify-email", view_func=VerifyEmailPage.as_view("verify_email"))
    pages.add_url_rule("/reset-password", view_func=ResetPasswordPage.as_view("reset_password"))


class VerifyEmailPage(MethodView):
    """Verify an email address."""

    def get(self) -> Response:
        """Show the form."""
        return _show_verification(VerifyEmailForm(), needs_password=find_caller() is None)

    @hashes_password
    def post(self) -> Response:
        """Verify the address: for the user of the session, or with the password."""
        caller = find_caller()
        if not owns_forms(caller):
            raise CrossSiteRequest(is_foreign=False)
        form = VerifyEmailForm()
        needs_password = caller is None or bool(form.password.data)
        if form.validate():
            with errors_in(form):
                limit_client(EMAILED_TOKENS)
                try:
                    email_verification.confirm(
                        form.token.data,
                        password=form.password.data or None,
                        by=caller.actor if caller else anonymous_actor(),
                    )
                except Unauthenticated:
                    needs_password = True
                    form.add_error("password", "Enter the password of the account.")
                else:
                    return go_to_page("web.profile" if caller else "web.sign_in", "email-verified")
        return _show_verification(form, needs_password=needs_password)


class ResetPasswordPage(MethodView):
    """Choose a new password."""

    def get(self) -> Response:
        """Show the form."""
        return _show_reset(ResetPasswordForm(), needs_code=False)

    @hashes_password
    def post(self) -> Response:
        """Set the password and sign in, with a code where the account has a second factor."""
        form = ResetPasswordForm()
        needs_code = bool(form.otp.data)
        if form.validate():
            with errors_in(form):
                limit_client(EMAILED_TOKENS)
                try:
                    opened = _reset(form, client())
                except Refused:
                    # Who may not sign in can still replace a password that others know.
                    opened = _reset(form, None)
                except SecondFactorCodeRequired:
                    needs_code = True
                    form.add_error("otp", "Enter the next code, and the new password again.")
                    raise
                if opened:
                    return welcome(opened, None, "password-reset")
                return go_to_page("web.sign_in", "password-reset")
        return _show_reset(form, needs_code=needs_code)


def _reset(form: ResetPasswordForm, sign_in: Client | None) -> OpenedSession | None:
    return passwords.reset_password(
        form.token.data,
        form.new_password.data,
        revoke_api_keys=form.revoke_api_keys.data,
        sign_in=sign_in,
        otp=form.otp.data or None,
        by=anonymous_actor(),
    )


def _show_verification(form: VerifyEmailForm, *, needs_password: bool) -> Response:
    return form_page("sign_in/verify_email.html", form, needs_password=needs_password)


def _show_reset(form: ResetPasswordForm, *, needs_code: bool) -> Response:
    return form_page(
        "sign_in/reset_password.html",
        form,
        needs_code=needs_code,
        min_length=accounts.policy.min_length,
    )
