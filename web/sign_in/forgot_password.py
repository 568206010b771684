"""Request an email that resets a password, or one that verifies an address."""

from flask import Blueprint, Response
from flask.views import MethodView

from api.principal import anonymous_actor
from api.rate_limits import EMAIL_REQUESTS, limit_client
from api.services import passwords
from models import field_rules
from web import browser_session
from web.forms import Form, errors_in, text_field
from web.html import form_page, go_to_page


class ForgotPasswordForm(Form):
    """The address of an account, if there is one."""

    email = text_field(
        field_rules.EMAIL_LOOKUP, autocomplete="email", inputmode="email", autocapitalize="none"
    )


def add_pages(pages: Blueprint) -> None:
    """Add the page."""
    pages.add_url_rule("/forgot-password", view_func=ForgotPasswordPage.as_view("forgot_password"))


class ForgotPasswordPage(MethodView):
    """The form for an address. The response does not depend on whether an account has it."""

    def get(self) -> Response:
        """Show the form."""
        return form_page("sign_in/forgot_password.html", ForgotPasswordForm())

    def post(self) -> Response:
        """Request the email."""
        form = ForgotPasswordForm()
        if form.validate():
            with errors_in(form):
                limit_client(EMAIL_REQUESTS)
                passwords.request_reset(
                    form.email.data,
                    device_token=browser_session.device_token(),
                    by=anonymous_actor(),
                )
                return go_to_page("web.sign_in", "reset-requested")
        return form_page("sign_in/forgot_password.html", form)
