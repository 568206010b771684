"""API keys: create, list, revoke."""

from contextlib import suppress
from datetime import timedelta
from typing import Any

from flask import Response, request
from wtforms import IntegerField
from wtforms.validators import InputRequired, NumberRange

from api.principal import Principal
from api.rate_limits import EMAIL_REQUESTS, limit_client
from api.services import api_keys, rules
from models import Scope, field_rules, unprivileged
from models.errors import ApiKeyNotFound
from web.actions import act
from web.forms import Checkboxes, Form, errors_in, text_field
from web.guards import page_for_users
from web.html import form_page, go_to_page, page

DEFAULT_DAYS = 90
MAX_DAYS = 365


class ApiKeyForm(Form):
    """A new key."""

    name = text_field(field_rules.API_KEY_NAME, autocomplete="off")
    expires_in_days = IntegerField(
        default=DEFAULT_DAYS,
        validators=[
            InputRequired("Fill in this field."),
            NumberRange(1, MAX_DAYS, f"Enter a number from 1 to {MAX_DAYS}."),
        ],
        render_kw={"inputmode": "numeric", "autocomplete": "off"},
    )
    roles = Checkboxes()
    scopes = Checkboxes(choices=[scope.value for scope in Scope])


@page_for_users()
def show(caller: Principal) -> Response:
    """List the keys, or create or revoke one."""
    actions = {"create": _create, "revoke": _revoke, "revoke-all": _revoke_all}
    return act(caller, actions) or _show(caller, _new_form(caller, formdata=None))


def _new_form(caller: Principal, **options: Any) -> ApiKeyForm:
    roles = rules.roles.counting(caller.user.roles)
    # A key has power over others on request only.
    form = ApiKeyForm(roles=unprivileged(roles), **options)
    form.roles.choices = roles
    return form


def _create(caller: Principal) -> Response:
    form = _new_form(caller)
    if form.validate():
        caller.require_recent_auth()
        with errors_in(form):
            caller.require_verified_email()
            limit_client(EMAIL_REQUESTS)
            row, key = api_keys.create(
                caller.user,
                form.name.data,
                form.roles.data,
                timedelta(days=form.expires_in_days.data),
                caller.actor,
                scopes=[Scope(scope) for scope in form.scopes.data],
            )
            # It is shown once, so there is no page to redirect to.
            return page("account/api_key.html", caller=caller, row=row, key=key)
    return _show(caller, form)


def _revoke(caller: Principal) -> Response:
    # It may have expired, or another tab may have revoked it.
    with suppress(ApiKeyNotFound):
        api_keys.revoke(caller.user, request.form.get("key", ""), caller.actor)
    return go_to_page("web.api_keys", "key-revoked")


def _revoke_all(caller: Principal) -> Response:
    api_keys.revoke_all(caller.user, caller.actor)
    return go_to_page("web.api_keys", "keys-revoked")


def _show(caller: Principal, form: ApiKeyForm) -> Response:
    return form_page(
        "account/api_keys.html",
        form,
        keys=api_keys.list_for(caller.user),
        needs_verification=rules.verifies_addresses and not caller.user.email_verified,
    )
