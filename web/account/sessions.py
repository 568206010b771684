"""The sessions of the user: where and when, and a button that ends each."""

from contextlib import suppress

from flask import Response, request

from api.principal import Principal
from api.services import sessions
from models.errors import SessionNotFound
from web import browser_session
from web.actions import act
from web.guards import page_for_users
from web.html import go_to_page, page


@page_for_users()
def show(caller: Principal) -> Response:
    """List the sessions, or end one or all of them."""
    return act(caller, {"end": _end, "end-all": _end_all}) or _show(caller)


def _end(caller: Principal) -> Response:
    session_id = request.form.get("session", "")
    if session_id != caller.session.id:
        caller.require_recent_auth()
    # It may have ended by itself, or by another tab.
    with suppress(SessionNotFound):
        sessions.end(caller.user, session_id, by=caller.actor)
    if session_id == caller.session.id:
        browser_session.forget()
        return go_to_page("web.sign_in", "signed-out")
    return go_to_page("web.sessions", "session-ended")


def _end_all(caller: Principal) -> Response:
    caller.require_recent_auth()
    sessions.end_all(caller.user, by=caller.actor)
    browser_session.forget()
    return go_to_page("web.sign_in", "signed-out")


def _show(caller: Principal) -> Response:
    rows = sessions.list_for(caller.user)
    return page("account/sessions.html", caller=caller, sessions=rows, current=caller.session.id)
