"""The table of invitations, newest first."""

from flask import Response, request

from api.pagination import decode_cursor, page_response
from api.principal import Principal
from api.services import invitations
from models import Right
from web.guards import page_for_users
from web.html import page

_PER_PAGE = 25


@page_for_users(right=Right.READ)
def show(caller: Principal) -> Response:
    """List invitations; the URL of each page can be shared."""
    after = decode_cursor(request.args.get("cursor"), {})
    found, after = invitations.newest_first(after=after, limit=_PER_PAGE)
    shown, _, _ = page_response(found, after, {}, _PER_PAGE)
    return page("admin/invitations.html", caller=caller, **shown)
