"""ETag, If-Match and If-None-Match (RFC 9110, section 13) for users.

A tag contains the version, which counts updates, and the last sign-in, which is shown but is no
update. `If-None-Match` compares both, so that no outdated representation counts as current;
`If-Match` compares the version only, so that a sign-in does not void what an editor has read.
"""

import re
from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import Response, abort, request

from api.openapi.annotations import describe, error_responses, headers, not_modified
from models import User

View = Callable[..., Any]

# Only the format that `etag` produces: a tag in another format was never issued.
_TAG = re.compile(r"([1-9a-f][0-9a-f]*)-(?:0|[1-9a-f][0-9a-f]*)")


def etag(user: User) -> str:
    """Return the entity tag of a user's representation."""
    last_login = round(user.last_login_at.timestamp() * 1000) if user.last_login_at else 0
    return f"{user.version:x}-{last_login:x}"


def with_etag(view: View) -> View:
    """Add the `ETag` of the user that a view returns; respond 304 if the client has it.

    Belongs below the serialization, so that a 304 skips it.
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


def if_match(view: View) -> View:
    """Read `If-Match`; the view gets the `versions` that it allows, None for any."""

    @wraps(view)
    def conditional(*args: Any, **kwargs: Any) -> Any:
        return view(*args, versions=_allowed_versions(), **kwargs)

    header = {
        "If-Match": {
            "in": "header",
            "description": "Respond 412 unless the user still has this `ETag`.",
        }
    }
    return error_responses("version-mismatch")(describe(conditional, params=header))


def _allowed_versions() -> frozenset[int] | None:
    if "If-Match" not in request.headers or request.if_match.star_tag:
        return None
    return frozenset(filter(None, map(_version, request.if_match.as_set())))


def _version(tag: str | None) -> int | None:
    match = _TAG.fullmatch(tag or "")
    return int(match[1], 16) if match else None
