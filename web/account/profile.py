"""The profile: name, language and username."""

from flask import Response

from api.principal import Principal
from api.rate_limits import NAME_CHANGES, limit_user_and_client
from api.services import accounts
from models import field_rules
from web.actions import act
from web.forms import Form, LanguageField, UsernameField, errors_in, text_field
from web.guards import page_for_users
from web.html import form_page, go_to_page


class ProfileForm(Form):
    """The display name."""

    full_name = text_field(field_rules.FULL_NAME, required=False, autocomplete="name")


class LanguageForm(Form):
    """The language of pages and emails."""

    locale = LanguageField()


class UsernameForm(Form):
    """The username."""

    username = UsernameField("username")


@page_for_users()
def show(caller: Principal) -> Response:
    """Show the profile, or save a part of it."""
    actions = {
        "profile": _save_profile,
        "language": _save_language,
    }
    if accounts.usernames.are_on:
        actions["username"] = _save_username
    return act(caller, actions) or _show(caller)


def _save_profile(caller: Principal) -> Response:
    form = ProfileForm()
    if form.validate():
        with errors_in(form):
            changes = {"full_name": form.full_name.data or None}
            accounts.update(caller.user, changes, by=caller.actor)
            return go_to_page("web.profile", "profile-saved")
    return _show(caller, profile=form)


def _save_language(caller: Principal) -> Response:
    form = LanguageForm(locale=caller.user.locale)
    if form.validate():
        with errors_in(form):
            accounts.update(caller.user, {"locale": form.locale.data or None}, by=caller.actor)
            return go_to_page("web.profile", "language-saved")
    return _show(caller, language=form)


def _save_username(caller: Principal) -> Response:
    form = UsernameForm()
    if form.validate():
        caller.require_account_control()
        with errors_in(form):
            if not caller.is_admin:
                limit_user_and_client(NAME_CHANGES, caller.user.id)
            after = accounts.update(
                caller.user,
                {"username": form.username_or_none},
                any_username=caller.may_assign_any_username(),
                by=caller.actor,
            )
            notice = "username-saved" if after.username else "username-removed"
            return go_to_page("web.profile", notice)
    return _show(caller, username=form)


def _show(
    caller: Principal,
    *,
    profile: ProfileForm | None = None,
    language: LanguageForm | None = None,
    username: UsernameForm | None = None,
) -> Response:
    return form_page(
        "account/profile.html",
        profile or language or username or ProfileForm(formdata=None),
        profile=profile or ProfileForm(formdata=None, full_name=caller.user.full_name),
        languages=language or LanguageForm(formdata=None, locale=caller.user.locale),
        username=username or UsernameForm(formdata=None, username=caller.user.username),
    )
