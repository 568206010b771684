"""Who is calling and what they may do. Each guard hands the caller to the view as an argument."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from flask import current_app, request

from api.describe import describe, problems
from api.errors import RequestError
from api.services import sign_in, signup_is_open
from models import NOBODY, Actor, Client, Found, Session, User, is_user_id
from models.errors import FreshSignInRequired, Unauthenticated, UserNotFound

View = Callable[..., Any]

AUTHORIZATIONS = {
    "bearerAuth": {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": "The `token` of `POST /v1/sessions`.",
        # Swagger 2.0 has no word for bearer tokens.
        "x-openapi": {"type": "http", "scheme": "bearer", "in": None, "name": None},
    }
}


@dataclass(frozen=True)
class Caller:
    """The signed-in user who makes the request."""

    user: User
    session: Session
    _other: User | None

    @property
    def actor(self) -> Actor:
        """The caller, as events name it."""
        return Actor(self.user.id, client().ip)

    def is_self(self, user_id: str) -> bool:
        """Whether an id in the URL means the caller."""
        return user_id in ("me", self.user.id)

    def may_see(self, user_id: str) -> User:
        """The user an id in the URL means, if the caller may see it.

        Raises:
            UserNotFound: There is no such user, or it is somebody else's and the caller no admin.
        """
        if self.is_self(user_id):
            return self.user
        if not self.user.is_admin or self._other is None:
            raise UserNotFound
        return self._other

    def must_be(self, user_id: str) -> None:
        """Refuse unless an id in the URL means the caller.

        Raises:
            UserNotFound: There is no such user, or the caller may not see it.
            RequestError: An admin may see it, but not do this for it.
        """
        if not self.is_self(user_id):
            self.may_see(user_id)
            raise RequestError("forbidden", "Only the user itself may do this.")

    def must_be_fresh(self) -> None:
        """Refuse unless the caller gave the password a little while ago (ASVS 7.5.1).

        Raises:
            FreshSignInRequired: That was too long ago.
        """
        if not self.session.is_fresh(current_app.config["ROSTER_FRESH_SIGN_IN"]):
            raise FreshSignInRequired


def signed_in(view: View) -> View:
    """Let nobody pass who is not signed in; the view gets `caller`."""

    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        return view(*args, caller=_identify(), **kwargs)

    return _guarded(guarded)


def only_self(view: View) -> View:
    """Let only the user pass whose id the URL names; the view gets `caller`."""

    @wraps(view)
    def guarded(*args: Any, id: str, **kwargs: Any) -> Any:
        caller = _identify()
        caller.must_be(id)
        return view(*args, id=id, caller=caller, **kwargs)

    return _guarded(guarded, "forbidden", "user-not-found")


def admin(view: View) -> View:
    """Let only admins pass; the view gets `caller`."""

    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        caller = _identify()
        if not caller.user.is_admin:
            raise RequestError("forbidden", "Only an admin may do this.")
        return view(*args, caller=caller, **kwargs)

    return _guarded(guarded, "forbidden")


def anyone_or_admin(view: View) -> View:
    """Let everybody pass while sign-up is open, else only admins; `caller` may be None."""

    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        is_anonymous = "Authorization" not in request.headers and signup_is_open()
        caller = None if is_anonymous else _identify()
        if not signup_is_open() and not (caller and caller.user.is_admin):
            raise RequestError("forbidden", "Sign-up is closed: only an admin creates users.")
        return view(*args, caller=caller, **kwargs)

    return describe(_guarded(guarded, "forbidden"), security=["bearerAuth", {}])


def fresh(view: View) -> View:
    """Let only callers pass who gave their password a little while ago.

    Stands directly below `signed_in` or `only_self`, which hand it the caller.
    """

    @wraps(view)
    def guarded(*args: Any, caller: Caller, **kwargs: Any) -> Any:
        caller.must_be_fresh()
        return view(*args, caller=caller, **kwargs)

    return problems("fresh-sign-in-required")(guarded)


def actor_of(caller: Caller | None) -> Actor:
    """Who makes a change, as events name it."""
    return caller.actor if caller else Actor(NOBODY.user_id, client().ip)


def client() -> Client:
    """From where the request comes."""
    return Client(ip=request.remote_addr, user_agent=request.headers.get("User-Agent"))


def _guarded(view: View, *slugs: str) -> View:
    """Document what every guard asks for, and what it can answer."""
    asked = describe(view, security="bearerAuth")
    return problems("unauthenticated", "store-unavailable", *slugs)(asked)


def _identify() -> Caller:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise Unauthenticated
    found: Found = sign_in.find(token.strip(), other_user_id=_other_user_id())
    return Caller(found.user, found.session, found.other)


def _other_user_id() -> str | None:
    """The user in the URL, to be read together with the caller: one round trip, not two."""
    id = (request.view_args or {}).get("id", "")
    return id if is_user_id(id) else None
