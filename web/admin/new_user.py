"""Create a user."""

from typing import Any

from flask import Response, request

from api.principal import Principal
from api.services import accounts, passwords, rules
from models import EventType, Right, Role, User, build_user, strongest_role
from web.admin.forms import (
    email_field,
    name_field,
    status_field,
)
from web.forms import Checkboxes, Form, LanguageField, UsernameField, errors_in, password_field
from web.guards import page_for_users
from web.html import form_page, go_to_page

_TEXTS = ("username", "email", "full_name", "password")


class NewUserForm(Form):
    """A new user. Without a password, a link to choose one is emailed (ASVS 6.4.6)."""

    username = UsernameField("off")
    email = email_field()
    full_name = name_field()
    locale = LanguageField()
    password = password_field("new-password", required=False)
    roles = Checkboxes(default=[Role.USER.value])
    status = status_field()

    def validate(self, extra_validators: Any = None) -> bool:
        """Return whether all fields obey the rules; report all that do not together."""
        is_sound = bool(super().validate(extra_validators))
        if not self.password.data and not rules.verifies_addresses:
            self.add_error("password", "Emails are not configured: enter a password.")
            is_sound = False
        texts = self.texts_of(_TEXTS)
        for fault in accounts.faults_of(texts, any_username=True, offline=True):
            self.add_error(fault.field, str(fault))
            is_sound = False
        return is_sound


@page_for_users(right=Right.ADMINISTER)
def show(caller: Principal) -> Response:
    """Show the form, or create the user."""
    form = NewUserForm()
    form.roles.choices = rules.roles.names
    if request.method == "POST" and form.validate():
        if strongest_role(form.roles.data):
            caller.require_account_control()
        with errors_in(form):
            user = _create(caller, form)
            return go_to_page("web.admin_user", "user-created", id=user.id)
    return form_page(
        "admin/new_user.html",
        form,
        sends_emails=rules.verifies_addresses,
        min_length=accounts.policy.min_length,
    )


def _create(caller: Principal, form: NewUserForm) -> User:
    fields: dict[str, Any] = {
        "username": form.username_or_none,
        "email": form.email.data,
        "full_name": form.full_name.data or None,
        "locale": form.locale.data or None,
        "roles": form.roles.data,
        "status": form.status.data,
    }
    any_username = caller.may_assign_any_username()
    if form.password.data:
        return accounts.register(
            **fields, password=form.password.data, any_username=any_username, by=caller.actor
        )
    user = build_user(**fields)
    accounts.create(user, EventType.USER_REGISTERED, by=caller.actor, any_username=any_username)
    if user.is_active:
        passwords.send_reset(user, by=caller.actor)
    return user
