"""Changes of an account that are confirmed: a page says what each does before it is done."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from flask import Response, request
from werkzeug.exceptions import NotFound
from wtforms import HiddenField

from api.principal import Principal
from api.services import accounts, api_keys, passwords, second_factors, sessions
from models import Right, Status, User
from models.errors import VersionMismatch
from web.forms import Form, errors_in
from web.guards import page_for_users
from web.html import form_page, go_to_page


@dataclass(frozen=True)
class Change:
    """One change.

    Attributes:
        carry_out: Does it.
        applies_to: Whether it makes sense for a user.
        right: What it requires.
        is_of_version: Whether it holds only for the user as the page showed it.
    """

    carry_out: Callable[[Principal, User], object]
    applies_to: Callable[[User], bool] = lambda user: True
    right: Right = Right.ADMINISTER
    is_of_version: bool = False


class ChangeForm(Form):
    """The button. The version is the one that the admin has seen."""

    version = HiddenField()


def _suspend(caller: Principal, target: User) -> None:
    accounts.update(target, {"status": Status.SUSPENDED}, by=caller.actor)


def _reactivate(caller: Principal, target: User) -> None:
    accounts.update(target, {"status": Status.ACTIVE}, by=caller.actor)


def _send_reset(caller: Principal, target: User) -> None:
    passwords.send_reset(target, by=caller.actor)


def _unlock(caller: Principal, target: User) -> None:
    passwords.unlock(target, by=caller.actor)


def _end_sessions(caller: Principal, target: User) -> None:
    sessions.end_all(target, by=caller.actor)


def _disable_second_factor(caller: Principal, target: User) -> None:
    second_factors.disable(target, by=caller.actor)


def _revoke_keys(caller: Principal, target: User) -> None:
    api_keys.revoke_all(target, caller.actor)


def _set_verified(caller: Principal, target: User, *, is_verified: bool) -> None:
    accounts.update(
        target, {"email_verified": is_verified}, versions={int(target.version)}, by=caller.actor
    )


def _delete(caller: Principal, target: User) -> None:
    accounts.delete(target, by=caller.actor)


# By the last part of the URL; the texts are in the template.
CHANGES: Mapping[str, Change] = {
    "unlock": Change(_unlock, right=Right.SUPPORT),
    "reset-password": Change(_send_reset, lambda user: user.is_active, Right.SUPPORT),
    "end-sessions": Change(_end_sessions, right=Right.SUPPORT),
    "revoke-keys": Change(_revoke_keys),
    "disable-second-factor": Change(
        _disable_second_factor, lambda user: bool(user.has_second_factor)
    ),
    # Of the address that the page shows, and of no later one.
    "verify-email": Change(
        partial(_set_verified, is_verified=True),
        lambda user: not user.email_verified,
        is_of_version=True,
    ),
    "unverify-email": Change(
        partial(_set_verified, is_verified=False),
        lambda user: bool(user.email_verified),
        is_of_version=True,
    ),
    "suspend": Change(_suspend, lambda user: user.is_active, Right.SUPPORT),
    "reactivate": Change(_reactivate, lambda user: not user.is_active, Right.SUPPORT),
    "delete": Change(_delete),
}


def changes_for(user: User, caller: Principal) -> list[str]:
    """Return the names of the changes that make sense for a user, and that the caller may make."""
    return [
        name
        for name, change in CHANGES.items()
        if change.applies_to(user) and caller.may_change(user, change.right)
    ]


@page_for_users(right=Right.SUPPORT)
def show(caller: Principal, id: str, change: str) -> Response:
    """Say what the change does, or carry it out. All of them need recent authentication."""
    chosen = CHANGES.get(change)
    if chosen is None:
        raise NotFound
    target = caller.get_controlled_user(id, chosen.right, even_own=True)
    version = str(int(target.version))
    form = ChangeForm(version=version if request.method == "GET" else None)
    if request.method == "POST":
        caller.require_recent_auth()
        with errors_in(form):
            if chosen.is_of_version and form.version.data != version:
                raise VersionMismatch
            chosen.carry_out(caller, target)
            if change == "delete":
                return go_to_page("web.admin_users", "user-deleted")
            return go_to_page("web.admin_user", f"user-{change}", id=target.id)
    return form_page("admin/change.html", form, user=target, change=change)
