"""Names of browsers and programs for people: "Firefox on Windows" for a long `User-Agent`.

Each name is found by searching fixed texts in a bounded one, so that no header is expensive.
"""

import string

from web.languages import mark, translate

# As many characters as are stored of a session.
_MAX_LENGTH = 400
_MAX_NAME_LENGTH = 40
# RFC 9110, section 5.6.2.
_TOKEN = frozenset(string.ascii_letters + string.digits + "!#$%&'*+-.^_`|~")
_BROWSER_ON_SYSTEM = mark("%(browser)s on %(system)s")
# The first that is found counts: most browsers claim to be Chrome and Safari, too.
_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("YaBrowser/", "Yandex Browser"),
    ("Vivaldi/", "Vivaldi"),
    ("DuckDuckGo/", "DuckDuckGo"),
    ("Ddg/", "DuckDuckGo"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("Chromium/", "Chromium"),
    ("Chrome/", "Chrome"),
    ("CriOS/", "Chrome"),
    ("Trident/", "Internet Explorer"),
    ("MSIE ", "Internet Explorer"),
    ("Safari/", "Safari"),
)
# Android claims to be Linux, iPhones and iPads to be like Mac OS X.
_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)


def agent_text(user_agent: str | None) -> str:
    """Return what people call a browser or program, in the language of the current page.

    Args:
        user_agent: The header field of a request, None without one. One without a known name is
            returned as it is.
    """
    if not user_agent:
        return translate("Unknown device")
    text = user_agent[:_MAX_LENGTH]
    is_browser = text.startswith("Mozilla/")
    browser = _find(_BROWSERS, text) if is_browser else _product_of(text)
    system = _find(_SYSTEMS, text)
    if browser and system:
        return translate(_BROWSER_ON_SYSTEM, browser=browser, system=system)
    return browser or (system if is_browser else None) or text


def _find(names: tuple[tuple[str, str], ...], text: str) -> str | None:
    return next((name for part, name in names if part in text), None)


def _product_of(text: str) -> str | None:
    """Return the name of the first product: `curl` for `curl/8.5.0` (RFC 9110, section 10.1.5)."""
    name, slash, _ = text.partition("/")
    is_name = slash and 0 < len(name) <= _MAX_NAME_LENGTH and _TOKEN.issuperset(name)
    return name if is_name else None
