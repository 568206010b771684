"""The page of one client: its secrets, its events, and a form that changes its fields."""

from functools import partial

from flask import Response
from wtforms import HiddenField

from api.principal import Principal
from api.services import clients
from api.v1.events.routes import event_body
from models import EventFilter, OAuthClient, Right, list_events
from models.tables.oauth_client import MAX_SECRETS
from web.actions import act
from web.admin.client_changes import changes_for
from web.admin.forms import audience_field, client_name_field, scopes_field
from web.forms import Form, errors_in
from web.guards import page_for_users
from web.html import form_page, go_to_page

# The page of events has all of them.
_MAX_EVENTS = 10


class ClientForm(Form):
    """The fields of a client. The version is the one that the admin has seen."""

    name = client_name_field()
    scopes = scopes_field()
    audience = audience_field()
    version = HiddenField()


@page_for_users(right=Right.ADMINISTER)
def show(caller: Principal, client_id: str) -> Response:
    """Show the client, or save its fields."""
    client = clients.get(client_id)
    return act(caller, {"fields": partial(_save, client)}) or _show(client)


def _save(client: OAuthClient, caller: Principal) -> Response:
    form = ClientForm()
    if form.validate():
        caller.require_recent_auth()
        version = form.version.data or ""
        with errors_in(form):
            clients.update(
                client.id,
                {
                    "name": form.name.data,
                    "scopes": form.scopes.data,
                    "audience": form.audience.data or None,
                },
                # What another admin has changed meanwhile must not be overwritten unseen.
                versions={int(version)} if version.isdecimal() else set(),
                by=caller.actor,
            )
            return go_to_page("web.admin_client", "client-saved", client_id=client.id)
    return _show(client, form)


def _show(client: OAuthClient, form: ClientForm | None = None) -> Response:
    events, _ = list_events(EventFilter(client.id, None, None), limit=_MAX_EVENTS)
    return form_page(
        "admin/client.html",
        form
        or ClientForm(
            formdata=None,
            name=client.name,
            scopes=list(client.scopes),
            audience=client.audience,
            version=str(int(client.version)),
        ),
        client=client,
        changes=changes_for(client),
        can_add=len(client.secrets) < MAX_SECRETS,
        events=[event_body(row, hides_ip=False) for row in events],
    )
