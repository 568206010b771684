"""Requests that another site makes a browser send are rejected (ASVS 3.5.1, 3.5.3).

Fetch metadata and the origin say where a form was; the token that each form carries says that this
service has rendered it for this browser. Cookies are SameSite=Lax besides.
"""

from urllib.parse import urlsplit

from flask import Flask, request
from flask_wtf.csrf import CSRFError, CSRFProtect

from web.settings import page_settings

_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
_tokens = CSRFProtect()


class CrossSiteRequest(Exception):
    """The form was not rendered for this browser and its user, or by another site.

    Attributes:
        is_foreign: Whether another site has sent it; else the form may just be an old one.
    """

    def __init__(self, *, is_foreign: bool) -> None:
        super().__init__("cross-site request")
        self.is_foreign = is_foreign


def init_app(app: Flask, *, key: bytes) -> None:
    """Set up the tokens of forms.

    Args:
        app: The app.
        key: Signs them.
    """
    app.config.update(
        WTF_CSRF_SECRET_KEY=key,
        # `reject_cross_site` checks them, for the pages and not for the API.
        WTF_CSRF_CHECK_DEFAULT=False,
        # A form may stay open as long as the browser.
        WTF_CSRF_TIME_LIMIT=None,
        # Origin takes the place of Referer, which pages do not send to others.
        WTF_CSRF_SSL_STRICT=False,
        # Texts of WTForms are replaced by ours.
        WTF_I18N_ENABLED=False,
    )
    _tokens.init_app(app)


def reject_cross_site() -> None:
    """Reject a request that changes something, unless one of our own forms has sent it.

    Raises:
        CrossSiteRequest: It comes from elsewhere, or its token is missing or another browser's.
    """
    if request.method in _SAFE_METHODS:
        return
    if not _is_same_origin():
        raise CrossSiteRequest(is_foreign=True)
    try:
        _tokens.protect()
    except CSRFError:
        raise CrossSiteRequest(is_foreign=False) from None


def _is_same_origin() -> bool:
    # Browsers send it to https and to localhost, and no script can change it.
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site == "same-origin"
    origin = request.headers.get("Origin")
    if origin is None:
        # No browser: all of them send Origin with a POST. The token decides.
        return True
    # A proxy may have changed the host of the request.
    public = urlsplit(page_settings().base_url)
    allowed = (f"{request.scheme}://{request.host}", f"{public.scheme}://{public.netloc}")
    return origin in allowed
