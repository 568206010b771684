"""The second factor: set up with a QR code, recovery codes, turn off.

The secret and the codes are shown once, in the response to the form: nothing stored can be shown
again, so there is no page to redirect to. A reload sends the form again, which replaces them.
"""

from flask import Response

from api.principal import Principal
from api.qr_code import qr_code
from api.rate_limits import SECOND_FACTOR_CONFIRMATIONS, limit_client
from api.services import rules, second_factors
from models.errors import RecentAuthenticationRequired
from web.actions import act
from web.forms import Form, code_field, errors_in
from web.guards import page_for_users
from web.html import form_page, go_to_page, page
from web.languages import mark, translate

# Said by screen readers.
_QR_CODE = mark("QR code for an authenticator app")


class ConfirmationForm(Form):
    """The first code of a new secret."""

    otp = code_field()


@page_for_users()
def show(caller: Principal) -> Response:
    """Show the status, or change it."""
    actions = {"enroll": _enroll, "confirm": _confirm, "renew": _renew, "disable": _disable}
    return act(caller, actions) or _show(caller, Form(formdata=None))


def _enroll(caller: Principal) -> Response:
    caller.require_recent_auth()
    form = Form(formdata=None)
    with errors_in(form):
        caller.require_verified_email()
        secret = second_factors.enroll(caller.user, by=caller.actor)
        return form_page(
            "account/second_factor_setup.html",
            ConfirmationForm(formdata=None),
            qr_code=qr_code(secret.uri, translate(_QR_CODE)),
            secret=secret.secret,
        )
    return _show(caller, form)


def _confirm(caller: Principal) -> Response:
    form = ConfirmationForm()
    if form.validate():
        with errors_in(form):
            limit_client(SECOND_FACTOR_CONFIRMATIONS)
            codes = second_factors.confirm(
                caller.user, form.otp.data, by=caller.actor, session=caller.session
            )
            return _show_codes(caller, codes)
    return form_page("account/second_factor_setup.html", form, qr_code=None, secret=None)


def _renew(caller: Principal) -> Response:
    caller.require_recent_auth()
    form = Form(formdata=None)
    with errors_in(form):
        codes = second_factors.renew_recovery_codes(
            caller.user, by=caller.actor, session=caller.session
        )
        return _show_codes(caller, codes)
    return _show(caller, form)


def _disable(caller: Principal) -> Response:
    caller.require_recent_auth()
    if caller.user.has_second_factor and not caller.session.used_second_factor:
        raise RecentAuthenticationRequired
    form = Form(formdata=None)
    with errors_in(form):
        second_factors.disable(caller.user, by=caller.actor, session=caller.session)
        return go_to_page("web.second_factor", "second-factor-disabled")
    return _show(caller, form)


def _show_codes(caller: Principal, codes: list[str]) -> Response:
    return page("account/recovery_codes.html", caller=caller, codes=codes)


def _show(caller: Principal, form: Form) -> Response:
    return form_page(
        "account/second_factor.html",
        form,
        status=second_factors.status(caller.user),
        needs_verification=rules.verifies_addresses and not caller.user.email_verified,
    )
