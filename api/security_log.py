"""Log lines and audit events of rejected requests (ASVS 16.3.1 to 16.3.3).

A line has IDs, and words that are constants of this program: no text of a request, so that no
request can forge a line (ASVS 16.4.1), and no name or address of a person.
"""

import logging

from flask import g, request

from api.client import client
from api.problems import Problem
from api.services import merged_events
from models import Actor, client_key, field_rules, is_user_id
from models.errors import TooManyAttempts, TooManyRequests
from models.log_fields import LogFields

log = logging.getLogger("roster.security")

# What the caller may not do, or not on this object: another user's objects do not exist for it.
_DENIED = {"forbidden", "second-factor-missing", "email-not-verified"}
_NOT_FOUND = {"user-not-found", "session-not-found", "api-key-not-found"}
# Failed authentication, spent quotas, and values that the service has signed or sent.
_OTHERS = {
    "unauthenticated",
    "invalid-credentials",
    "second-factor-required",
    "fresh-sign-in-required",
    "too-many-requests",
    "invalid-token",
    "invalid-cursor",
}
# The arguments of routes that name an object, the more specific ones first.
_ID_ARGUMENTS = ("key_id", "secret_id", "client_id", "invitation_id", "id")
# Clients meet these in regular use.
_EXPECTED = {"fresh-sign-in-required"}


def rejected(problem: Problem, error: Exception) -> None:
    """Log a rejected request and record it, if it concerns security.

    Args:
        problem: The problem that is the response.
        error: Why the request was rejected.
    """
    slug = problem.slug
    is_denied = slug in _DENIED or (slug in _NOT_FOUND and not _sees_all_users())
    if not is_denied and slug not in _OTHERS:
        return
    is_expected = slug in _EXPECTED or (
        slug == "unauthenticated" and "Authorization" not in request.headers
    )
    level = logging.INFO if is_expected else logging.WARNING
    fields = LogFields(status=problem.status, problem=slug, **_fields(error))
    log.log(level, "rejected %s", fields)
    _record(slug, error, is_denied=is_denied)


def _record(slug: str, error: Exception, *, is_denied: bool) -> None:
    by = _actor()
    if is_denied:
        merged_events.access_denied(by, slug)
    elif isinstance(error, TooManyAttempts):
        if error.subject and error.since:
            merged_events.attempt_during_lockout(error.subject, error.since, by)
    elif isinstance(error, TooManyRequests) and error.quota:
        subject = by.user_id or client_key(error.counted_as or "")
        merged_events.quota_exceeded(subject, error.quota, by)


def _fields(error: Exception) -> dict[str, str | None]:
    by = _actor()
    fields = {"user": by.user_id, "key": by.key_id, "object": _object()}
    subject = getattr(error, "subject", None)
    if subject and subject != by.user_id:
        fields["subject"] = subject
    if quota := getattr(error, "quota", None):
        fields["quota"] = quota
    return fields


def _object() -> str | None:
    """Return the ID in the URL; None if it has none, or not the form of an ID."""
    arguments = request.view_args or {}
    id = next(filter(None, map(arguments.get, _ID_ARGUMENTS)), "")
    return id if is_user_id(id) or field_rules.SESSION_ID.matches(id) else None


def _actor() -> Actor:
    ip = client().ip
    if oauth_client := g.get("oauth_client"):
        return Actor(oauth_client.id, ip)
    caller = g.get("caller")
    return Actor(caller.user.id, ip, caller.key and caller.key.id) if caller else Actor(ip=ip)


def _sees_all_users() -> bool:
    """Return whether an object that the caller does not find does not exist."""
    return "oauth_client" in g or bool(g.get("caller") and g.caller.sees_all_users)
