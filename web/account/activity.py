"""What happened to the account."""

from flask import Response, request

from api.pagination import decode_cursor, page_response
from api.principal import Principal
from api.v1.events.routes import event_body
from models import EventFilter, list_events
from web.guards import page_for_users
from web.html import page

_PER_PAGE = 25


@page_for_users()
def show(caller: Principal) -> Response:
    """List a page of audit events, newest first; the URL of each page can be kept."""
    owner_id = caller.user.id
    after = decode_cursor(request.args.get("cursor"), {}, owner=owner_id)
    rows, after = list_events(EventFilter(owner_id), after=after, limit=_PER_PAGE)
    events = [event_body(row, hides_ip=not caller.sees_all_users) for row in rows]
    shown, _, _ = page_response(events, after, {}, _PER_PAGE, owner=owner_id)
    return page("account/activity.html", caller=caller, **shown)
