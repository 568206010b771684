"""Changes of a client that are confirmed: a page says what each does before it is done."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from flask import Response, request
from werkzeug.exceptions import NotFound

from api.principal import Principal
from api.services import clients
from models import OAuthClient, Right
from models.errors import ClientSecretNotFound
from web.admin.forms import OnceForm
from web.forms import errors_in
from web.guards import page_for_users
from web.html import form_page, go_to_page, page


@dataclass(frozen=True)
class ClientChange:
    """One change.

    Attributes:
        carry_out: Does it, and returns the next page.
        applies_to: Whether it makes sense for a client.
    """

    carry_out: Callable[[Principal, OAuthClient, OnceForm], Response]
    applies_to: Callable[[OAuthClient], bool] = lambda client: True


def _add_secret(caller: Principal, client: OAuthClient, form: OnceForm) -> Response:
    repeatable = form.request_by(caller, "create client secret", {}, target=client.id)
    _, secret = clients.add_secret(client.id, by=caller.actor, request=repeatable)
    # It is shown once, so there is no page to redirect to.
    return page("admin/client_secret.html", caller=caller, client=client, secret=secret)


def _disable(caller: Principal, client: OAuthClient, form: OnceForm) -> Response:
    clients.update(client.id, {"disabled": True}, by=caller.actor)
    return go_to_page("web.admin_client", "client-disabled", client_id=client.id)


def _enable(caller: Principal, client: OAuthClient, form: OnceForm) -> Response:
    clients.update(client.id, {"disabled": False}, by=caller.actor)
    return go_to_page("web.admin_client", "client-enabled", client_id=client.id)


def _delete(caller: Principal, client: OAuthClient, form: OnceForm) -> Response:
    clients.delete(client.id, by=caller.actor)
    return go_to_page("web.admin_clients", "client-deleted")


# By the last part of the URL; the texts are in the template.
CLIENT_CHANGES: Mapping[str, ClientChange] = {
    "add-secret": ClientChange(_add_secret),
    "disable": ClientChange(_disable, lambda client: not client.disabled),
    "enable": ClientChange(_enable, lambda client: bool(client.disabled)),
    "delete": ClientChange(_delete),
}


def changes_for(client: OAuthClient) -> list[str]:
    """Return the names of the changes that make sense for a client."""
    return [name for name, change in CLIENT_CHANGES.items() if change.applies_to(client)]


@page_for_users(right=Right.ADMINISTER)
def show(caller: Principal, client_id: str, change: str) -> Response:
    """Say what the change does, or carry it out. All of them need recent authentication."""
    chosen = CLIENT_CHANGES.get(change)
    if chosen is None:
        raise NotFound
    client = clients.get(client_id)
    form = OnceForm()
    if request.method == "POST":
        caller.require_recent_auth()
        with errors_in(form):
            return chosen.carry_out(caller, client, form)
    return form_page("admin/client_change.html", form, client=client, change=change)


@page_for_users(right=Right.ADMINISTER)
def show_secret(caller: Principal, client_id: str, secret_id: str) -> Response:
    """Say what revoking a secret does, or revoke it. It needs recent authentication."""
    client = clients.get(client_id)
    secret = next((each for each in client.secrets if each.id == secret_id), None)
    form = OnceForm()
    if request.method == "POST":
        caller.require_recent_auth()
        with errors_in(form):
            # A second click, or another admin, has revoked it already.
            with suppress(ClientSecretNotFound):
                clients.revoke_secret(client.id, secret_id, by=caller.actor)
            return go_to_page("web.admin_client", "secret-revoked", client_id=client.id)
    if secret is None:
        raise ClientSecretNotFound
    return form_page(
        "admin/client_change.html", form, client=client, change="revoke-secret", secret=secret
    )
