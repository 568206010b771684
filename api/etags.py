"""Entity tags and preconditions (RFC 9110, section 13) for users and clients, for every method.

A tag contains the version, which counts updates, and the last sign-in of a user or use of a client,
which is shown but is no update. `If-None-Match` of a GET compares both, so that no outdated copy
counts as current; changes compare the version only, so that a sign-in does not void what an editor
has read.
"""

import re
from collections.abc import Callable, Container, Iterable
from functools import wraps
from typing import Any

from flask import Response, abort, request

from api.errors import RequestError
from api.openapi.annotations import describe, error_responses, headers, not_modified
from models import OAuthClient, User
from models.errors import VersionMismatch

View = Callable[..., Any]

# Only the format that `etag` produces: a tag in another format was never issued.
_TAG = re.compile(r"([1-9a-f][0-9a-f]*)-(?:0|[1-9a-f][0-9a-f]*)")


def etag(item: User | OAuthClient) -> str:
    """Return the entity tag of the representation of a user or client."""
    used_at = item.last_login_at if isinstance(item, User) else item.last_used_at
    last_use = round(used_at.timestamp() * 1000) if used_at else 0
    return f"{item.version:x}-{last_use:x}"


def with_etag(view: View) -> View:
    """Add the `ETag` of the user or client that a view returns; respond 304 if the client has it.

    Belongs below the serialization, so that a 304 skips it.
    """

    @wraps(view)
    def conditional(*args: Any, **kwargs: Any) -> Any:
        item, status, headers = view(*args, **kwargs)
        tag = etag(item)
        if request.method in ("GET", "HEAD"):
            _check_read(item, tag)
        return item, status, {**headers, "ETag": f'"{tag}"'}

    documented = headers("ETag")(conditional)
    return _conditional(not_modified(documented)) if view.__name__ == "get" else documented


def preconditions(view: View) -> View:
    """Read `If-Match` and `If-None-Match` of a change; the view gets the allowed `versions`.

    None allows any version. The domain compares them in the transaction of the change.
    """

    @wraps(view)
    def conditional(*args: Any, **kwargs: Any) -> Any:
        try:
            return view(*args, versions=_allowed_versions(), **kwargs)
        except VersionMismatch as error:
            raise _mismatch(error) from None

    return _conditional(conditional)


def _conditional(view: View) -> View:
    header = {
        "If-Match": {
            "in": "header",
            "description": "Respond 412 unless the resource still has this `ETag`.",
        }
    }
    return error_responses("version-mismatch")(describe(view, params=header))


class _Versions:
    """The versions that the header fields of a change allow."""

    def __init__(self, matching: frozenset[int] | None, excluded: frozenset[int]) -> None:
        self._matching = matching
        self._excluded = excluded

    def __contains__(self, version: object) -> bool:
        is_matching = self._matching is None or version in self._matching
        return is_matching and version not in self._excluded


def _allowed_versions() -> Container[int] | None:
    """Evaluate the preconditions of a change in the order of RFC 9110, 13.2.2."""
    matching = _matching_versions()
    if "If-None-Match" not in request.headers:
        return None if matching is None else _Versions(matching, frozenset())
    if request.if_none_match.star_tag:
        # The item exists, else the response is 404.
        return _Versions(frozenset(), frozenset())
    # A weak comparison (13.1.2).
    return _Versions(matching, _versions(request.if_none_match.as_set(include_weak=True)))


def _check_read(item: User | OAuthClient, tag: str) -> None:
    """Evaluate the preconditions of a GET or HEAD in the order of RFC 9110, 13.2.2."""
    matching = _matching_versions()
    if matching is not None and item.version not in matching:
        raise _mismatch(VersionMismatch(_name_of(item)))
    if request.if_none_match.contains_weak(tag):
        abort(Response(status=304, headers={"ETag": f'"{tag}"'}))


def _matching_versions() -> frozenset[int] | None:
    """Return the versions in `If-Match`; None if it allows any."""
    if "If-Match" not in request.headers or request.if_match.star_tag:
        return None
    return _versions(request.if_match.as_set())


def _name_of(item: User | OAuthClient) -> str:
    return "user" if isinstance(item, User) else "client"


def _mismatch(error: VersionMismatch) -> Exception:
    """Return the error of an item at another version.

    It is raised after all others: a precondition counts only for a request that would be granted
    (RFC 9110, 13.2.1).
    """
    given = request.if_match
    # Weak tags never match (13.1.1).
    if given.as_set() or not given.as_set(include_weak=True):
        return error
    return RequestError(
        "version-mismatch",
        "If-Match has weak tags only, which never match. Send the ETag without W/; a proxy that"
        " compresses responses may have added it.",
    )


def _versions(tags: Iterable[str]) -> frozenset[int]:
    return frozenset(filter(None, map(_version, tags)))


def _version(tag: str | None) -> int | None:
    match = _TAG.fullmatch(tag or "")
    return int(match[1], 16) if match else None
