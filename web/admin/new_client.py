"""Create a client."""

from flask import Response, request

from api.principal import Principal
from api.services import clients
from models import Right
from web.admin.forms import OnceForm, audience_field, client_name_field, scopes_field
from web.forms import errors_in
from web.guards import page_for_users
from web.html import form_page, page


class NewClientForm(OnceForm):
    """A new client."""

    name = client_name_field()
    scopes = scopes_field()
    audience = audience_field()


@page_for_users(right=Right.ADMINISTER)
def show(caller: Principal) -> Response:
    """Show the form, or create the client and show its secret."""
    form = NewClientForm()
    if request.method == "POST" and form.validate():
        caller.require_recent_auth()
        fields = {
            "name": form.name.data,
            "scopes": form.scopes.data,
            "audience": form.audience.data or None,
        }
        with errors_in(form):
            client, secret = clients.create(
                **fields,
                by=caller.actor,
                request=form.request_by(caller, "create client", fields),
            )
            # It is shown once, so there is no page to redirect to.
            return page("admin/client_secret.html", caller=caller, client=client, secret=secret)
    return form_page("admin/new_client.html", form)
