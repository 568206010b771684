"""The table of clients, newest first."""

from flask import Response, request

from api.pagination import decode_cursor, page_response
from api.principal import Principal
from api.services import clients
from models import Right
from web.guards import page_for_users
from web.html import page

_PER_PAGE = 25


@page_for_users(right=Right.ADMINISTER)
def show(caller: Principal) -> Response:
    """List clients; the URL of each page can be shared."""
    after = decode_cursor(request.args.get("cursor"), {})
    found, after = clients.newest_first(after=after, limit=_PER_PAGE)
    shown, _, _ = page_response(found, after, {}, _PER_PAGE)
    return page("admin/clients.html", caller=caller, **shown)
