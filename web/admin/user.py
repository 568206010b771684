"""The page of one user: what is known of the account, and forms that change its fields."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any

from flask import Response, request
from wtforms import HiddenField, TextAreaField

from api.principal import Principal
from api.services import accounts, api_keys, clients, rules, second_factors, sessions
from models import Right, User
from models.errors import (
    ApiKeyNotFound,
    ClientNotFound,
    SessionNotFound,
    UserNotFound,
)
from web.actions import act
from web.admin.changes import changes_for
from web.admin.forms import email_field, external_id_field, name_field, parse_object
from web.forms import Checkboxes, Form, LanguageField, UsernameField, errors_in
from web.guards import page_for_users
from web.html import form_page, go_to_page, json_text

_Action = Callable[[User, Principal], Response]

# Lists of the page; the pages of events have all of them.
_MAX_SHOWN = 25


class FieldsForm(Form):
    """The fields about the person. The version is the one that the admin has seen."""

    username = UsernameField("off", may_stay_absent=True)
    email = email_field()
    full_name = name_field()
    locale = LanguageField()
    external_id = external_id_field()
    version = HiddenField()

    def validate(self, extra_validators: Any = None) -> bool:
        """Return whether all fields obey the rules; report all that do not together."""
        is_sound = bool(super().validate(extra_validators))
        texts = self.texts_of(["username", "email", "full_name"])
        for fault in accounts.faults_of(texts, any_username=True, offline=True):
            self.add_error(fault.field, str(fault))
            is_sound = False
        return is_sound


class RolesForm(Form):
    """What the user may do."""

    roles = Checkboxes()
    version = HiddenField()


class MetadataForm(Form):
    """The metadata as JSON."""

    metadata = TextAreaField(render_kw={"rows": "8", "spellcheck": "false"})
    version = HiddenField()


class AppMetadataForm(Form):
    """The metadata that the user may only read, as JSON."""

    app_metadata = TextAreaField(render_kw={"rows": "8", "spellcheck": "false"})
    version = HiddenField()


@page_for_users(right=Right.READ)
def show(caller: Principal, id: str) -> Response:
    """Show the user, or save a form.

    Events name users and clients by their IDs alike, so that of a client leads to its page.
    """
    try:
        target = caller.get_visible_user(id)
    except UserNotFound:
        with suppress(ClientNotFound):
            return go_to_page("web.admin_client", client_id=clients.get(id).id)
        raise
    actions: dict[str, Callable[[Principal], Response]] = {
        name: partial(_carry_out, target, right, action)
        for name, (right, action) in _ACTIONS.items()
    }
    return act(caller, actions) or _show(caller, target)


def _carry_out(target: User, right: Right, action: _Action, caller: Principal) -> Response:
    caller.require_right(right, target)
    return action(target, caller)


def _save_fields(target: User, caller: Principal) -> Response:
    form = FieldsForm(locale=target.locale, username=target.username)
    if form.validate():
        typed = {
            "email": form.email.data,
            "full_name": form.full_name.data or None,
            "locale": form.locale.data or None,
        }
        if form.username:
            name = form.username_or_none
            typed["username"] = name and name.lower()
        # A form without the field leaves it as it is.
        if form.external_id.raw_data:
            typed["external_id"] = form.external_id.data or None
        changes = {name: new for name, new in typed.items() if new != getattr(target, name)}
        if not changes.keys().isdisjoint({"username", "email"}):
            caller.require_recent_auth()
        with errors_in(form):
            return _save(caller, target, form, changes)
    return _show(caller, target, fields=form)


def _new_roles_form(target: User, **options: Any) -> RolesForm:
    """Return a form that offers every role, and those of the user that are no longer known."""
    form = RolesForm(**options)
    form.roles.choices = list(dict.fromkeys([*rules.roles.names, *target.roles]))
    return form


def _save_roles(target: User, caller: Principal) -> Response:
    form = _new_roles_form(target)
    if form.validate():
        caller.require_account_control()
        with errors_in(form):
            return _save(caller, target, form, {"roles": form.roles.data})
    return _show(caller, target, roles=form)


def _save_metadata(target: User, caller: Principal) -> Response:
    form = MetadataForm()
    if form.validate():
        with errors_in(form):
            metadata = parse_object("metadata", form.metadata.data)
            return _save(caller, target, form, {"metadata": metadata})
    return _show(caller, target, metadata=form)


def _save_app_metadata(target: User, caller: Principal) -> Response:
    form = AppMetadataForm()
    if form.validate():
        with errors_in(form):
            app_metadata = parse_object("app_metadata", form.app_metadata.data)
            return _save(caller, target, form, {"app_metadata": app_metadata})
    return _show(caller, target, app_metadata=form)


def _end_session(target: User, caller: Principal) -> Response:
    caller.require_recent_auth()
    # It may have ended by itself, or by another admin.
    with suppress(SessionNotFound):
        sessions.end(target, request.form.get("session", ""), by=caller.actor)
    return go_to_page("web.admin_user", "session-ended", id=target.id)


def _revoke_key(target: User, caller: Principal) -> Response:
    caller.require_recent_auth()
    with suppress(ApiKeyNotFound):
        api_keys.revoke(target, request.form.get("key", ""), caller.actor)
    return go_to_page("web.admin_user", "key-revoked", id=target.id)


_ACTIONS: Mapping[str, tuple[Right, _Action]] = {
    "fields": (Right.ADMINISTER, _save_fields),
    "roles": (Right.ADMINISTER, _save_roles),
    "metadata": (Right.ADMINISTER, _save_metadata),
    "app-metadata": (Right.ADMINISTER, _save_app_metadata),
    "end-session": (Right.SUPPORT, _end_session),
    "revoke-key": (Right.ADMINISTER, _revoke_key),
}


def _save(caller: Principal, target: User, form: Any, changes: dict[str, Any]) -> Response:
    version = form.version.data
    accounts.update(
        target,
        changes,
        # What another admin has changed meanwhile must not be overwritten unseen.
        versions={int(version)} if version and version.isdecimal() else set(),
        confirms_email=caller.is_self(target.id),
        any_username="username" in changes and caller.may_assign_any_username(),
        any_domain="email" in changes and caller.may_use_any_domain(),
        by=caller.actor,
    )
    return go_to_page("web.admin_user", "user-saved", id=target.id)


def _show(
    caller: Principal,
    target: User,
    *,
    fields: FieldsForm | None = None,
    roles: RolesForm | None = None,
    metadata: MetadataForm | None = None,
    app_metadata: AppMetadataForm | None = None,
) -> Response:
    version = str(int(target.version))
    return form_page(
        "admin/user.html",
        fields or roles or metadata or app_metadata or Form(formdata=None),
        user=target,
        fields=fields
        or FieldsForm(
            formdata=None,
            username=target.username,
            email=target.email,
            full_name=target.full_name,
            locale=target.locale,
            external_id=target.external_id,
            version=version,
        ),
        roles=roles
        or _new_roles_form(target, formdata=None, roles=list(target.roles), version=version),
        metadata=metadata
        or MetadataForm(formdata=None, metadata=json_text(target.metadata), version=version),
        app_metadata=app_metadata
        or AppMetadataForm(
            formdata=None, app_metadata=json_text(target.app_metadata), version=version
        ),
        changes=changes_for(target, caller),
        may_edit=caller.may_change(target, Right.ADMINISTER),
        may_end_sessions=caller.may_change(target, Right.SUPPORT),
        sessions=sessions.list_for(target)[:_MAX_SHOWN],
        keys=api_keys.list_for(target)[:_MAX_SHOWN],
        second_factor=second_factors.status(target),
    )
