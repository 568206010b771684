"""The table of users: search, look up one, filter, and turn the pages."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from flask import Response, request

from api.pagination import decode_cursor, page_response
from api.principal import Principal
from api.services import accounts, rules
from models import Right, Status, User, UserFilter, field_rules, is_user_id
from models.errors import InvalidField
from web.admin.lookup import find_typed_user
from web.guards import page_for_users
from web.html import page
from web.texts import value_text

_PER_PAGE = 25
_MAX_LENGTH = field_rules.SEARCH.max_length
_STATUSES = [Status.ACTIVE.value, Status.SUSPENDED.value]


class UserRow(NamedTuple):
    """What the table shows of a user: read from the item once, not by a descriptor for each use."""

    id: str
    username: str | None
    full_name: str | None
    email: str
    email_verified: bool
    status: str
    is_active: bool
    roles: list[str]
    roles_text: str
    created_at: datetime
    last_login_at: datetime | None


@page_for_users(right=Right.READ)
def show(caller: Principal) -> Response:
    """List users, newest first, or search; the URL of each page can be shared."""
    text = request.args.get("q", "").strip()
    filters = _filters() | ({"q": text} if text else {})
    after = decode_cursor(request.args.get("cursor"), filters)
    is_too_short = False
    try:
        users, after = _find_page(text, filters, after)
    except InvalidField:
        users, after, is_too_short = [], None, True
    shown, _, _ = page_response(rows_of(users), after, filters, _PER_PAGE)
    return page(
        "admin/users.html",
        caller=caller,
        q=text,
        is_too_short=is_too_short,
        searches=accounts.search.is_on,
        filters=filters,
        statuses=_STATUSES,
        roles=rules.roles.names,
        **shown,
    )


def _find_page(
    text: str, filters: Mapping[str, str], after: str | None
) -> tuple[list[User], str | None]:
    """Return a page of users, and the position after it.

    Raises:
        InvalidField: The text is too short for a search.
    """
    chosen = UserFilter(
        Status(filters["status"]) if "status" in filters else None,
        filters.get("role"),
    )
    if not text:
        return accounts.newest_first(chosen, after=after, limit=_PER_PAGE)
    if is_user_id(text.lower()) or not accounts.search.is_on or len(text) > _MAX_LENGTH:
        found = find_typed_user(text)
        return [found] if found else [], None
    users, following = accounts.search.find(text, chosen, after=after, limit=_PER_PAGE)
    if not users and after is None and following is None:
        # Users of before a migration are not in the index.
        found = find_typed_user(text)
        users = [found] if found and chosen.passes(found) else []
    return users, following


def rows_of(users: Iterable[User]) -> list[UserRow]:
    """Return the rows of users, with texts in the language of the page."""
    texts = {role: value_text(role) for role in rules.roles.names}
    return [_row(user.attribute_values, texts) for user in users]


def _row(values: Mapping[str, Any], texts: Mapping[str, str]) -> UserRow:
    status, roles = values["status"], values["roles"]
    return UserRow(
        values["id"],
        values.get("username"),
        values.get("full_name"),
        values["email"],
        bool(values.get("email_verified")),
        status,
        status == Status.ACTIVE,
        roles,
        ", ".join(texts.get(role, role) for role in roles),
        values["created_at"],
        values.get("last_login_at"),
    )


def _filters() -> dict[str, str]:
    """Return the filters of the URL that there are; others are ignored."""
    allowed = {"status": _STATUSES, "role": rules.roles.names}
    sent = {name: request.args.get(name, "") for name in allowed}
    return {name: value for name, value in sent.items() if value in allowed[name]}
