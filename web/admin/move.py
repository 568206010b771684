"""Move names of another user to a user, as when duplicates are merged."""

from typing import Any

from flask import Response, request
from wtforms import BooleanField, HiddenField

from api.principal import Principal
from api.services import accounts, name_moves
from models import Move, Right, User
from web.admin.forms import OnceForm
from web.admin.lookup import find_typed_user
from web.forms import Checkboxes, errors_in
from web.guards import page_for_users
from web.html import form_page, go_to_page


class MoveForm(OnceForm):
    """What moves. The hidden fields are what the admin has seen: the names move as they were."""

    names = Checkboxes()
    delete_source = BooleanField()
    version = HiddenField()
    source = HiddenField()
    email = HiddenField()
    username = HiddenField()

    def as_move(self) -> Move:
        """Return the move that was chosen."""
        return Move(
            self.source.data or "",
            self.email.data if "email" in self.names.data else None,
            self.username.data if "username" in self.names.data else None,
            self.delete_source.data,
        )


@page_for_users(right=Right.ADMINISTER)
def show(caller: Principal, id: str) -> Response:
    """Ask for the other user and for the names, and move them. It needs recent authentication."""
    target = caller.get_controlled_user(id, Right.ADMINISTER, even_own=True)
    form = MoveForm()
    form.names.choices = ["email", "username"]
    if request.method == "POST" and form.validate():
        caller.require_recent_auth()
        with errors_in(form):
            _move(caller, target, form)
            return go_to_page("web.admin_user", "user-move", id=target.id)
    typed = request.args.get("from", "").strip()
    source = find_typed_user(form.source.data or typed)
    if request.method != "POST":
        form = new_form(target, source)
    return form_page("admin/move.html", form, user=target, source=source, typed=typed)


def new_form(target: User, source: User | None) -> MoveForm:
    """Return the form for the names of a source; without one it is empty."""
    if source is None:
        return MoveForm(formdata=None, names=[])
    form = MoveForm(
        formdata=None,
        names=[],
        version=str(int(target.version)),
        source=source.id,
        email=source.email,
        username=source.username or "",
    )
    has_username = source.username is not None and accounts.usernames.are_on
    form.names.choices = ["email", "username"] if has_username else ["email"]
    return form


def _move(caller: Principal, target: User, form: MoveForm) -> None:
    move = form.as_move()
    version = form.version.data or ""
    body: dict[str, Any] = {
        "move": [move.source_id, move.email, move.username, move.deletes_source]
    }
    name_moves.move(
        target,
        move,
        # What another admin has changed meanwhile must not be overwritten unseen.
        versions={int(version)} if version.isdecimal() else set(),
        by=caller.actor,
        request=form.request_by(caller, "move names", body, target=target.id),
    )
