"""ETag, If-Match and If-None-Match (RFC 9110, section 13) for users.

A tag names the version that edits count, and the last sign-in, which is shown but no edit:
`If-None-Match` compares both, so that nothing stale is called current; `If-Match` compares the
version alone, so that somebody's signing in does not void what an editor has read.
"""

import re
from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import Response, abort, request

from api.openapi.annotations import describe, headers, not_modified, problems
from models import User

View = Callable[..., Any]

# Only what `etag` makes: a tag in any other spelling was never given.
_TAG = re.compile(r"([1-9a-f][0-9a-f]*)-(?:0|[1-9a-f][0-9a-f]*)")


def etag(user: User) -> str:
    """The entity tag of a user as it is shown."""
    shown = round(user.last_login_at.timestamp() * 1000) if user.last_login_at else 0
    return f"{user.version:x}-{shown:x}"


def tagged(view: View) -> View:
    """Add the `ETag` of the user that a view returns, and answer 304 where the client has it.

    Stands below the marshalling, so that a 304 saves it.
    """

    @wraps(view)
    def conditional(*args: Any, **kwargs: Any) -> Any:
        user, status, headers = view(*args, **kwargs)
        tag = etag(user)
        if request.method in ("GET", "HEAD") and request.if_none_match.contains_weak(tag):
            abort(Response(status=304, headers={"ETag": f'"{tag}"'}))
        return user, status, {**headers, "ETag": f'"{tag}"'}

    documented = headers("ETag")(conditional)
    return not_modified(documented) if view.__name__ == "get" else documented


def matched(view: View) -> View:
    """Read `If-Match`; the view gets the `versions` it allows, None for any."""

    @wraps(view)
    def conditional(*args: Any, **kwargs: Any) -> Any:
        return view(*args, versions=_allowed_versions(), **kwargs)

    header = {
        "If-Match": {
            "in": "header",
            "description": "Refuse with 412 unless the user still has this `ETag`.",
        }
    }
    return problems("version-mismatch")(describe(conditional, params=header))


def _allowed_versions() -> frozenset[int] | None:
    if "If-Match" not in request.headers or request.if_match.star_tag:
        return None
    return frozenset(filter(None, map(_version, request.if_match.as_set())))


def _version(tag: str | None) -> int | None:
    given = _TAG.fullmatch(tag or "")
    return int(given[1], 16) if given else None
