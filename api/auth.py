"""Guards: who may call a view. Each guard passes the caller to the view as `caller`.

API keys are rejected unless a guard says `api_keys=True`, so that no route is opened to them by
mistake. A key without roles can only read. A view that accepts keys only for some users or bodies
checks `caller.session`, `caller.require_recent_auth()` or `caller.require_account_control()`.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import request

from api.errors import RequestError
from api.openapi.annotations import describe, error_responses
from api.principal import Principal, anonymous_actor, identify, session_required
from api.services import rules
from api.validation import without_query
from api.write_limits import take_write
from models import SignUp

__all__ = [
    "AUTHORIZATIONS",
    "Principal",
    "admin_required",
    "anonymous_actor",
    "self_required",
    "session_accepted",
    "signed_in",
    "signup_allowed",
]

_READ_METHODS = ("GET", "HEAD")
View = Callable[..., Any]
Guard = Callable[[View], View]

AUTHORIZATIONS = {
    "bearerAuth": {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": "The `token` of a session, from `POST /v1/sessions`, or the `key` of an API"
        " key, from `POST /v1/users/{id}/api-keys`. A key may read and update users, as far as its"
        " roles and scopes allow; everything else requires a session.",
        # Swagger 2.0 cannot describe bearer tokens.
        "x-openapi": {"type": "http", "scheme": "bearer", "in": None, "name": None},
    }
}


def signed_in(*, api_keys: bool = False, recent: bool = False) -> Guard:
    """Require a signed-in caller.

    Args:
        api_keys: Whether API keys are accepted.
        recent: Whether recent authentication is required.
    """

    def decorate(view: View) -> View:
        view = without_query(view)

        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            caller = _identify(api_keys, recent)
            _count_write(caller)
            return view(*args, caller=caller, **kwargs)

        return _document(guarded, *_for_writes(view), api_keys=api_keys, recent=recent)

    return decorate


def self_required(*, api_keys: bool = False, recent: bool = False, verified: bool = False) -> Guard:
    """Require that the caller is the user in the URL.

    Args:
        api_keys: Whether API keys are accepted.
        recent: Whether recent authentication is required.
        verified: Whether a verified address is required where emails are sent.
    """

    def decorate(view: View) -> View:
        view = without_query(view)

        @wraps(view)
        def guarded(*args: Any, id: str, **kwargs: Any) -> Any:
            caller = _identify(api_keys)
            caller.require_self(id)
            if recent:
                caller.require_recent_auth()
            if verified:
                caller.require_verified_email()
            _count_write(caller)
            return view(*args, id=id, caller=caller, **kwargs)

        for_address = ("email-not-verified",) if verified else ()
        slugs = ("forbidden", "user-not-found", "second-factor-missing", *for_address)
        slugs = (*slugs, *_for_writes(view))
        return _document(guarded, *slugs, api_keys=api_keys, recent=recent)

    return decorate


def admin_required(*, api_keys: bool = False, recent: bool = False) -> Guard:
    """Require an admin.

    Args:
        api_keys: Whether API keys with the role admin are accepted.
        recent: Whether recent authentication is required.
    """

    def decorate(view: View) -> View:
        view = without_query(view)

        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            caller = _identify(api_keys)
            if not caller.has_admin_rights():
                raise RequestError("forbidden", "Only an admin may do this.")
            if recent:
                caller.require_recent_auth()
            return view(*args, caller=caller, **kwargs)

        slugs = ("forbidden", "second-factor-missing")
        return _document(guarded, *slugs, api_keys=api_keys, recent=recent)

    return decorate


def signup_allowed(*, api_keys: bool = False) -> Guard:
    """Require an admin while sign-up is closed; while it is open, `caller` may be None.

    Args:
        api_keys: Whether API keys are accepted.
    """

    def decorate(view: View) -> View:
        view = without_query(view)

        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            is_open = rules.signup is SignUp.OPEN
            is_anonymous = is_open and "Authorization" not in request.headers
            caller = None if is_anonymous else _identify(api_keys)
            if not is_open and not (caller and caller.has_admin_rights()):
                raise RequestError("forbidden", "Sign-up is closed: only an admin creates users.")
            return view(*args, caller=caller, **kwargs)

        slugs = ("forbidden", "second-factor-missing")
        documented = _document(guarded, *slugs, api_keys=api_keys)
        return describe(documented, security=["bearerAuth", {}])

    return decorate


def session_accepted() -> Guard:
    """Identify a caller with a session; `caller` is None without an `Authorization` header."""

    def decorate(view: View) -> View:
        view = without_query(view)

        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            caller = _identify(api_keys=False) if "Authorization" in request.headers else None
            return view(*args, caller=caller, **kwargs)

        documented = _document(guarded, api_keys=False)
        return describe(documented, security=["bearerAuth", {}])

    return decorate


def _identify(api_keys: bool, recent: bool = False) -> Principal:
    caller = identify()
    if caller.key and not api_keys:
        raise session_required()
    if request.method not in _READ_METHODS:
        caller.require_write_access()
    if recent:
        caller.require_recent_auth()
    return caller


def _count_write(caller: Principal) -> None:
    if request.method not in _READ_METHODS and not caller.is_admin:
        take_write(caller.user.id)


def _for_writes(view: View) -> tuple[str, ...]:
    """Return the problem of a user who makes too many changes, if a view makes any."""
    return () if view.__name__.upper() in _READ_METHODS else ("too-many-requests",)


def _document(view: View, *slugs: str, api_keys: bool, recent: bool = False) -> View:
    """Document what a guard requires and how it can reject a request."""
    described = describe(view, security="bearerAuth")
    for_keys = () if api_keys else ("forbidden",)
    for_age = ("fresh-sign-in-required",) if recent else ()
    all_slugs = ("unauthenticated", "busy", "store-unavailable", *for_keys, *for_age, *slugs)
    return error_responses(*all_slugs)(described)
