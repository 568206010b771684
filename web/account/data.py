"""The data of the account: export all of it, or delete it."""

from contextlib import suppress
from typing import Any

import orjson
from flask import Response

from api.principal import Principal
from api.schemas import user as user_schema
from api.serialization import compiled
from api.services import accounts, api_keys, second_factors, sessions
from api.v1.events.routes import event_body
from models import EventFilter, field_rules, list_events
from models.errors import UserNotFound
from web import browser_session
from web.actions import act
from web.forms import Form, errors_in, text_field
from web.guards import page_for_users
from web.html import form_page, go_to_page

# The newest ones; a request has a deadline.
_MAX_EVENTS = 1000
_EVENTS_PER_READ = 100
_user_body = compiled(user_schema)
# By whether the user has no username.
_NOT_YOURS = ("This is not your username.", "This is not your email address.")


class DeletionForm(Form):
    """The username, or the email address of a user without one, typed.

    So no one deletes an account by mistake.
    """

    username = text_field(
        field_rules.LOGIN, autocomplete="off", autocapitalize="none", spellcheck="false"
    )


@page_for_users()
def show(caller: Principal) -> Response:
    """Show what can be done with the data, or do it."""
    actions = {"export": _export, "delete": _delete}
    return act(caller, actions) or _show(DeletionForm(formdata=None))


def _show(form: DeletionForm) -> Response:
    return form_page("account/data.html", form, max_events=_MAX_EVENTS)


def _export(caller: Principal) -> Response:
    caller.require_recent_auth()
    text = orjson.dumps(_everything(caller), option=orjson.OPT_INDENT_2)
    response = Response(text, mimetype="application/json")
    response.headers["Content-Disposition"] = 'attachment; filename="account.json"'
    response.headers["Cache-Control"] = "no-store"
    return response


def _everything(caller: Principal) -> dict[str, Any]:
    """Return all that is stored about the user, except secrets and their digests."""
    user = caller.user
    factor = second_factors.status(user)
    return {
        "user": _user_body(user),
        "pending_email": user.pending_email,
        "second_factor": {
            "enabled_at": factor.enabled_at,
            "recovery_codes_left": factor.recovery_codes_left,
        },
        "sessions": [
            {
                "id": row.id,
                "created_at": row.created_at,
                "last_used_at": row.last_used_at,
                "expires_at": row.expires_at,
                "amr": row.methods,
                "user_agent": row.user_agent,
                "ip": row.ip,
            }
            for row in sessions.list_for(user)
        ],
        "api_keys": [
            {
                "id": row.id,
                "name": row.name,
                "roles": list(row.roles),
                "scopes": list(row.scopes or []),
                "created_at": row.created_at,
                "expires_at": row.expires_at,
                "last_used_at": row.last_used_at,
            }
            for row in api_keys.list_for(user)
        ],
        "events": _events_of(user.id),
    }


def _events_of(user_id: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    after = None
    while len(found) < _MAX_EVENTS:
        rows, after = list_events(EventFilter(user_id), after=after, limit=_EVENTS_PER_READ)
        found += [event_body(row, hides_ip=True) for row in rows]
        if after is None:
            break
    return found


def _delete(caller: Principal) -> Response:
    form = DeletionForm()
    if not form.validate():
        return _show(form)
    if form.username.data.lower() != caller.user.account_name.lower():
        form.add_error("username", _NOT_YOURS[caller.user.username is None])
        return _show(form)
    caller.require_recent_auth()
    with errors_in(form):
        # Another tab may have deleted it.
        with suppress(UserNotFound):
            accounts.delete(caller.user, by=caller.actor)
        browser_session.forget()
        return go_to_page("web.sign_in", "account-deleted")
    return _show(form)
