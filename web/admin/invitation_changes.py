"""Changes of an invitation that are confirmed: a page says what each does before it is done."""

from flask import Response, request
from werkzeug.exceptions import NotFound

from api.principal import Principal
from api.rate_limits import INVITATIONS, limit_user
from api.services import invitations
from models import Invitation, Right, strongest_role
from web.forms import Form, errors_in
from web.guards import page_for_users
from web.html import form_page, go_to_page

# By the last part of the URL; the texts are in the template.
INVITATION_CHANGES = ("resend", "revoke")


@page_for_users(right=Right.ADMINISTER)
def show(caller: Principal, invitation_id: str, change: str) -> Response:
    """Say what the change does, or carry it out."""
    if change not in INVITATION_CHANGES:
        raise NotFound
    invitation = invitations.get(invitation_id)
    form = Form()
    if request.method == "POST":
        with errors_in(form):
            if change == "resend":
                return _resend(caller, invitation)
            invitations.revoke(invitation.id, by=caller.actor)
            return go_to_page("web.admin_invitations", "invitation-revoked")
    return form_page("admin/invitation_change.html", form, invitation=invitation, change=change)


def _resend(caller: Principal, invitation: Invitation) -> Response:
    if strongest_role(invitation.roles):
        caller.require_account_control()
    limit_user(INVITATIONS, caller.id)
    invitations.resend(invitation, by=caller.actor)
    return go_to_page("web.admin_invitations", "invitation-resent")
