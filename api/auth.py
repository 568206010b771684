"""What callers may do. Each guard hands the caller to the view as an argument."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import request

from api.errors import RequestError
from api.openapi.annotations import describe, problems
from api.principal import Principal, actor_of, client, identify, not_by_key
from api.services import rules
from models import SignUp

__all__ = [
    "AUTHORIZATIONS",
    "Principal",
    "actor_of",
    "admin",
    "anyone_or_admin",
    "client",
    "fresh",
    "only_self",
    "open_to_keys",
    "signed_in",
]

View = Callable[..., Any]

AUTHORIZATIONS = {
    "bearerAuth": {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": "The `token` of a session, from `POST /v1/sessions`, or the `key` of an API"
        " key, from `POST /v1/users/{id}/api-keys`. A key may read and change users, as far as its"
        " roles go; everything else asks for a session.",
        # Swagger 2.0 has no word for bearer tokens.
        "x-openapi": {"type": "http", "scheme": "bearer", "in": None, "name": None},
    }
}


def signed_in(view: View) -> View:
    """Let nobody pass who is not signed in; the view gets `caller`."""

    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        return view(*args, caller=_identify(view), **kwargs)

    return _guarded(guarded)


def only_self(view: View) -> View:
    """Let only the user pass whose id the URL names; the view gets `caller`."""

    @wraps(view)
    def guarded(*args: Any, id: str, **kwargs: Any) -> Any:
        caller = _identify(view)
        caller.require_self(id)
        return view(*args, id=id, caller=caller, **kwargs)

    return _guarded(guarded, "forbidden", "user-not-found", "second-factor-missing")


def admin(view: View) -> View:
    """Let only admins pass; the view gets `caller`."""

    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        caller = _identify(view)
        if not caller.is_active_admin():
            raise RequestError("forbidden", "Only an admin may do this.")
        return view(*args, caller=caller, **kwargs)

    return _guarded(guarded, "forbidden", "second-factor-missing")


def anyone_or_admin(view: View) -> View:
    """Let everybody pass while sign-up is open, else only admins; `caller` may be None."""

    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        is_anonymous = "Authorization" not in request.headers and rules.signup is SignUp.OPEN
        caller = None if is_anonymous else _identify(view)
        if rules.signup is SignUp.CLOSED and not (caller and caller.is_active_admin()):
            raise RequestError("forbidden", "Sign-up is closed: only an admin creates users.")
        return view(*args, caller=caller, **kwargs)

    documented = _guarded(guarded, "forbidden", "second-factor-missing")
    return describe(documented, security=["bearerAuth", {}])


def open_to_keys(view: View) -> View:
    """Let API keys pass the guard above, which refuses them otherwise: no route opens by mistake.

    A view that is open to keys, but not with each body or for each user, asks `caller.session`
    or `caller.must_be_fresh()` for the rest.
    """
    view.is_open_to_keys = True  # type: ignore[attr-defined]
    return view


def fresh(view: View) -> View:
    """Let only callers pass who gave their password a little while ago.

    Stands directly below `signed_in` or `only_self`, which hand it the caller.
    """

    @wraps(view)
    def guarded(*args: Any, caller: Principal, **kwargs: Any) -> Any:
        caller.must_be_fresh()
        return view(*args, caller=caller, **kwargs)

    return problems("fresh-sign-in-required")(guarded)


def _guarded(view: View, *slugs: str) -> View:
    """Document what every guard asks for, and what it can answer."""
    asked = describe(view, security="bearerAuth")
    refuses_keys = () if _is_open_to_keys(view) else ("forbidden",)
    return problems("unauthenticated", "store-unavailable", *refuses_keys, *slugs)(asked)


def _identify(view: View) -> Principal:
    """Who makes the request, if the view is open to such callers."""
    caller = identify()
    if caller.key and not _is_open_to_keys(view):
        raise not_by_key()
    return caller


def _is_open_to_keys(view: View) -> bool:
    # Wrappers have the attributes of what they wrap.
    return getattr(view, "is_open_to_keys", False)
