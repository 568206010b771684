"""The email address: its verification, and a new one that stays pending until it is confirmed."""

from flask import Response

from api.principal import Principal
from api.rate_limits import EMAIL_REQUESTS, NAME_CHANGES, limit_client, limit_user_and_client
from api.services import accounts, email_verification, rules
from models import field_rules
from web.actions import act
from web.forms import Form, errors_in, text_field
from web.guards import page_for_users
from web.html import form_page, go_to_page


class EmailForm(Form):
    """A new address."""

    email = text_field(
        field_rules.EMAIL, autocomplete="email", inputmode="email", autocapitalize="none"
    )


@page_for_users()
def show(caller: Principal) -> Response:
    """Show the address, or change or verify it."""
    actions = {"change": _change, "keep": _keep, "verify": _verify}
    return act(caller, actions) or _show(EmailForm(formdata=None))


def _change(caller: Principal) -> Response:
    form = EmailForm()
    if form.validate():
        caller.require_recent_auth()
        with errors_in(form):
            updated = _update(caller, form.email.data)
            return go_to_page("web.email", "email-pending" if updated else "email-saved")
    return _show(form)


def _keep(caller: Principal) -> Response:
    """Give up the pending address."""
    form = EmailForm(formdata=None)
    caller.require_recent_auth()
    with errors_in(form):
        _update(caller, caller.user.email)
        return go_to_page("web.email", "email-kept")
    return _show(form)


def _update(caller: Principal, address: str) -> bool:
    """Request an address; return whether it is pending."""
    if not caller.is_admin:
        limit_user_and_client(NAME_CHANGES, caller.user.id)
    changes = {"email": address}
    any_domain = caller.may_use_any_domain()
    updated = accounts.update(
        caller.user, changes, confirms_email=True, any_domain=any_domain, by=caller.actor
    )
    return updated.pending_email is not None


def _verify(caller: Principal) -> Response:
    form = EmailForm(formdata=None)
    with errors_in(form):
        limit_client(EMAIL_REQUESTS)
        email_verification.request(caller.user.email, by=caller.actor)
        return go_to_page("web.email", "verification-requested")
    return _show(form)


def _show(form: EmailForm) -> Response:
    return form_page("account/email.html", form, sends_emails=rules.verifies_addresses)
