"""Guards of pages: access, and in-place authentication where a session is too old or has ended.

What was typed is kept meanwhile, except passwords: the page that asks for the password has the
fields of the form as hidden ones, and sends all of them to the URL of the form.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import Response, request
from wtforms import StringField

from api.client import client
from api.delays import delay_response
from api.lanes import hashes_password
from api.principal import Principal
from api.rate_limits import PASSWORDS, SIGN_INS, limit_client
from api.services import rules, sessions
from api.write_limits import take_write
from models import OpenedSession, Right
from models.errors import InvalidCredentials, RecentAuthenticationRequired, Unauthenticated
from web import browser_session
from web.browser_session import find_caller
from web.cross_site import CrossSiteRequest
from web.forms import MISSING, Form, code_field, errors_in, password_field, stripped
from web.html import form_page, go_to, go_to_page

View = Callable[..., Response]

# The fields of a page that asks for the password begin with this.
_PREFIX = "confirm_"
# The page was opened, not a form sent.
_OPENED = "confirm_opened"


class ConfirmForm(Form):
    """The password, and what else signing in needs."""

    confirm_login = StringField(filters=[stripped], render_kw={"autocomplete": "username"})
    confirm_password = password_field("current-password")
    confirm_otp = code_field(required=False)


def page_for_users(*, recent: bool = False, right: Right | None = None) -> Callable[[View], View]:
    """Require a signed-in user; the view gets the caller as `caller`.

    Without a session the page of a link leads to sign-in and back, and a form asks for it in place.

    Args:
        recent: Whether recent authentication is required.
        right: The right over the accounts of others that the page requires; None for none.
    """

    def decorate(view: View) -> View:
        @hashes_password
        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Response:
            is_form = request.method == "POST"
            caller = find_caller()
            if caller is None and not is_form:
                return go_to_page("web.sign_in", next=request.full_path.rstrip("?"))
            if not browser_session.owns_forms(caller) and is_form:
                raise CrossSiteRequest(is_foreign=False)
            if is_form and request.form.get("confirm_password"):
                form = ConfirmForm()
                confirmed = _confirm(form, caller)
                if not confirmed:
                    return _ask(form, caller)
                caller = confirmed
                if _OPENED in request.form:
                    return go_to(request.path.rpartition("/")[2])
            try:
                return _call(view, args, kwargs, caller, recent=recent, right=right)
            except (RecentAuthenticationRequired, Unauthenticated):
                # Unless the session has ended since it was read.
                return _ask(ConfirmForm(formdata=None), caller)

        return guarded

    return decorate


def _call(
    view: View,
    args: Any,
    kwargs: Any,
    caller: Principal | None,
    *,
    recent: bool,
    right: Right | None,
) -> Response:
    if caller is None:
        raise Unauthenticated
    if right is not None:
        caller.require_right(right)
    if recent:
        caller.require_recent_auth()
    if request.method == "POST" and not caller.is_admin:
        take_write(caller.user.id)
    return view(*args, caller=caller, **kwargs)


def _confirm(form: ConfirmForm, caller: Principal | None) -> Principal | None:
    """Sign in again with the password of the form; None if it was rejected."""
    if not form.validate():
        return None
    if caller is None and not form.confirm_login.data:
        form.add_error("confirm_login", MISSING)
        return None
    with errors_in(form):
        try:
            limit_client(PASSWORDS if caller else SIGN_INS)
            opened = _reauthenticate(form, caller) if caller else _sign_in(form)
        except InvalidCredentials:
            form.add_error("confirm_password", "This is not the password of the account.")
            raise
        owner_id = browser_session.form_owner_id()
        browser_session.start(opened)
        if owner_id != opened.user.id:
            # Another user than the one that filled in the form.
            raise CrossSiteRequest(is_foreign=False)
        return find_caller()
    return None


def _reauthenticate(form: ConfirmForm, caller: Principal) -> OpenedSession:
    return sessions.reauthenticate(
        caller.session,
        form.confirm_password.data,
        client(),
        form.confirm_otp.data or None,
        browser_session.device_token(),
    )


def _sign_in(form: ConfirmForm) -> OpenedSession:
    try:
        return sessions.sign_in(
            form.confirm_login.data or "",
            form.confirm_password.data,
            client(),
            form.confirm_otp.data or None,
            browser_session.device_token(),
        )
    except InvalidCredentials:
        delay_response(rules.failed_sign_in_time)
        raise


def _ask(form: ConfirmForm, caller: Principal | None) -> Response:
    """Ask for the password, and keep what was typed."""
    kept = [
        (name, value)
        for name, values in request.form.lists()
        if not name.startswith(_PREFIX) and name != "csrf_token" and not _is_secret(name)
        for value in values
    ]
    if request.method != "POST":
        kept.append((_OPENED, "yes"))
    response = form_page(
        "sign_in/confirm.html",
        form,
        kept=kept,
        needs_code=caller is None or caller.user.has_second_factor,
        minutes=int(rules.recent_auth.total_seconds() // 60),
    )
    # It takes the place of a page, and is no failure of its own.
    if not form.errors and request.method == "POST":
        response.status_code = 403
    return response


def _is_secret(name: str) -> bool:
    return "password" in name or name in ("otp", "token")
