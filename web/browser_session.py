"""Browser sessions: cookies with the token of a session, of a device, and of forms.

The pages read them and nothing else does: the API takes tokens from `Authorization` only. So no
request that a browser was made to send has an effect there (ASVS 3.3.1 to 3.3.4, 3.5.1).
"""

from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from hashlib import sha256
from typing import Any

from flask import Flask, Request, Response, g, request, session
from flask.json.tag import TaggedJSONSerializer
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from itsdangerous import URLSafeTimedSerializer

from api.principal import Principal, identify_session
from api.services import sessions
from models import OpenedSession, field_rules
from models.errors import SessionNotFound, Unauthenticated
from web.languages import use_language_of
from web.settings import page_settings

# The pages that read cookies, with those below them; "/" is the start page of local mode. No other
# request opens a cookie.
PAGE_PATHS = (
    "/",
    "/accept-invitation",
    "/account",
    "/admin",
    "/forgot-password",
    "/password-check",
    "/reset-password",
    "/sign-in",
    "/sign-out",
    "/sign-up",
    "/verify-email",
)
# Browsers accept the prefix only with Secure, without Domain and with the path / (RFC 6265bis), so
# neither another host of the domain nor plain HTTP can set such a cookie. Plain HTTP, as in local
# mode, cannot either, and has names of its own.
_SECURE_PREFIX = "__Host-"
_SESSION = "roster"
_DEVICE = "roster-device"
_FORM = "roster-form"
_PLAIN_SUFFIX = "-local"
# How long an unused device is known.
_DEVICE_LIFETIME = timedelta(days=180)
# Which user the forms of this browser belong to.
_USER = "user"


class _FormSessions(SecureCookieSessionInterface):
    """Flask's session for the pages, and only for them: the token of forms, and notices.

    Args:
        keys: The keys that sign the cookie, the current one first.
    """

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._serializer = URLSafeTimedSerializer(
            # The library signs with the last one.
            list(reversed(keys)),
            salt="form-session",
            serializer=TaggedJSONSerializer(),
            signer_kwargs={"key_derivation": "hmac", "digest_method": sha256},
        )

    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer | None:
        return self._serializer if self._serializer.secret_keys else None

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        return super().open_session(app, request) if is_page(request.path) else None


def init_app(app: Flask, *, keys: Sequence[bytes], is_secure: bool) -> None:
    """Set up the cookies.

    Args:
        app: The app.
        keys: The keys that sign the cookie of forms, the current one first.
        is_secure: Whether browsers reach the pages by TLS.
    """
    app.session_interface = _FormSessions(keys)
    app.config.update(
        SESSION_COOKIE_NAME=_cookie_name(_FORM, is_secure),
        SESSION_COOKIE_SECURE=is_secure,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_PATH="/",
    )


def is_page(path: str) -> bool:
    """Return whether a path is one of a page that reads cookies."""
    return any(path == start or path.startswith(f"{start}/") for start in PAGE_PATHS)


def find_caller() -> Principal | None:
    """Return the signed-in user of the browser, None if there is none."""
    if "page_caller" not in g:
        _keep(_identify())
    caller: Principal | None = g.page_caller
    return caller


def owns_forms(caller: Principal | None) -> bool:
    """Return whether the forms of this browser were rendered for the caller.

    After a session has expired they still belong to its user, who may sign in and send them.
    """
    return caller is None or session.get(_USER) == caller.user.id


def form_owner_id() -> str | None:
    """Return the ID of the user who signed in last in this browser."""
    return session.get(_USER)


def start(opened: OpenedSession) -> None:
    """Sign the browser in: with a new session, new forms, and the token of the device."""
    if session.get(_USER) != opened.user.id:
        # Forms of another user must not be sent by this one.
        session.clear()
    session[_USER] = opened.user.id
    _set_cookie(_SESSION, opened.token, sessions.lifetimes.total)
    if opened.device_token:
        _set_cookie(_DEVICE, opened.device_token, _DEVICE_LIFETIME)
    _keep(identify_session(opened.token))


def end_previous() -> None:
    """End the session of the browser in the service, if it has one (ASVS 7.2.4)."""
    caller = find_caller()
    if caller:
        # It may have ended meanwhile.
        with suppress(SessionNotFound, Unauthenticated):
            sessions.end(caller.user, caller.session.id, by=caller.actor)


def forget() -> None:
    """Sign the browser out. The device stays known."""
    session.clear()
    _set_cookie(_SESSION, None, None)
    _keep(None)


def device_token() -> str | None:
    """Return the token of the device, None without one that could be valid."""
    token = request.cookies.get(_name(_DEVICE))
    return token if token and field_rules.OPTIONAL_DEVICE_TOKEN.matches(token) else None


def add_cookies(response: Response) -> Response:
    """Set the cookies that the request has changed."""
    changed: dict[str, tuple[str | None, timedelta | None]] = g.get("page_cookies", {})
    for name, (value, lifetime) in changed.items():
        attributes: dict[str, Any] = {
            "path": "/",
            "secure": page_settings().is_secure,
            "httponly": True,
            "samesite": "Lax",
        }
        if value is None:
            response.delete_cookie(name, **attributes)
        else:
            response.set_cookie(name, value, max_age=lifetime, **attributes)
    return response


def _identify() -> Principal | None:
    token = request.cookies.get(_name(_SESSION))
    if token is None:
        return None
    try:
        if not field_rules.SESSION_TOKEN.matches(token):
            raise Unauthenticated
        caller = identify_session(token)
    except Unauthenticated:
        # The forms stay those of the user, who can sign in and send them.
        _set_cookie(_SESSION, None, None)
        return None
    if request.method in ("GET", "HEAD") and session.get(_USER) != caller.user.id:
        session.clear()
        session[_USER] = caller.user.id
    return caller


def _keep(caller: Principal | None) -> None:
    """Keep the user of the browser for the rest of the request, whose pages are in its language."""
    g.page_caller = caller
    use_language_of(caller.user.locale if caller else None)


def _set_cookie(kind: str, value: str | None, lifetime: timedelta | None) -> None:
    if "page_cookies" not in g:
        g.page_cookies = {}
    g.page_cookies[_name(kind)] = (value, lifetime)


def _name(kind: str) -> str:
    return _cookie_name(kind, page_settings().is_secure)


def _cookie_name(kind: str, is_secure: bool) -> str:
    return f"{_SECURE_PREFIX}{kind}" if is_secure else f"{kind}{_PLAIN_SUFFIX}"
