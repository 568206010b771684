"""Guards: who may call a view. Each guard passes the caller to the view as `caller`.

API keys are rejected unless a guard says `api_keys=True`, and clients unless it names the
`client_scope` that they need, so that no route is opened to them by mistake. A key without roles
can only read. A view that accepts keys or clients only for some users or bodies checks
`caller.session`, `caller.require_recent_auth()` or `caller.require_account_control()`.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import request

from api.client_principal import ClientPrincipal, identify_client
from api.errors import RequestError
from api.openapi.annotations import describe, error_responses
from api.principal import (
    Principal,
    anonymous_actor,
    bearer_token,
    identify,
    session_required,
)
from api.services import rules
from api.validation import without_query
from api.write_limits import take_write
from models import CLIENT_SECRET_PREFIX, ClientScope, Right, SignUp

__all__ = [
    "AUTHORIZATIONS",
    "Caller",
    "Principal",
    "anonymous_actor",
    "right_required",
    "self_required",
    "session_accepted",
    "signed_in",
    "signup_allowed",
]

_READ_METHODS = ("GET", "HEAD")
View = Callable[..., Any]
Guard = Callable[[View], View]
# What views of routes that are open to clients get as `caller`.
Caller = Principal | ClientPrincipal

# Swagger 2.0 cannot describe bearer tokens.
_BEARER = {"type": "http", "scheme": "bearer", "in": None, "name": None}
AUTHORIZATIONS = {
    "bearerAuth": {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": "The `token` of a session, from `POST /v1/sessions`, or the `key` of an API"
        " key, from `POST /v1/users/{id}/api-keys`. A key may read and update users, as far as its"
        " roles and scopes allow; everything else requires a session.",
        "x-openapi": _BEARER,
    },
    "clientSecret": {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": "The `secret` of a client with the scope that the operation names, from"
        " `POST /v1/clients`, as a bearer token.",
        "x-openapi": _BEARER,
    },
    "clientBasic": {
        "type": "basic",
        "description": "The ID and the `secret` of a client, form-encoded (RFC 6749, section"
        " 2.3.1). They may be sent as `client_id` and `client_secret` in the form instead.",
    },
}


def signed_in(
    *,
    api_keys: bool = False,
    recent: bool = False,
    client_scope: ClientScope | None = None,
    writes: bool = True,
) -> Guard:
    """Require a signed-in caller.

    Args:
        api_keys: Whether API keys are accepted.
        recent: Whether recent authentication is required.
        client_scope: The scope that opens the route to clients; None for none.
        writes: Whether methods that are not safe change the account; else a key with any role may
            use them.
    """

    def decorate(view: View) -> View:
        view = without_query(view)

        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            caller = _identify_any(api_keys, client_scope, writes=writes)
            if recent:
                caller.require_recent_auth()
            _count_write(caller)
            return view(*args, caller=caller, **kwargs)

        slugs = _for_writes(view)
        return _document(guarded, *slugs, recent=recent, client_scope=client_scope)

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
        slugs = ("user-not-found", "second-factor-missing", *for_address, *_for_writes(view))
        return _document(guarded, *slugs, recent=recent)

    return decorate


def right_required(
    right: Right,
    *,
    api_keys: bool = False,
    recent: bool = False,
    client_scope: ClientScope | None = None,
) -> Guard:
    """Require a right over the accounts of other users.

    Args:
        right: The right.
        api_keys: Whether API keys whose role includes the right are accepted.
        recent: Whether recent authentication is required.
        client_scope: The scope that opens the route to clients; None for none.
    """

    def decorate(view: View) -> View:
        view = without_query(view)

        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            caller = _identify_any(api_keys, client_scope)
            if isinstance(caller, Principal):
                caller.require_right(right)
            if recent:
                caller.require_recent_auth()
            if right is not Right.ADMINISTER:
                _count_write(caller)
            return view(*args, caller=caller, **kwargs)

        slugs = () if right is Right.ADMINISTER else _for_writes(view)
        all_slugs = ("second-factor-missing", *slugs)
        return _document(guarded, *all_slugs, recent=recent, client_scope=client_scope)

    return decorate


def signup_allowed(*, api_keys: bool = False, client_scope: ClientScope | None = None) -> Guard:
    """Require an admin while sign-up is closed; while it is open, `caller` may be None.

    Args:
        api_keys: Whether API keys are accepted.
        client_scope: The scope that opens the route to clients; None for none.
    """

    def decorate(view: View) -> View:
        view = without_query(view)

        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            is_open = rules.signup is SignUp.OPEN
            is_anonymous = is_open and "Authorization" not in request.headers
            caller = None if is_anonymous else _identify_any(api_keys, client_scope)
            if not is_open and not (caller and caller.may_create_users()):
                raise RequestError("forbidden", "Sign-up is closed: only an admin creates users.")
            return view(*args, caller=caller, **kwargs)

        return _document(
            guarded, "second-factor-missing", client_scope=client_scope, is_optional=True
        )

    return decorate


def session_accepted() -> Guard:
    """Identify a caller with a session; `caller` is None without an `Authorization` header."""

    def decorate(view: View) -> View:
        view = without_query(view)

        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            caller = _identify(api_keys=False) if "Authorization" in request.headers else None
            return view(*args, caller=caller, **kwargs)

        return _document(guarded, is_optional=True)

    return decorate


def _identify_any(
    api_keys: bool, client_scope: ClientScope | None, *, writes: bool = True
) -> Caller:
    token = bearer_token()
    if token.startswith(CLIENT_SECRET_PREFIX):
        return identify_client(token, client_scope)
    caller = identify()
    if caller.key and not api_keys:
        raise session_required()
    if request.method not in _READ_METHODS:
        caller.require_any_role()
        if writes:
            caller.require_write_access()
    return caller


def _identify(api_keys: bool) -> Principal:
    """Return the user who makes the request; clients are rejected."""
    caller = _identify_any(api_keys, None)
    assert isinstance(caller, Principal)  # nosec B101 - for the type checker
    return caller


def _count_write(caller: Caller) -> None:
    if request.method not in _READ_METHODS and not caller.is_admin:
        take_write(caller.id)


def _for_writes(view: View) -> tuple[str, ...]:
    """Return the problem of a caller who makes too many changes, if a view makes any."""
    return () if view.__name__.upper() in _READ_METHODS else ("too-many-requests",)


def _document(
    view: View,
    *slugs: str,
    recent: bool = False,
    client_scope: ClientScope | None = None,
    is_optional: bool = False,
) -> View:
    """Document what a guard requires and how it can reject a request."""
    security: list[Any] = [{"bearerAuth": []}]
    if client_scope:
        security.append({"clientSecret": [client_scope.value]})
    if is_optional:
        security.append({})
    # Swagger 2.0 has scopes for OAuth only.
    without_scopes: list[Any] = [{name: [] for name in each} for each in security]
    described = describe(view, security=without_scopes, vendor={"openapi": {"security": security}})
    for_age = ("fresh-sign-in-required",) if recent else ()
    all_slugs = ("unauthenticated", "forbidden", "busy", "store-unavailable", *for_age, *slugs)
    return error_responses(*all_slugs)(described)
