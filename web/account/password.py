"""Change the password."""

from flask import Response, request

from api.principal import Principal
from api.rate_limits import PASSWORDS, limit_client
from api.services import accounts, passwords
from web.forms import Form, errors_in, password_field
from web.guards import page_for_users
from web.html import form_page, go_to_page


class PasswordForm(Form):
    """The current and the new password."""

    current_password = password_field("current-password")
    new_password = password_field("new-password")


# Before the form is filled in, since passwords are not kept while the user confirms.
@page_for_users(recent=True)
def show(caller: Principal) -> Response:
    """Show the form, or change the password."""
    form = PasswordForm()
    if request.method == "POST" and form.validate():
        with errors_in(form):
            limit_client(PASSWORDS)
            passwords.change_password(
                caller.user,
                current_password=form.current_password.data,
                new_password=form.new_password.data,
                session=caller.session,
                by=caller.actor,
            )
            return go_to_page("web.password", "password-saved")
    return form_page("account/password.html", form, min_length=accounts.policy.min_length)
